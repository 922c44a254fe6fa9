"""How orders are recorded: each of them, but no account can fill the trail with them. Times are the caller's.

An account that gives orders in a loop would push other events out of a trail of limited size. Beyond its share its
orders are counted, and the count stands in the next one that is recorded.
"""

from __future__ import annotations

PER_MINUTE = 30
_MOST_ACCOUNTS = 1024


class Shares:
    """What each account has left of its share of the trail."""

    def __init__(self) -> None:
        self._left: dict[int, tuple[float, float]] = {}  # by uid: what is left, and when that was
        self._uncounted: dict[int, int] = {}

    def take(self, uid: int, now: float) -> int | None:
        """How many orders of this account were left out since the last that was recorded; None: so is this one."""
        left, at = self._left.pop(uid, (float(PER_MINUTE), now))
        left = min(left + (now - at) * PER_MINUTE / 60, float(PER_MINUTE))
        while len(self._left) >= _MOST_ACCOUNTS:
            del self._left[next(iter(self._left))]
        if left < 1:
            self._left[uid] = (left, now)
            self._uncounted[uid] = self._uncounted.get(uid, 0) + 1
            return None
        self._left[uid] = (left - 1, now)
        return self._uncounted.pop(uid, 0)
