"""Where events become durable: one thread writes, everybody else waits for it without blocking the event loop.

Events that arrive while a commit is under way share the next one (group commit), so that the price of durability is
paid once for all who wait. The queue is bounded: who appends faster than the disk can take waits for room.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping
from queue import Empty, SimpleQueue
from types import MappingProxyType
from typing import NamedTuple

from agent.audit.ocsf import OcsfMapper
from agent.audit.retention import Limits
from agent.audit.store import open_for_writing
from agent.audit.writer import Clock, Writer
from agent.errors import AuditError
from agent.host.paths import StatePaths
from agent.model.device import Device
from agent.model.record import AuditEvent

log = logging.getLogger(__name__)

CAPACITY = 4096  # events that may wait for the writer
_BATCH = 256  # events of one commit
_HEAD_SECONDS = 1.0
_RETENTION_SECONDS = 300.0
_NO_NAMES: Mapping[str, str] = MappingProxyType({})


class _Pending(NamedTuple):
    event: AuditEvent
    done: asyncio.Future[None]


class Spool:
    """The audit trail's way in. Built without input or output; `open` takes the store, `close` gives it back.

    `providers` gives the GenAI provider name of a surface id; an unknown surface is its own provider. All methods are
    for one event loop, the one that runs `open`.
    """

    def __init__(
        self,
        paths: StatePaths,
        *,
        device: Device,
        providers: Mapping[str, str] = _NO_NAMES,
        limits: Limits | None = None,
        clock: Clock = time.time,
        known: Clock | None = None,
    ) -> None:
        """`known` says how old events are, where the clock, which anybody may set, does not."""
        self._paths = paths
        self._device = device
        self._mapper = OcsfMapper(device, providers)
        self._limits = limits or Limits()
        self._clock = clock
        self._known = known or clock
        self._queue: SimpleQueue[_Pending | None] = SimpleQueue()
        self._room = asyncio.Event()
        self._accepting = False
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._count = 0
        self.trouble = ""
        """Why the last events could not be recorded; empty where they were."""

    @property
    def count(self) -> int:
        """How many events the store holds."""
        return self._count

    @property
    def limit(self) -> int:
        """How many bytes the store may have."""
        return self._limits.max_bytes

    @property
    def waiting(self) -> int:
        """How many events wait for the writer."""
        return self._queue.qsize()

    async def open(self) -> None:
        """Open the store, go on with its chain, start the writer. Raises AuditError, also for a second writer."""
        if self._thread is not None:
            raise AuditError("the audit trail is already open")
        loop = self._loop = asyncio.get_running_loop()
        opened: asyncio.Future[None] = loop.create_future()
        self._thread = threading.Thread(target=self._run, args=(opened,), name="audit-writer", daemon=True)
        self._thread.start()
        try:
            await opened
        except AuditError:
            self._thread = None
            raise
        self._accepting = True

    async def append(self, event: AuditEvent) -> None:
        """Record `event`; returns when it is on the disk. A caller that gives up waiting does not recall it.

        Raises AuditError where it could not be recorded.
        """
        while self._queue.qsize() >= CAPACITY and self._accepting:
            self._room.clear()
            await self._room.wait()
        if not self._accepting or self._loop is None:
            raise AuditError("the audit trail is not open", hint="The agent is starting or stopping.")
        done: asyncio.Future[None] = self._loop.create_future()
        self._queue.put(_Pending(event, done))
        await done

    async def close(self) -> None:
        """Write what is waiting and let go of the store. Safe to call twice, and without `open`."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._accepting = False
        self._room.set()
        self._queue.put(None)
        await asyncio.to_thread(thread.join)

    # The rest runs in the writer's thread.

    def _run(self, opened: asyncio.Future[None]) -> None:
        try:
            with open_for_writing(self._paths, device_id=self._device.id) as store:
                writer = Writer(store, self._mapper, self._paths, self._limits, self._clock, self._known)
                self._count = writer.count
                self._tell(_conclude, opened, None)
                self._serve(writer)
        except AuditError as error:
            self._tell(self._abandon, opened, error)
        except Exception as error:
            log.exception("the audit writer ended")
            self._tell(self._abandon, opened, AuditError(f"the audit writer ended: {type(error).__name__}"))

    def _serve(self, writer: Writer) -> None:
        head_due = retention_due = time.monotonic()
        stopping = False
        while not stopping:
            now = time.monotonic()
            due = min(retention_due, head_due) if writer.head_is_old else retention_due
            batch, stopping = self._next_batch(max(0.0, due - now))
            if batch:
                self._write(writer, batch)
            now = time.monotonic()
            if writer.head_is_old and now >= head_due:
                _tend(writer.sync_head)
                head_due = now + _HEAD_SECONDS
            if now >= retention_due:
                more = _tend(writer.retain)
                self._count = writer.count
                retention_due = now if more else now + _RETENTION_SECONDS
            _tend(writer.checkpoint)
        _tend(writer.sync_head)

    def _next_batch(self, seconds: float) -> tuple[list[_Pending], bool]:
        """What waits, after at most `seconds`; and whether the spool is being closed."""
        batch: list[_Pending] = []
        try:
            pending = self._queue.get(timeout=seconds)
            while pending is not None:
                batch.append(pending)
                if len(batch) == _BATCH:
                    return batch, False
                pending = self._queue.get_nowait()
        except Empty:
            return batch, False
        return batch, True

    def _write(self, writer: Writer, batch: list[_Pending]) -> None:
        try:
            outcomes = writer.write([pending.event for pending in batch])
        except AuditError as error:
            outcomes = [error] * len(batch)
        except Exception as error:  # a bug must not leave anybody waiting for ever
            log.exception("the audit writer failed")
            outcomes = [AuditError(f"the audit writer failed: {type(error).__name__}")] * len(batch)
        self._count = writer.count
        self._tell(self._settle, batch, outcomes)

    def _tell[*Args](self, what: Callable[[*Args], object], *args: *Args) -> None:
        """Run `what` on the event loop, if that still runs."""
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(what, *args)
        except RuntimeError:
            log.warning("the event loop ended before the audit writer")

    # On the event loop again.

    def _abandon(self, opened: asyncio.Future[None], error: AuditError) -> None:
        """The writer is gone: nobody may wait for it."""
        self._accepting = False
        self.trouble = str(error)
        _conclude(opened, error)
        left: list[_Pending] = []
        while not self._queue.empty():
            if (pending := self._queue.get_nowait()) is not None:
                left.append(pending)
        self._settle(left, [error] * len(left))

    def _settle(self, batch: list[_Pending], outcomes: list[AuditError | None]) -> None:
        self._room.set()
        if outcomes:
            self.trouble = next((str(error) for error in outcomes if error is not None), "")
        for pending, error in zip(batch, outcomes, strict=True):
            _conclude(pending.done, error)


def _conclude(done: asyncio.Future[None], error: AuditError | None) -> None:
    if done.done():
        return  # who waited for it gave up
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)


def _tend[Result](chore: Callable[[], Result]) -> Result | None:
    """A chore that failed is logged and tried again later: recording goes on."""
    try:
        return chore()
    except AuditError as error:
        log.warning("%s (%s)", error, error.hint())
    except Exception:
        log.exception("a chore of the audit writer failed")
    return None
