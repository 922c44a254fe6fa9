"""Remembers which programs refuse our certificate for which host, and for how long they may pass unseen.

That some program distrusts us is no reason to read nothing: whether it passes is the policy's decision, an entry is
for one program and one host, it ends, and each is an event.
"""

from __future__ import annotations

from enum import Enum, auto

HANDSHAKES_BEFORE_SILENT_CLOSE_COUNTS = 2
"""Some clients say why they leave (an alert), others just close: those count from the second time on."""

REMEMBERED = 1024
"""Programs and hosts of which it is remembered that they trust us."""

_WHY = ("unknown ca", "unknown_ca", "bad certificate", "certificate unknown", "certificate_unknown")
_SILENT = ("disconnected during the handshake", "connection closed")  # mitmproxy's words
_ALERT = " alert "  # OpenSSL's word for what the other side sent


class Sign(Enum):
    """What the end of a failed handshake says of the client's trust."""

    DISTRUST = auto()
    UNSAID = auto()  # it left, or sent an alert that may mean anything
    OTHER = auto()  # no common version or cipher, no TLS: nothing to do with our certificate


def sign_of(error: str) -> Sign:
    """What the error of a failed handshake means. Only what a client did counts: an error of our own side is no reason
    to let anybody pass unseen."""
    text = error.lower()
    if any(word in text for word in _WHY):
        return Sign.DISTRUST
    if _ALERT in text or any(word in text for word in _SILENT):
        return Sign.UNSAID
    return Sign.OTHER


class DistrustLog:
    """Entries by (program, host); times are Unix seconds given by the caller."""

    def __init__(self) -> None:
        self._until: dict[tuple[str, str], float] = {}
        self._silent: dict[tuple[str, str], int] = {}
        self._trusting: dict[tuple[str, str], None] = {}  # who has accepted our certificate, the newest last

    def __bool__(self) -> bool:
        """Whether anything is remembered, so that the common case costs nothing."""
        return bool(self._until or self._silent)

    def refused(self, program: str, host: str, *, said_why: bool, now: float, hours: float) -> bool:
        """Note a failed handshake; returns whether the program may pass from now on."""
        key = (program, host)
        if not said_why:
            if self.trusts(program, host):
                return False
            self._silent[key] = self._silent.get(key, 0) + 1
            if self._silent[key] < HANDSHAKES_BEFORE_SILENT_CLOSE_COUNTS:
                return False
        self._until[key] = now + hours * 3600
        return True

    def passes(self, program: str, host: str, *, now: float) -> bool:
        """Whether this program's connections to this host are tunnelled now."""
        until = self._until.get((program, host))
        if until is None:
            return False
        if until <= now:
            del self._until[(program, host)]
            return False
        return True

    def trusts(self, program: str, host: str) -> bool:
        """Whether this program has accepted our certificate for this host."""
        return (program, host) in self._trusting

    def trusted(self, program: str, host: str) -> None:
        """A handshake that succeeded wipes the slate: from now on only a stated refusal counts."""
        key = (program, host)
        self._silent.pop(key, None)
        self._trusting.pop(key, None)
        self._trusting[key] = None
        if len(self._trusting) > REMEMBERED:
            del self._trusting[next(iter(self._trusting))]
