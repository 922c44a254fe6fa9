"""What a meter has counted: amounts in slots, and their sum over the window. Pure arithmetic; time comes in as `now`.

The clock may be set. Forward, old slots age, and are remembered for a while; back, what was counted in the future is
counted now: nobody gets a budget back by turning the clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from agent.accounts.windows import Always, Window

type Slots = dict[int, int]


class Counter:
    """The amounts of one window. Every amount stays in the slot in which its request began."""

    __slots__ = ("_first", "_window", "at", "since", "slots", "total", "until")

    def __init__(self, window: Window | Always, slots: Mapping[int, int] | None = None) -> None:
        self._window = window
        self.slots: Slots = dict(slots or {})
        self.at = max(self.slots, default=0)
        self.total = 0
        self._first = 0
        self.since = self.until = 0  # from when until when `at` is the slot of the moment; nothing yet

    def advance(self, now: float) -> None:
        """Let the window reach `now`."""
        if self.since <= now < self.until:
            return
        slot, self.since, self.until = self._window.span(now)
        if slot < self.at:
            early = [each for each in self.slots if each > slot]
            if early:
                self.slots[slot] = self.slots.get(slot, 0) + sum(map(self.slots.pop, early))
        self.at = slot
        self.slots.setdefault(slot, 0)
        self._first = first = self._window.first(slot)
        kept = self._window.kept(slot)
        total = 0
        for each, amount in list(self.slots.items()):
            if each < kept:
                del self.slots[each]
            elif each >= first:
                total += amount
        self.total = total

    def add(self, slot: int, amount: int) -> None:
        """Change what was counted in `slot`; `amount` may be negative. A slot that is forgotten does not change."""
        if slot > self.at:  # the clock was set back
            slot = self.at
        have = self.slots.get(slot, 0)
        new = have + amount
        if new < 0:
            new = 0
        if slot >= self._first:
            self.total += new - have
        elif not have:
            return
        self.slots[slot] = new

    def retry_after(self, now: float, limit: int, wanted: int) -> int | None:
        """Seconds until there is room for `wanted`; None where there never is."""
        if wanted > limit:
            return None
        over = self.total + wanted - limit
        for slot in sorted(self.slots):
            if slot < self._first:
                continue
            over -= self.slots[slot]
            if over <= 0:
                return max(1, ceil(self._window.forgotten_at(slot) - now))
        return 1
