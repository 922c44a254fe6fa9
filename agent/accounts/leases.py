"""What a device has set aside of shared budgets, for when it cannot reach them. Pure.

A lease is taken in advance and counts as used for everybody else, so that what the device spends of it alone never
gets past the fleet's budget. Back in contact, the device says what it used and the rest is free again. A device that
does not come back leaves its lease behind as used: nobody can know how much of it was not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.accounts.meters import Amounts, Meter
from agent.accounts.store import Hold

SHARE = 10
"""A lease is at most this part of what a budget has left: a tenth."""
_LEAST_CALLS = 4  # of the size of the largest that was seen
_RECENT = 256  # budgets that are remembered as used


@dataclass(slots=True)
class Need:
    """How much of a budget this device uses, in this stretch of time and in those before."""

    meter: Meter
    largest: int = 0  # of one call
    newer: int = 0
    older: int = 0
    idle: int = 0  # stretches in which nothing was used


@dataclass(slots=True)
class Lease:
    """So much is set aside, until a moment (Unix seconds, the device's clock)."""

    hold: Hold
    amount: int
    until: float
    used: int = 0
    calls: int = 0  # under way

    @property
    def touched(self) -> bool:
        """Whether any of it was used, or is about to be."""
        return self.used > 0 or self.calls > 0


class Leases:
    """The leases of one device, by meter. The time without contact is so many `stretches`."""

    def __init__(self, *, stretches: int = 1) -> None:
        self._stretches = max(1, stretches)
        self.held: dict[str, Lease] = {}
        self.needs: dict[str, Need] = {}

    def note(self, meters: Sequence[Meter], amounts: Amounts) -> None:
        """A call wanted so much."""
        for meter in meters:
            if not meter.budget:
                continue
            need = self.needs.get(meter.id)
            if need is None:
                if len(self.needs) >= _RECENT:
                    del self.needs[next(iter(self.needs))]
                need = self.needs[meter.id] = Need(meter)
            amount = amounts[meter.column]
            need.meter = meter
            need.newer += amount
            need.largest = max(need.largest, amount)

    def turn(self) -> None:
        """A stretch of time is over. What nobody used for longer than the time without contact is not needed."""
        for name, need in list(self.needs.items()):
            need.idle = 0 if need.newer else need.idle + 1
            if need.idle > self._stretches:
                del self.needs[name]
            need.older, need.newer = max(need.newer, need.older // 2), 0

    def wanted(self, name: str) -> int:
        """What the device would use of a budget without contact."""
        need = self.needs[name]
        return max(max(need.newer, need.older) * self._stretches, _LEAST_CALLS * need.largest)

    def reserve(self, meters: Sequence[Meter], amounts: Amounts, now: float) -> bool:
        """Take `amounts` of the leases of all budgets among `meters`, or of none."""
        asked = [meter for meter in meters if meter.budget and amounts[meter.column]]
        for meter in asked:
            lease = self.held.get(meter.id)
            if lease is None or now >= lease.until or lease.used + amounts[meter.column] > lease.amount:
                return False
        for meter in asked:
            lease = self.held[meter.id]
            lease.used += amounts[meter.column]
            lease.calls += 1
        return True

    def settle(self, meters: Sequence[Meter], held: Amounts, used: Amounts) -> None:
        """Put what was used in the place of what was taken."""
        for meter in meters:
            if meter.budget and held[meter.column] and (lease := self.held.get(meter.id)) is not None:
                lease.used = max(0, lease.used + used[meter.column] - held[meter.column])
                lease.calls -= 1
