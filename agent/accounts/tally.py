"""All counters of a store, and the changes that requests make to them. Pure: in memory, nothing waits.

A reservation takes from every meter or from none. It claims an amount in a slot of each; whatever happens later changes
that claim and no other. Since nothing here waits, nobody sees half of a change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from agent.accounts.counter import Counter, Gauge, Slots
from agent.accounts.meters import Amounts, Meter
from agent.accounts.windows import Window


class Claim(NamedTuple):
    """What one request holds of one meter; the slot means nothing for what is under way."""

    meter: Meter
    slot: int
    amount: int


type Claims = tuple[Claim, ...]


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
        self._gauges: dict[str, Gauge] = {}

    def reserve(
        self, meters: Iterable[Meter], amounts: Amounts, now: float, *, instead: Claims = ()
    ) -> Claims | Refusal:
        """Claim `amounts` of every meter, in place of the claims `instead`; or say which meter has no room, and change
        nothing."""
        for claim in instead:
            self._add(claim, -claim.amount)
        claims: list[Claim] = []
        for meter in meters:
            amount = amounts.of(meter.unit)
            if (window := meter.window) is None:
                counter: Counter | Gauge = self._gauge(meter.id)
                slot = 0
            else:
                counter = self._counters.get(meter.id) or self._counter(meter.id, window)
                counter.advance(now)
                slot = counter.at
            # what costs nothing always fits
            if amount and counter.total + amount > meter.limit:
                wait = counter.retry_after(now, meter.limit, amount)
                for claim in claims:
                    self._add(claim, -claim.amount)
                for claim in instead:
                    self._add(claim, claim.amount)
                return Refusal(meter=meter, wanted=amount, retry_after=wait)
            counter.add(slot, amount)
            claims.append(Claim(meter, slot, amount))
        return tuple(claims)

    def settle(self, claims: Claims, used: Amounts) -> None:
        """Put what was used in the place of claims."""
        for claim in claims:
            if claim.meter.window is None:
                self._add(claim, -claim.amount)
            elif change := used.of(claim.meter.unit) - claim.amount:
                self._add(claim, change)

    def read(self, meter: Meter, now: float) -> Reading:
        """How a meter stands."""
        if meter.window is None:
            return Reading(used=self._gauge(meter.id).total, resets_at=0)
        counter = self._counter(meter.id, meter.window)
        counter.advance(now)
        return Reading(used=counter.total, resets_at=counter.resets_at)

    def _add(self, claim: Claim, amount: int) -> None:
        meter = claim.meter
        if meter.window is None:
            self._gauge(meter.id).add(0, amount)
        else:
            self._counter(meter.id, meter.window).add(claim.slot, amount)

    def _counter(self, meter: str, window: Window) -> Counter:
        counter = self._counters.get(meter)
        if counter is None:
            counter = self._counters[meter] = Counter(window, self._used.pop(meter, None))
        return counter

    def _gauge(self, meter: str) -> Gauge:
        gauge = self._gauges.get(meter)
        if gauge is None:
            gauge = self._gauges[meter] = Gauge()
        return gauge
