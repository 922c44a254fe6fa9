"""Identifiers of events: UUIDv7 (RFC 9562 section 5.7), sortable by time."""

from __future__ import annotations

import secrets
import uuid


def uuid7(now: float) -> str:
    """A UUIDv7 for the Unix time `now` (seconds); its order is that of time to the millisecond."""
    milliseconds = int(now * 1000) & (1 << 48) - 1
    random = secrets.randbits(74)
    value = milliseconds << 80 | 0x7 << 76 | (random >> 62) << 64 | 0b10 << 62 | random & (1 << 62) - 1
    return str(uuid.UUID(int=value))


def short_ref(event_id: str) -> str:
    """The part of an event's id that a person can quote: its last eight characters, upper case."""
    return event_id[-8:].upper()
