"""Refusals from templates: JSON texts with placeholders in their strings, filled in without breaking the JSON.

A string that is itself a JSON document is a template, too: what is filled in is escaped as often as it is wrapped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import orjson

from agent.dialects.jsontext import embedded, parse
from agent.errors import ConfigError, ContentError

PLACEHOLDERS = ("message", "uuid", "now", "seconds", "conversation")

type Values = Mapping[str, str]
type _Fill = Callable[[Values], object]


def values(message: str, *, conversation: str = "") -> Values:
    """What one refusal fills in."""
    now = time.time()
    return {
        "message": message,
        "uuid": str(uuid4()),
        "now": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "seconds": str(int(now)),
        "conversation": conversation,
    }


@dataclass(frozen=True, slots=True)
class Template:
    """A text that is ready to be filled in."""

    _fill: _Fill
    _is_json: bool

    @classmethod
    def compile(cls, text: str) -> Template:
        """Raises ConfigError where the text knows another placeholder, or has one though it is no JSON: it could not
        be escaped. (A text that is all placeholder is a bare text.)"""
        try:
            document = parse(text)
        except ContentError:
            fill = _text(text)
            if fill is not None and text != "{message}":
                raise ConfigError(f"{text[:80]!r} has a placeholder, but is no JSON") from None
            return cls(fill or (lambda _: text), False)  # noqa: FBT003
        return cls(_compiled(document), True)  # noqa: FBT003

    def filled(self, held: Values) -> bytes:
        """The text with its placeholders filled in."""
        made = self._fill(held)
        return orjson.dumps(made) if self._is_json else str(made).encode()


def _compiled(value: object) -> _Fill:
    match value:
        case dict():
            fields = {key: _compiled(item) for key, item in value.items()}
            return lambda held: {key: fill(held) for key, fill in fields.items()}
        case list():
            items = [_compiled(item) for item in value]
            return lambda held: [fill(held) for fill in items]
        case str():
            return _string(value)
    return lambda _: value


def _string(text: str) -> _Fill:
    if text == "{seconds}":
        return lambda held: int(held["seconds"])
    inner = embedded(text)
    if isinstance(inner, (dict, list)):
        fill = _compiled(inner)
        return lambda held: orjson.dumps(fill(held)).decode()
    return _text(text) or (lambda _: text)


def _text(text: str) -> _Fill | None:
    """Fills in one text; None where nothing is to be filled in."""
    pieces: list[tuple[str, str]] = []  # what stands before a placeholder, and its name
    rest = text
    while (opening := rest.find("{")) >= 0:
        name, closed, after = rest[opening + 1 :].partition("}")
        if not closed or not name.isalpha() or not name.islower():
            break
        if name not in PLACEHOLDERS:
            raise ConfigError(
                f"the placeholder {{{name}}} is not known", hint=f"known: {', '.join(PLACEHOLDERS)}"
            )
        pieces.append((rest[:opening], name))
        rest = after
    if not pieces:
        return None
    return lambda held: "".join(before + held[name] for before, name in pieces) + rest
