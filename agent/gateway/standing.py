"""How the parts of the gateway stand, for metrics and the live view: keys, budgets, the audit trail.

Budgets are read now and then, since a shared store is asked over the network; the rest is looked at when it is wanted.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Protocol

from agent.accounts.accounts import Accounts
from agent.accounts.meters import Meter, Unit
from agent.accounts.tally import Reading
from agent.accounts.windows import Calendar, Rolling
from agent.errors import DrawbridgeError
from agent.routing.health import HealthBook, State
from agent.telemetry.present import BudgetUse, KeyHealth, Snapshot

log = logging.getLogger(__name__)

REFRESH_SECONDS = 10.0
MAX_KEYS = 200
"""So many virtual keys have their budgets read; more would cost more than the figures are worth."""


class Trail(Protocol):
    """The audit trail, as far as it is counted."""

    @property
    def waiting(self) -> int:
        """Events that are not on the disk yet."""
        ...

    @property
    def count(self) -> int:
        """Events that the store holds."""
        ...


class Standing:
    """Gives snapshots. `run` keeps the budgets in them fresh."""

    def __init__(
        self,
        accounts: Accounts,
        health: HealthBook,
        trail: Trail,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`clock` is monotonic, `now` Unix seconds."""
        self._accounts = accounts
        self._health = health
        self._trail = trail
        self._clock = clock
        self._now = now
        self._budgets: tuple[BudgetUse, ...] = ()

    def __call__(self) -> Snapshot:
        """The state of now."""
        keys = tuple(
            KeyHealth(
                provider=fared.provider,
                key=fared.key,
                state=fared.state.value,
                usable=fared.state is not State.FAILED and not fared.cooling_seconds,
            )
            for fared in self._health.snapshot(self._clock())
            if fared.key
        )
        return Snapshot(
            keys=keys,
            budgets=self._budgets,
            audit_waiting=self._trail.waiting,
            audit_events=self._trail.count,
        )

    async def run(self) -> None:
        """Read the budgets until cancelled."""
        while True:
            await self.refresh()
            await asyncio.sleep(REFRESH_SECONDS)

    async def refresh(self) -> None:
        """Read the budgets once. A store that cannot be asked leaves the figures as they were."""
        meters: dict[str, tuple[Meter, Reading]] = {}
        try:
            for key in self._accounts.key_ids()[:MAX_KEYS]:
                report = await self._accounts.quota(key, self._now(), history=False)
                for meter, reading in report.meters if report is not None else ():
                    meters[meter.id] = (meter, reading)
        except DrawbridgeError as error:
            log.warning("budgets cannot be read: %s", error)
            return
        self._budgets = tuple(_use(*each) for each in meters.values())


def _use(meter: Meter, reading: Reading) -> BudgetUse:
    money = meter.unit is Unit.NANO_USD
    scale = 1e9 if money else 1.0
    return BudgetUse(
        owner=f"{meter.tier.value}/{meter.owner}",
        unit="usd" if money else meter.unit.value,
        period=_period(meter),
        used=reading.used / scale,
        limit=meter.limit / scale,
    )


def _period(meter: Meter) -> str:
    match meter.window:
        case Calendar() as window:
            return window.per.value
        case Rolling() as window:
            return f"{window.width * window.count}s"
        case _:
            return ""
