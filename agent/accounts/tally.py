"""All counters of a store, and the changes that requests make to them. Pure: in memory, nothing waits.

A reservation takes from every meter or from none. It claims an amount in a slot of each; whatever happens later changes
that claim and no other. Since nothing here waits, nobody sees half of a change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.accounts.counter import Counter, Slots
from agent.accounts.meters import NOTHING, Amounts, Meter
from agent.accounts.windows import ALWAYS


class Claims:
    """What one request holds: of each meter `amounts[meter.column]`, in a slot; for what is under way the slot means
    nothing."""

    __slots__ = ("amounts", "meters", "slots")

    def __init__(self, meters: Sequence[Meter], slots: Sequence[int], amounts: Amounts) -> None:
        self.meters = meters
        self.slots = slots
        self.amounts = amounts


NO_CLAIMS = Claims((), (), NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A meter without room."""

    meter: Meter
    wanted: int
    retry_after: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is used of a meter, reservations included, and when its window or slot is over (Unix seconds; 0 for what is
    under way)."""

    used: int
    resets_at: int


class Tally:
    """Counters by the ids of their meters. `used` is of earlier runs."""

    def __init__(self, used: Mapping[str, Slots] | None = None) -> None:
        self._used = dict(used or {})  # until its meter is asked for: only that knows the window
        self._counters: dict[str, Counter] = {}

    def reserve(
        self, meters: Sequence[Meter], amounts: Amounts, now: float, *, instead: Claims = NO_CLAIMS
    ) -> Claims | Refusal:
        """Claim `amounts` of every meter, in place of the claims `instead`; or say which meter has no room, and change
        nothing."""
        if instead.meters:
            self._add(instead, -1)
        slots: list[int] = []
        for meter in meters:
            amount = amounts[meter.column]
            counter = self._counters.get(meter.id) or self._counter(meter)
            if not counter.since <= now < counter.until:
                counter.advance(now)
            total = counter.total + amount
            if total > meter.limit and amount:  # what costs nothing always fits
                wait = counter.retry_after(now, meter.limit, amount)
                self._add(Claims(meters[: len(slots)], slots, amounts), -1)
                self._add(instead, 1)
                return Refusal(meter=meter, wanted=amount, retry_after=wait)
            counter.total = total
            slot = counter.at
            counter.slots[slot] += amount
            slots.append(slot)
        return Claims(meters, slots, amounts)

    def settle(self, claims: Claims, used: Amounts) -> None:
        """Put what was used in the place of claims."""
        held = claims.amounts
        changes = (used[0] - held[0], used[1] - held[1], used[2] - held[2])
        for meter, slot in zip(claims.meters, claims.slots, strict=True):
            change = changes[meter.column] if meter.window is not None else -held[meter.column]
            if change:
                (self._counters.get(meter.id) or self._counter(meter)).add(slot, change)

    def read(self, meter: Meter, now: float) -> Reading:
        """How a meter stands."""
        counter = self._counter(meter)
        counter.advance(now)
        return Reading(used=counter.total, resets_at=counter.until if meter.window is not None else 0)

    def _add(self, claims: Claims, times: int) -> None:
        for meter, slot in zip(claims.meters, claims.slots, strict=True):
            self._counter(meter).add(slot, claims.amounts[meter.column] * times)

    def _counter(self, meter: Meter) -> Counter:
        counter = self._counters.get(meter.id)
        if counter is None:
            counter = self._counters[meter.id] = Counter(
                meter.window or ALWAYS, self._used.pop(meter.id, None)
            )
        return counter
