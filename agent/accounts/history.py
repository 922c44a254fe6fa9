"""Usage for reports, kept in a database beside the counters: gathered here, written in batches, never waited for.

What a key used on a day of a model is one row that grows. A database that is away costs nothing but memory, and of that
a bounded amount: what comes beyond is dropped and counted. Budgets do not depend on it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from agent.accounts.meters import Amounts, Meter
from agent.accounts.store import AccountStore, Answer, Hold, Use
from agent.accounts.tally import Reading
from agent.errors import DrawbridgeError, UpstreamError
from agent.host.tasks import TaskGroup

log = logging.getLogger(__name__)

MOST_ROWS = 10_000  # that wait: a row is a key, a day and a model
BATCH_ROWS = 500
FLUSH_SECONDS = 2.0
LONGEST_PAUSE = 60.0  # seconds between tries while the database is away
LAST_SECONDS = 5.0  # for what is left at the end

type _Row = tuple[str, int, str]


class UsageDatabase(Protocol):
    """A database of usage. Every method blocks, and raises UpstreamError; one at a time is called."""

    def write(self, number: int, uses: Sequence[Use]) -> None:
        """Add `uses` to what is known, all or none. A batch whose `number` was written before is not written again."""
        ...

    def read(self, key: str, since_day: int) -> Sequence[Use]:
        """What a key used from a day on, oldest first."""
        ...

    def close(self) -> None:
        """Let go. Never raises."""
        ...


class History:
    """The way to a database. For one event loop."""

    def __init__(
        self, database: UsageDatabase, *, flush_seconds: float = FLUSH_SECONDS, most_rows: int = MOST_ROWS
    ) -> None:
        self._database = database
        self._flush_seconds = flush_seconds
        self._most_rows = most_rows
        self._rows: dict[_Row, Use] = {}
        self._batch: Sequence[Use] = ()  # under way, or to be written again under the same number
        self._number = 1
        self._pause = flush_seconds
        self._lock = asyncio.Lock()  # of the database
        self._tasks = TaskGroup("history")
        self.dropped = 0  # uses that found no room

    @property
    def waiting(self) -> int:
        """Rows that are not in the database yet."""
        return len(self._rows) + len(self._batch)

    def start(self) -> None:
        """Write from now on."""
        self._tasks.spawn(self._write_for_ever(), name="write")

    async def close(self) -> None:
        """Write what is left, within bounds, and let go. Safe to call twice."""
        await self._tasks.cancel()
        with suppress(TimeoutError, DrawbridgeError):
            async with asyncio.timeout(LAST_SECONDS):
                while self.waiting:
                    await self.flush()
        if self.waiting:
            log.warning("%d rows of usage were not written to the history", self.waiting)
            self._rows.clear()
            self._batch = ()
        await asyncio.to_thread(self._database.close)

    def note(self, use: Use) -> None:
        """Something was used. Never waits, never raises."""
        row = (use.key, use.day, use.model)
        known = self._rows.get(row)
        if known is not None:
            self._rows[row] = _sum(known, use)
        elif len(self._rows) < self._most_rows:
            self._rows[row] = use
        else:
            if not self.dropped:
                log.error("the history of usage is full: usage is dropped until its database is back")
            self.dropped += 1

    async def read(self, key: str, since_day: int) -> Sequence[Use]:
        """What a key used from a day on, oldest first. Raises UpstreamError."""
        async with self._lock:
            return await asyncio.to_thread(self._database.read, key, since_day)

    async def flush(self) -> None:
        """Write one batch. Raises UpstreamError; nothing is lost then."""
        async with self._lock:
            if not self._batch:
                taken = list(self._rows)[:BATCH_ROWS]
                self._batch = [self._rows.pop(row) for row in taken]
            if self._batch:
                await asyncio.to_thread(self._database.write, self._number, self._batch)
                self._batch = ()
                self._number += 1

    async def _write_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._pause)
            try:
                while self.waiting:
                    await self.flush()
            except UpstreamError as error:
                if self._pause == self._flush_seconds:
                    log.warning("the history of usage waits: %s", error)
                self._pause = min(2 * self._pause, LONGEST_PAUSE)
            else:
                if self._pause != self._flush_seconds:
                    log.warning("the history of usage is written again")
                self._pause = self._flush_seconds


class HistoryStore:
    """An `AccountStore` whose usage goes into a history, too, and whose history is read from there."""

    def __init__(self, store: AccountStore, history: History) -> None:
        self._store = store
        self._history = history

    @property
    def kept(self) -> History:
        """The history, for who wants to know how it is."""
        return self._history

    async def open(self) -> str:
        """See `AccountStore`."""
        damaged = await self._store.open()
        self._history.start()
        return damaged

    async def close(self) -> None:
        """See `AccountStore`."""
        await self._store.close()
        await self._history.close()

    async def reachable(self) -> bool:
        """See `AccountStore`. Traffic does not wait for the history."""
        return await self._store.reachable()

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
        return await self._store.reserve(meters, amounts, now, worst=worst, instead=instead)

    async def settle(self, hold: Hold, used: Amounts, use: Use | None) -> None:
        """See `AccountStore`."""
        if use is not None:
            self._history.note(use)
        await self._store.settle(hold, used, use)

    async def release(self, hold: Hold) -> None:
        """See `AccountStore`."""
        await self._store.release(hold)

    async def read(self, meters: Sequence[Meter], now: float) -> Sequence[Reading]:
        """See `AccountStore`."""
        return await self._store.read(meters, now)

    async def history(self, key: str, since_day: int) -> Sequence[Use]:
        """See `AccountStore`. While the database is away, what the store knows itself."""
        try:
            return await self._history.read(key, since_day)
        except UpstreamError as error:
            log.warning("the history of usage is read from the counters' store: %s", error)
            return await self._store.history(key, since_day)


def _sum(one: Use, other: Use) -> Use:
    figures = (mine + theirs for mine, theirs in zip(one[3:], other[3:], strict=True))
    return Use(one.key, one.day, one.model, *figures)
