"""The contact with a server of shared accounts: since when there is none, how long it is left in peace, and how far its
clock is ahead of ours. Pure but for the log."""

from __future__ import annotations

import logging

from agent.accounts.journal import Clock

log = logging.getLogger(__name__)

QUIET_SECONDS = 2.0
"""After a failure, until the server is asked again; doubles each time."""
_LONGEST_QUIET = 30.0


class Contact:
    """One server's."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: float | None = None
        self._quiet, self._quiet_until = QUIET_SECONDS, 0.0
        self.ahead = 0.0
        """Seconds by which the server's clock is ahead."""

    @property
    def silent(self) -> bool:
        """Whether the server is not to be asked now."""
        return self._clock() < self._quiet_until

    def within(self, seconds: float, now: float) -> bool:
        """Whether the server has answered in the last `seconds`."""
        return self._last is not None and 0 <= now - self._last < seconds

    def made(self) -> None:
        """It has answered."""
        self._last = self._clock()
        self._quiet, self._quiet_until = QUIET_SECONDS, 0.0

    def lost(self, error: BaseException) -> None:
        """It has not. Said once, not for calls that began earlier."""
        if self.silent:
            return
        log.warning("the shared accounts cannot be reached: %s", type(error).__name__)
        self._quiet_until = self._clock() + self._quiet
        self._quiet = min(2 * self._quiet, _LONGEST_QUIET)
