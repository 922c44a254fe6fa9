"""How long a provider asks to wait, as the head or body of its answer says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType

type Fields = Iterable[tuple[bytes, bytes]]

MAX_PAUSE = 3600.0
"""The longest pause that a provider is believed to ask for, in seconds."""


def retry_after(fields: Fields, *, wall: float) -> float | None:
    """Seconds until the request may come again, as the answer's head says; None where it does not. `wall` is Unix
    time.

    In this order: `retry-after-ms`, `retry-after` (seconds or a date, RFC 9110 section 10.2.3), then the resets of
    those limits of which nothing remains: Anthropic gives times (RFC 3339), OpenAI spans (`6m0s`).
    """
    found = {
        name: value.decode("latin-1").strip()
        for name, value in fields
        if name in _PAUSES or b"ratelimit-" in name
    }
    for name, read in ((b"retry-after-ms", _milliseconds), (b"retry-after", _seconds_or_date)):
        if name in found and (pause := read(found[name], wall)) is not None:
            return min(max(pause, 0.0), MAX_PAUSE)
    spent = [reset for name, value in found.items() if value == "0" and (reset := _reset_name(name))]
    resets = [pause for reset in spent if (pause := _reset(found.get(reset, ""), wall)) is not None]
    return min(max(*resets, 0.0), MAX_PAUSE) if resets else None


_PAUSES = frozenset({b"retry-after", b"retry-after-ms"})


def _reset_name(name: bytes) -> bytes:
    """The header that goes with one that tells what remains, or nothing."""
    if name.startswith(b"anthropic-ratelimit-") and name.endswith(b"-remaining"):
        return name.removesuffix(b"remaining") + b"reset"
    if name.startswith(b"x-ratelimit-remaining-"):
        return name.replace(b"-remaining-", b"-reset-")
    return b""


def _milliseconds(value: str, wall: float) -> float | None:
    del wall
    return number / 1000 if (number := _number(value)) is not None else None


def _seconds_or_date(value: str, wall: float) -> float | None:
    if (number := _number(value)) is not None:
        return number
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    return _until(when, wall)


def _reset(value: str, wall: float) -> float | None:
    try:
        return _until(datetime.fromisoformat(value), wall)
    except ValueError:
        return _span(value)


def _until(when: datetime, wall: float) -> float | None:
    when = when if when.tzinfo is not None else when.replace(tzinfo=UTC)
    try:
        return when.timestamp() - wall
    except (OverflowError, ValueError):
        return None


_UNITS: Mapping[str, float] = MappingProxyType({"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001})


def _span(value: str) -> float | None:
    """Seconds of a span such as `1h2m3.5s` or `12ms`."""
    total, digits, unit = 0.0, "", ""
    if not value or len(value) > 40:
        return None
    for here in f"{value}0":  # the last digit closes the last unit
        if here.isdigit() or here == ".":
            if unit:
                number = _number(digits)
                if number is None or unit not in _UNITS:
                    return None
                total, digits, unit = total + number * _UNITS[unit], "", ""
            digits += here
        else:
            unit += here
    return total if digits == "0" else None


def _number(value: str) -> float | None:
    if not value.isascii() or not value.replace(".", "", 1).isdecimal() or len(value) > 20:
        return None
    return float(value)


def google_delay(body: bytes) -> float | None:
    """Seconds of google.rpc.RetryInfo in an error's details: Gemini says it nowhere else."""
    _, found, rest = body.partition(b'"retryDelay"')
    if not found:
        return None
    value = rest.lstrip(b" \t\r\n:")[:40].partition(b'"')[2].partition(b'"')[0]
    pause = _span(value.decode("latin-1"))
    return None if pause is None else min(pause, MAX_PAUSE)
