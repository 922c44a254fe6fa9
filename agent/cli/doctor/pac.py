"""What a PAC file of ours says, read from its text: it is never run, since who holds the port may not be us. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable

from agent.cli.doctor.facts import PacFacts
from agent.model.hostpattern import HostTemplate, is_template

_EXACT, _SUFFIXES, _TEMPLATES = "var exact = ", "var suffixes = ", "var templates = "
_PROXY = '  return "PROXY 127.0.0.1:'


def read_pac(text: str, *, wanted: Iterable[str], port: int) -> PacFacts:
    """Which of the hosts `wanted` it names, and where it leads. A company's own file may stand before ours in it."""
    try:
        exact = _value(text, _EXACT)
        suffixes = {f"*{each[0]}" for each in _value(text, _SUFFIXES)}
        templates = _value(text, _TEMPLATES)
        named = text.rindex(_PROXY) + len(_PROXY)
        found = int(text[named : text.index('"', named)])
    except (ValueError, TypeError, IndexError, KeyError):
        return PacFacts(problem="what is served is no PAC file of ours", expected_port=port)
    shapes = [json.dumps(each[0]) for each in templates]
    missing = [
        host
        for host in sorted(wanted)
        if host not in exact and host not in suffixes and not _shaped(host, shapes)
    ]
    return PacFacts(
        port=found,
        expected_port=port,
        hosts=frozenset((*exact, *suffixes, *shapes)),
        missing=tuple(missing),
    )


def _shaped(host: str, shapes: list[str]) -> bool:
    return is_template(host) and json.dumps(HostTemplate.compile(host).labels) in shapes


def _value(text: str, start: str):  # type: ignore[no-untyped-def]
    begin = text.rindex(start) + len(start)
    return json.loads(text[begin : text.index(";\n", begin)])
