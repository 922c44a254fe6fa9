"""A table of settings with one of every kind, for what is made from tables."""

from __future__ import annotations

from agent.host.setting_rows import Category, Effect, Key, Row
from agent.host.setting_values import one_of, path, port, resolve_list, switch, text

_KEYS = {
    "name": Key(read=text, allowed="a name", about="A name.", example="x & <y>"),
    "file": Key(read=path, allowed="a path", about="A file."),
    "door": Key(read=port, allowed="a port", about="A port.", category=Category.NETWORK, example=80),
    "guard": Key(read=switch, allowed="true or false", about="Whether it guards.", takes_hold=Effect.LIVE),
    "way": Key(
        read=one_of("pac-file", "none"),
        allowed="pac-file or none",
        about="The way.",
        example="none",
        since="0.2.0",
    ),
    "names": Key(read=resolve_list, allowed="a list", about="Names.", example=["a:1=b:2"]),
}

ONE_OF_EACH = tuple(Row.of(name, key, None) for name, key in _KEYS.items())
