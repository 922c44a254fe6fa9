"""What the values of a setting look like, for those who are not us: JSON Schema, forms, templates.

The readers in `setting_values` decide what is accepted; a shape says the same in words that other programs read. What
JSON Schema cannot say (whether an IPv6 address is one, whether a user exists, the platform of a path) is left to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from agent.host.setting_values import (
    HOSTS_LIMIT,
    HOURS_LIMIT,
    NAME_LIMIT,
    NAMES_LIMIT,
    RESOLVE_LIMIT,
    TEXT_LIMIT,
    Choice,
    account_list,
    host_list,
    hours,
    issuer_url,
    log_level,
    names,
    path,
    port,
    proxy_url,
    resolve_list,
    switch,
    text,
)

type Fragment = Mapping[str, object]
"""A part of a JSON Schema."""

PORT_LIMIT = 65535


class Kind(StrEnum):
    """How a value is asked for in a form, and stored in a registry."""

    TEXT = "text"
    PATH = "path"
    NUMBER = "number"
    SWITCH = "switch"
    CHOICE = "choice"
    LIST = "list"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What values look like. `form` is how they are best written; `accepted` is all that the reader takes."""

    kind: Kind
    form: Fragment
    accepted: Fragment
    words: tuple[str, ...] = field(default=())
    """What a choice is made from."""


# Blanks around a text are ignored by every reader. Control characters: C0 and C1.
_CONTROL = r"\u0000-\u001f\u007f-\u009f"
_BODY = rf"(?:[^{_CONTROL}]*[^\s{_CONTROL}])?"
_ABSOLUTE = r"(?:/|~|[A-Za-z]:[\\/]|\\\\)"
_UP_TO_PORT_LIMIT = r"[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"
_ANY_PORT = rf"0*(?:[0-9]{{1,4}}|{_UP_TO_PORT_LIMIT})"
_REAL_PORT = rf"0*(?:[1-9][0-9]{{0,3}}|{_UP_TO_PORT_LIMIT})"
_HOST = r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+(?:%[^\s\]/%]+)?\])"
_ENTRY = rf"{_HOST}:{_REAL_PORT}={_HOST}:{_REAL_PORT}"
_LOOSE_ENTRY = rf"{_HOST}:\s*{_REAL_PORT}\s*=\s*{_HOST}:\s*{_REAL_PORT}"


def _only(pattern: str) -> str:
    return rf"^\s*{pattern}\s*$"


def _any_case(word: str) -> str:
    return "".join(f"[{each.upper()}{each}]" if each.isalpha() else each for each in word)


def _string(pattern: str) -> Fragment:
    return {"type": "string", "pattern": _only(pattern), "maxLength": TEXT_LIMIT}


def choice_shape(words: tuple[str, ...]) -> Shape:
    """One of some words, in any case."""
    form = {"enum": list(words)}
    loose = "|".join(_any_case(word) for word in words)
    return Shape(
        kind=Kind.CHOICE,
        form={"type": "string", **form},
        accepted={"anyOf": [form, _string(f"(?:{loose})")]},
        words=words,
    )


_TEXT = _string(rf"[^\s{_CONTROL}]{_BODY}")
TEXT = Shape(kind=Kind.TEXT, form={"type": "string", "minLength": 1, "maxLength": TEXT_LIMIT}, accepted=_TEXT)

PATH = Shape(
    kind=Kind.PATH,
    form={"type": "string", "minLength": 1, "maxLength": TEXT_LIMIT},
    accepted=_string(_ABSOLUTE + _BODY),
)

_NUMBER: Fragment = {"type": "integer", "minimum": 0, "maximum": PORT_LIMIT}
PORT = Shape(
    kind=Kind.NUMBER,
    form=_NUMBER,
    accepted={"anyOf": [_NUMBER, {"type": "string", "pattern": _only(_ANY_PORT), "maxLength": 15}]},
)

_HOURS: Fragment = {"type": "integer", "minimum": 0, "maximum": HOURS_LIMIT}
_ANY_HOURS = r"0*(?:[0-9]{1,2}|[1-6][0-9]{2}|70[0-9]|71[0-9]|720)"
HOURS = Shape(
    kind=Kind.NUMBER,
    form=_HOURS,
    accepted={"anyOf": [_HOURS, {"type": "string", "pattern": _only(_ANY_HOURS), "maxLength": 15}]},
)

_AFTER_HOST = rf"(?::(?:{_ANY_PORT})?)?(?:/[^?#\s{_CONTROL}]*)?"
_SECURE = rf"[Hh][Tt][Tt][Pp][Ss]://{_HOST}{_AFTER_HOST}"
_LOCAL = rf"[Hh][Tt][Tt][Pp]://(?:127\.0\.0\.1|[Ll][Oo][Cc][Aa][Ll][Hh][Oo][Ss][Tt]|\[::1\]){_AFTER_HOST}"
ISSUER = Shape(
    kind=Kind.TEXT,
    form={"type": "string", "minLength": 1, "maxLength": TEXT_LIMIT},
    accepted=_string(rf"(?:{_any_case('none')}|{_SECURE}|{_LOCAL})"),
)

SWITCH = Shape(
    kind=Kind.SWITCH,
    form={"type": "boolean"},
    accepted={
        "anyOf": [
            {"type": "boolean"},
            {"enum": [0, 1]},
            _string(
                f"(?:0|1|{'|'.join(_any_case(word) for word in ('true', 'false', 'yes', 'no', 'on', 'off'))})"
            ),
        ]
    },
)

_PROXY = rf"(?:{_any_case('none')}|{_any_case('auto')}|{_any_case('http')}[Ss]?://{_HOST}:{_REAL_PORT}/?)"
PROXY = Shape(kind=Kind.TEXT, form={"type": "string", "maxLength": TEXT_LIMIT}, accepted=_string(_PROXY))

_STRINGS = {"type": "array", "maxItems": RESOLVE_LIMIT}
RESOLVE = Shape(
    kind=Kind.LIST,
    form={**_STRINGS, "items": {"type": "string"}},
    accepted={
        "anyOf": [
            {**_STRINGS, "uniqueItems": True, "items": _string(_LOOSE_ENTRY)},
            {"type": "string", "pattern": rf"^[\s,]*(?:{_ENTRY}(?:[\s,]+{_ENTRY})*)?[\s,]*$"},
        ]
    },
)

_ACCOUNT = r"@?[A-Za-z0-9._+$\\-][A-Za-z0-9._+$@\\-]*"
ACCOUNTS = Shape(
    kind=Kind.LIST,
    form={**_STRINGS, "items": {"type": "string"}},
    accepted={
        "anyOf": [
            {**_STRINGS, "items": _string(_ACCOUNT)},
            {"type": "string", "pattern": rf"^[\s,]*(?:{_ACCOUNT}(?:[\s,]+{_ACCOUNT})*)?[\s,]*$"},
        ]
    },
)

_HOSTS = {"type": "array", "maxItems": HOSTS_LIMIT}
HOSTS = Shape(
    kind=Kind.LIST,
    form={**_HOSTS, "items": {"type": "string"}},
    accepted={"anyOf": [{**_HOSTS, "items": _TEXT}, {"type": "string"}]},
)

_NAME = rf"[^\s,{_CONTROL}](?:[^,{_CONTROL}]{{0,{NAME_LIMIT - 2}}}[^\s,{_CONTROL}])?"
_NAMES = {"type": "array", "maxItems": NAMES_LIMIT}
NAMES = Shape(
    kind=Kind.LIST,
    form={**_NAMES, "items": {"type": "string", "maxLength": NAME_LIMIT}},
    accepted={
        "anyOf": [
            {**_NAMES, "items": _string(_NAME)},
            {
                "type": "string",
                "pattern": rf"^[\s,]*(?:{_NAME}(?:\s*,[\s,]*{_NAME}){{0,{NAMES_LIMIT - 1}}})?[\s,]*$",
            },
        ]
    },
)

_BY_READER = (
    (text, TEXT),
    (path, PATH),
    (port, PORT),
    (switch, SWITCH),
    (proxy_url, PROXY),
    (issuer_url, ISSUER),
    (hours, HOURS),
    (resolve_list, RESOLVE),
    (account_list, ACCOUNTS),
    (host_list, HOSTS),
    (names, NAMES),
    (log_level, choice_shape(log_level.words)),
)


def shape_of(read: object) -> Shape | None:
    """The shape of what one of our readers accepts; None for a reader that is not known here."""
    for reader, shape in _BY_READER:
        if read == reader:
            return shape
    return choice_shape(read.words) if isinstance(read, Choice) else None
