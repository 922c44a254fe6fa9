"""What a client says about the cache, in its request's headers. Pure.

`x-drawbridge-cache`            no-store | no-cache | only-if-cached | off, several with commas
`x-drawbridge-cache-ttl`        seconds, or 30s, 5m, 2h, 1d: how old an answer may get; only less than policy says
`x-drawbridge-cache-threshold`  0 to 1: how alike a prompt must be; only stricter than policy says
`cache-control`                 no-store, no-cache, only-if-cached, max-age (RFC 9111 section 5.2.1); others are ignored

A client can narrow what policy allows, never widen it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

OWN = "x-drawbridge-cache"
TTL = "x-drawbridge-cache-ttl"
THRESHOLD = "x-drawbridge-cache-threshold"
STANDARD = "cache-control"
HEADERS = frozenset({OWN, TTL, THRESHOLD})
"""Ours: they are not for the provider."""

MAX_TTL = 30 * 86_400
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_WORDS = ("no-store", "no-cache", "only-if-cached", "off")


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """What the client wants."""

    read: bool = True
    store: bool = True
    only_if_cached: bool = False  # rather no answer than a new one: 504 on a miss
    ttl_seconds: int | None = None
    threshold: float | None = None
    max_age_seconds: int | None = None


PLAIN = Control()
"""Of a client that says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadControl:
    """A header that cannot be followed. The request is to be refused: who asks for `no-stroe` would be stored."""

    header: str
    problem: str
    hint: str

    def __str__(self) -> str:
        return f"the header {self.header} {self.problem}"


def read_control(headers: Iterable[tuple[str, str]]) -> Control | BadControl:
    """The wishes in `headers`, whose names are in lower case."""
    control = PLAIN
    for name, value in headers:
        if name == OWN:
            told = _own(control, value)
        elif name == TTL:
            told = _ttl(control, value)
        elif name == THRESHOLD:
            told = _threshold(control, value)
        elif name == STANDARD:
            told = _standard(control, value)
        else:
            continue
        if isinstance(told, BadControl):
            return told
        control = told
    return control


def _own(control: Control, value: str) -> Control | BadControl:
    for word in _split(value):
        match word:
            case "off":
                control = replace(control, read=False, store=False)
            case "no-store" | "no-cache" | "only-if-cached":
                control = _directive(control, word)
            case _:
                return BadControl(
                    header=OWN, problem="holds an unknown word", hint=f"Known are: {', '.join(_WORDS)}."
                )
    return control


def _standard(control: Control, value: str) -> Control:
    for word in _split(value):
        name, _, argument = word.partition("=")
        argument = argument.strip().strip('"')
        if name == "max-age":
            if (age := _digits(argument)) is not None:  # RFC 9111 section 4.2.1: what is invalid is stale
                control = replace(control, max_age_seconds=_less(control.max_age_seconds, age))
            else:
                control = replace(control, read=False)
        else:
            control = _directive(control, name)
    return control


def _directive(control: Control, word: str) -> Control:
    match word:
        case "no-store":
            return replace(control, store=False)
        case "no-cache":
            return replace(control, read=False)
        case "only-if-cached":
            return replace(control, only_if_cached=True)
        case _:
            return control


def _ttl(control: Control, value: str) -> Control | BadControl:
    text = value.strip().lower()
    unit = _UNITS.get(text[-1:], 0)
    number = _digits(text[:-1] if unit else text)
    seconds = None if number is None else number * (unit or 1)
    if seconds is None or not 1 <= seconds <= MAX_TTL:
        return BadControl(
            header=TTL,
            problem="is no time from 1 second to 30 days",
            hint="Write seconds, or 30s, 5m, 2h, 1d.",
        )
    return replace(control, ttl_seconds=_less(control.ttl_seconds, seconds))


def _threshold(control: Control, value: str) -> Control | BadControl:
    text = value.strip()
    whole, _, rest = text.partition(".")
    number = float(text) if len(text) <= 20 and _digits(whole) is not None and _decimals(rest) else None
    if number is None or not 0 <= number <= 1:
        return BadControl(
            header=THRESHOLD, problem="is no number from 0 to 1", hint="Write a number such as 0.95."
        )
    return replace(control, threshold=number if control.threshold is None else max(control.threshold, number))


def _split(value: str) -> list[str]:
    return [word for part in value.split(",") if (word := part.strip().lower())]


def _digits(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 12 else None


def _decimals(text: str) -> bool:
    return not text or (text.isascii() and text.isdecimal())


def _less(known: int | None, new: int) -> int:
    return new if known is None else min(known, new)
