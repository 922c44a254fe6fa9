"""Who may look at the dashboard: a URL that works once, then a session. Pure: times are the caller's.

Tokens are kept as hashes only. A session has an address of its own, to which its cookie is bound: cookies of a host go
to all of its ports, and only the browser that was let in knows the address.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from agent.control.caller import Caller

TICKET_SECONDS = 120.0
SESSION_SECONDS = 12 * 3600.0
_MOST = 64  # of each; the oldest makes way


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody who was let in. `place` is the part of the path that is his; `key` the hash of his cookie."""

    place: str
    key: bytes
    caller: Caller
    ends: float


class Sessions:
    """The tickets and sessions of one agent; none outlives it. `clock` is monotonic."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._tickets: dict[bytes, tuple[Caller, float]] = {}
        self._sessions: dict[str, Session] = {}

    def ticket(self, caller: Caller) -> str:
        """A token that lets this person in, once, soon."""
        token = secrets.token_urlsafe(32)
        self._tickets[_hash(token)] = (caller, self._clock() + TICKET_SECONDS)
        while len(self._tickets) > _MOST:
            del self._tickets[next(iter(self._tickets))]
        return token

    def enter(self, token: str) -> tuple[str, str] | None:
        """The place and the cookie of a new session; None for a token that is unknown, used or old."""
        found = self._tickets.pop(_hash(token), None)
        if found is None or found[1] < self._clock():
            return None
        place, cookie = secrets.token_urlsafe(18), secrets.token_urlsafe(32)
        ends = self._clock() + SESSION_SECONDS
        self._sessions[place] = Session(place=place, key=_hash(cookie), caller=found[0], ends=ends)
        while len(self._sessions) > _MOST:
            del self._sessions[next(iter(self._sessions))]
        return place, cookie

    def find(self, place: str, cookie: str) -> Session | None:
        """Whose session that is; None where it is nobody's, or over."""
        session = self._sessions.get(place)
        if session is None or not hmac.compare_digest(session.key, _hash(cookie)):
            return None
        if session.ends < self._clock():
            del self._sessions[place]
            return None
        return session


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
