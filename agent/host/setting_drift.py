"""When a setting that somebody else has changed is made ours again, and when that is given up. Pure: times are the
caller's, in seconds.

VPN clients set the proxy when they connect, and mean it. Ours is put back a few times, for those that do it in passing;
who insists has his way, and the machine is reported instead of fought over.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What a look at the settings comes to."""

    CALM = "calm"  # they are as we made them
    WAIT = "wait"  # they are not; whoever changes them may not have finished
    REAPPLY = "reapply"
    OVERRIDDEN = "overridden"  # somebody insists


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """A change counts once it has stood for `settle` seconds; it is undone `attempts` times `within` so many."""

    settle: float = 2.0
    attempts: int = 3
    within: float = 600.0


class Drift:
    """Remembers how often somebody else was there."""

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience or Patience()
        self._since: float | None = None
        self._reapplied: list[float] = []
        self.overridden = False

    def seen(self, now: float, *, drifted: bool) -> Verdict:
        """What is to be done at `now`."""
        if not drifted:
            self._since = None
            self.overridden = False
            return Verdict.CALM
        if self.overridden:
            return Verdict.OVERRIDDEN
        if self._since is None:
            self._since = now
        if now - self._since < self._patience.settle:
            return Verdict.WAIT
        self._reapplied = [at for at in self._reapplied if now - at < self._patience.within]
        if len(self._reapplied) >= self._patience.attempts:
            self.overridden = True
            return Verdict.OVERRIDDEN
        self._reapplied.append(now)
        self._since = None
        return Verdict.REAPPLY
