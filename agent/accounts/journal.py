"""Where usage becomes durable: one thread writes batches to SQLite, the event loop goes on.

Changes that arrive while a batch is being written share the next one, and add up in it: fifty requests on the same
meters are as many rows as one (the pattern of the audit trail's spool, ADR 1). Who settles waits for the commit; who
opens does not, and a reservation that is settled before its batch goes never reaches the disk.

Where the disk fails, traffic goes on: the batch stays, is tried again, and that is logged.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

from agent.accounts.counter import Slots
from agent.accounts.ledgerfile import Batch, LedgerFile, open_ledger
from agent.accounts.store import Use
from agent.accounts.tally import Claims
from agent.errors import HostError

log = logging.getLogger(__name__)

OPEN_SECONDS = 0.01
"""How long a reservation, or one that came to nothing, waits for its batch, since nobody waits for it; a killed process
forgets it until then."""
_RETRY_SECONDS = 1.0

type Clock = Callable[[], float]


class Journal:
    """The way to the disk. All methods are for one event loop, the one that runs `open`."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._queue: SimpleQueue[Callable[[LedgerFile], None] | None] = SimpleQueue()
        self._batch = Batch()
        self._waiters: list[asyncio.Future[None]] = []
        self._busy = False  # a batch is with the thread
        self._timer: asyncio.Handle | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.damaged = ""
        """The name under which a file that could not be read is kept."""

    async def open(self) -> dict[str, Slots]:
        """What is written down, after what was open when the process died has been charged. Raises HostError."""
        loop = self._loop = asyncio.get_running_loop()
        opened: asyncio.Future[dict[str, Slots]] = loop.create_future()
        self._thread = threading.Thread(
            target=self._run, args=(opened,), name="accounts-journal", daemon=True
        )
        self._thread.start()
        try:
            return await opened
        except HostError:
            self._thread = None
            raise

    def opened(self, hold: int, claims: Claims, worst: Use | None) -> None:
        """A reservation was made."""
        self._batch.opened[hold] = (claims, worst)
        self._hand_over_later()

    def closed(self, hold: int) -> None:
        """Nothing came of a reservation."""
        self._batch.close(hold)
        self._hand_over_later()

    def settled(self, hold: int) -> Batch:
        """A reservation ends; its use is to be put into the batch that is returned, at once."""
        self._batch.close(hold)
        return self._batch

    def durable(self) -> asyncio.Future[None]:
        """Done when everything up to now is on the disk, or the disk has failed. A caller may give up waiting."""
        loop = self._loop
        assert loop is not None
        done: asyncio.Future[None] = loop.create_future()
        if self._thread is None:
            done.set_result(None)
            return done
        self._waiters.append(done)
        if not self._busy and len(self._waiters) == 1:
            # at the end of this turn of the loop: others may settle in the same one
            if self._timer is not None:
                self._timer.cancel()
            self._timer = loop.call_soon(self._hand_over)
        return done

    async def history(self, key: str, since_day: int) -> list[Use]:
        """What is written down of a key. Raises HostError."""
        if self._thread is None or self._loop is None:
            return []
        await self.durable()
        found: asyncio.Future[list[Use]] = self._loop.create_future()

        def look(file: LedgerFile) -> None:
            try:
                self._tell(_conclude, found, file.history(key, since_day))
            except HostError as error:
                self._tell(_fail, found, error)

        self._queue.put(look)
        return await found

    async def close(self) -> None:
        """Write what is waiting and let go of the file."""
        thread = self._thread
        if thread is None:
            return
        await self.durable()
        self._thread = None
        if self._timer is not None:
            self._timer.cancel()
        self._queue.put(None)
        await asyncio.to_thread(thread.join)

    # On the event loop.

    def _hand_over_later(self) -> None:
        if not self._busy and self._timer is None and self._thread is not None and self._loop is not None:
            self._timer = self._loop.call_later(OPEN_SECONDS, self._hand_over)

    def _hand_over(self) -> None:
        self._timer = None
        if self._busy:
            return
        batch, self._batch = self._batch, Batch()
        waiters, self._waiters = self._waiters, []
        self._busy = True

        def write(file: LedgerFile) -> None:
            error: str = ""
            try:
                file.write(batch)
            except HostError as failure:
                error = str(failure)
            except Exception as failure:  # a bug must not leave anybody waiting for ever
                log.exception("the accounts' journal failed")
                error = type(failure).__name__
            self._tell(self._written, batch, waiters, error)

        self._queue.put(write)

    def _written(self, batch: Batch, waiters: list[asyncio.Future[None]], error: str) -> None:
        self._busy = False
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
        assert self._loop is not None
        if error:
            log.warning("%s: what was spent is kept in memory and written later", error)
            batch.absorb(self._batch)
            self._batch = batch
            self._timer = self._loop.call_later(_RETRY_SECONDS, self._hand_over)
        elif self._waiters:
            self._hand_over()
        elif not self._batch.empty:
            self._timer = self._loop.call_later(OPEN_SECONDS, self._hand_over)

    # In the thread.

    def _run(self, opened: asyncio.Future[dict[str, Slots]]) -> None:
        try:
            with open_ledger(self._path, self._clock()) as file:
                self.damaged = file.damaged
                self._tell(_conclude, opened, file.slots())
                while (job := self._queue.get()) is not None:
                    job(file)
                    file.tend(self._clock())
        except HostError as error:
            self._tell(_fail, opened, error)

    def _tell[*Args](self, what: Callable[[*Args], object], *args: *Args) -> None:
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(what, *args)
        except RuntimeError:
            log.warning("the event loop ended before the accounts' journal")


def _conclude[T](future: asyncio.Future[T], result: T) -> None:
    if not future.done():
        future.set_result(result)


def _fail[T](future: asyncio.Future[T], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
