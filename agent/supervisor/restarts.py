"""When a dead engine is started again: at once after a long life, later and later after short ones, hardly at all in a
crash loop. Pure: all times are the caller's, in seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How patient to be. An engine that served for `steady` seconds did not die of its start."""

    steady: float = 10.0
    first_pause: float = 1.0
    longest_pause: float = 30.0
    crashes: int = 5  # so many short lives …
    within: float = 300.0  # … in so many seconds are a crash loop
    retry: float = 3600.0  # between tries in a crash loop


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """What follows a death: the pause before the next start, and whether it is a crash loop."""

    pause: float
    looping: bool


class Restarts:
    """Remembers how engines died."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._short: list[float] = []  # when engines died that had not lived long
        self.looping = False

    def died(self, now: float, *, served: float) -> Next:
        """An engine died at `now` after it had served for `served` seconds; 0 where it never became ready."""
        limits = self._limits
        if served >= limits.steady:
            self.forgive()
            return Next(pause=0.0, looping=False)
        self._short = [at for at in self._short if now - at < limits.within]
        self._short.append(now)
        if self.looping or len(self._short) >= limits.crashes:
            self.looping = True
            return Next(pause=limits.retry, looping=True)
        pause = min(limits.first_pause * 2 ** (len(self._short) - 1), limits.longest_pause)
        return Next(pause=pause, looping=False)

    def forgive(self) -> None:
        """Begin anew: an engine has proven itself, or somebody has changed what may have been the cause."""
        self._short.clear()
        self.looping = False
