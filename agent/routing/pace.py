"""How fast something usually is, and of late: two moving averages, compared with each other and with peers."""

from __future__ import annotations

from typing import NamedTuple

_FAST, _SLOW = 0.2, 0.02
_ENOUGH = 10
"""So many measurements make a baseline."""


class Peers(NamedTuple):
    """The best of those that could serve as well; 0 where not known."""

    first: float = 0.0
    speed: float = 0.0


NO_PEERS = Peers()


class Pace:
    """Of one quantity. `value` is that of late."""

    __slots__ = ("_count", "_usual", "value")

    def __init__(self) -> None:
        self.value = 0.0
        self._usual = 0.0
        self._count = 0

    @property
    def known(self) -> bool:
        """Whether there is any measurement."""
        return self._count > 0

    def note(self, value: float) -> None:
        """A measurement."""
        self._count += 1
        share = 1.0 / self._count  # a plain mean until the averages take over
        self.value += (value - self.value) * max(share, _FAST)
        self._usual += (value - self._usual) * max(share, _SLOW)

    def lag(self, best: float) -> float:
        """Of a waiting time, where less is better: 1 where it is as usual and as good as the best, down to 1/8."""
        if self.value <= 0.0:
            return 1.0
        own = min(max(self._usual / self.value, 0.5), 1.0) if self._count >= _ENOUGH else 1.0
        return own * (min(max(best / self.value, 0.25), 1.0) if best else 1.0)

    def loss(self, best: float) -> float:
        """Of a speed, where more is better: 1 where it is as usual and as good as the best, down to 1/4."""
        if self.value <= 0.0:
            return 1.0
        own = 1.0
        if self._count >= _ENOUGH and self._usual > 0.0:
            own = min(max(self.value / self._usual, 0.5), 1.0)
        return own * (min(max(self.value / best, 0.5), 1.0) if best else 1.0)
