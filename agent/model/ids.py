"""Identifiers of events: UUIDv7 (RFC 9562 section 5.7), sortable by time."""

from __future__ import annotations

import os

SHORT_REF = 8  # characters


def uuid7(now: float) -> str:
    """A UUIDv7 for the Unix time `now` (seconds); its order is that of time to the millisecond."""
    milliseconds = int(now * 1000) & (1 << 48) - 1
    random = int.from_bytes(os.urandom(10))
    value = (
        milliseconds << 80 | 0x7 << 76 | (random >> 64 & 0xFFF) << 64 | 0b10 << 62 | random & (1 << 62) - 1
    )
    digits = f"{value:032x}"  # `uuid.UUID` takes five times as long, and every exchange has one
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def short_ref(event_id: str) -> str:
    """The part of an event's id that a person can quote: its last eight characters, upper case."""
    return event_id[-SHORT_REF:].upper()
