"""The circuit breaker: a service that keeps failing is left alone for a while, then tried with one call.

Knows no clock: time comes in, monotonic, in seconds.
"""

from __future__ import annotations


class CircuitBreaker:
    """Counts failures in a row. Closed: every call passes. Open: none. Half open: one call tries."""

    def __init__(self, *, failures: int, seconds: float) -> None:
        self._limit = failures
        self._seconds = seconds
        self._failed = 0
        self._opened: float | None = None
        self._trying = False

    def admits(self, now: float) -> bool:
        """Whether a call may be made. Who is admitted owes the breaker one of the three reports below."""
        if self._opened is None:
            return True
        if self._trying or now - self._opened < self._seconds:
            return False
        self._trying = True
        return True

    def succeeded(self) -> None:
        """The call was answered."""
        self._failed, self._opened, self._trying = 0, None, False

    def failed(self, now: float) -> None:
        """The call came to nothing."""
        self._failed += 1
        if self._trying or self._failed >= self._limit:
            self._opened = now
        self._trying = False

    def abandoned(self) -> None:
        """The call was given up before it came to anything: it says nothing of the service."""
        self._trying = False
