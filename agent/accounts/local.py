"""The store of one machine: counters in memory decide, a journal on the disk remembers.

What is in memory is authoritative while the process runs, so that a reservation waits for nothing. The journal has what
was settled before the answer's last byte, and what is reserved a few milliseconds after the reservation.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from pathlib import Path

from agent.accounts.journal import Clock, Journal
from agent.accounts.meters import NOTHING, Amounts, Meter
from agent.accounts.store import Answer, Hold, Use
from agent.accounts.tally import NO_CLAIMS, Reading, Refusal, Tally


class LocalStore:
    """See `AccountStore`. `path` is the database's; its folder is made."""

    def __init__(self, path: Path, *, clock: Clock = time.time) -> None:
        self._journal = Journal(path, clock)
        self._tally = Tally()
        self._open: dict[int, Hold] = {}
        self._next = secrets.randbits(62)

    async def open(self) -> str:
        """See `AccountStore`."""
        self._tally = Tally(await self._journal.open())
        return self._journal.damaged

    async def close(self) -> None:
        """See `AccountStore`."""
        await self._journal.close()

    async def reachable(self) -> bool:
        """See `AccountStore`."""
        return True

    async def reserve(
        self,
        meters: Sequence[Meter],
        amounts: Amounts,
        now: float,
        *,
        worst: Use | None = None,
        instead: Hold | None = None,
    ) -> Answer:
        """See `AccountStore`."""
        if instead is not None and instead.id not in self._open:
            instead = None
        claims = self._tally.reserve(meters, amounts, now, instead=instead.claims if instead else NO_CLAIMS)
        if isinstance(claims, Refusal):
            return claims
        if instead is not None:
            del self._open[instead.id]
            self._journal.closed(instead.id)
        self._next += 1
        hold = Hold(id=self._next, claims=claims)
        self._open[hold.id] = hold
        self._journal.opened(hold.id, claims, worst)
        return hold

    async def settle(self, hold: Hold, used: Amounts, use: Use | None) -> None:
        """See `AccountStore`."""
        # everything before the first await: who is cancelled while waiting has settled all the same
        if self._open.pop(hold.id, None) is None:
            return
        self._tally.settle(hold.claims, used)
        batch = self._journal.settled(hold.id)
        batch.charge(hold.claims, used)
        if use is not None:
            batch.note(use)
        await self._journal.durable()

    async def release(self, hold: Hold) -> None:
        """See `AccountStore`."""
        if self._open.pop(hold.id, None) is not None:
            self._tally.settle(hold.claims, NOTHING)
            self._journal.closed(hold.id)

    async def read(self, meters: Sequence[Meter], now: float) -> Sequence[Reading]:
        """See `AccountStore`."""
        return [self._tally.read(meter, now) for meter in meters]

    async def history(self, key: str, since_day: int) -> Sequence[Use]:
        """See `AccountStore`."""
        return await self._journal.history(key, since_day)
