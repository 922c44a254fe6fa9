"""The engine's side of its supervisor: tells once a second that it lives, and does what it is told."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress

import psutil

from agent.assembly import Assembly
from agent.host.beats import REPLACE, Beat
from agent.host.offspring import Parent
from agent.host.tasks import TaskGroup
from agent.model.record import IncidentKind

log = logging.getLogger(__name__)

_PERIOD = 1.0  # seconds between beats
_MEASURED = 5.0  # seconds between measurements; what they are for takes longer, and each wakes a thread
_REMEMBERED = 3600.0


class Supervision:
    """Begins with the process: a start that takes long is not taken for a dead one, and a parent that dies meanwhile
    is missed."""

    def __init__(self, parent: Parent, stop: Callable[[], None]) -> None:
        """`stop` begins an orderly stop. Needs the running loop."""
        self._stop = stop
        self._reload: Callable[[], None] | None = None
        self._shared: Assembly | None = None
        self._deaths = (0, 0.0)  # how often an engine ended unexpectedly, and when we heard of it
        self._changed = asyncio.Event()
        self.guarding = asyncio.Event()
        """Set once the supervisor has heard that we serve: its stand-in takes no client any more."""
        self._tasks = TaskGroup("supervision")
        self._parent = parent
        parent.listen(self._obey, self._orphaned)
        self._tasks.spawn(self._beat(), name="beat")

    @property
    def deaths(self) -> int:
        """How often an engine ended unexpectedly within the hour before this one began, for an hour."""
        count, heard = self._deaths
        return count if time.monotonic() - heard < _REMEMBERED else 0

    def serves(self, shared: Assembly, reload: Callable[[], None]) -> None:
        """The engine is ready."""
        self._shared, self._reload = shared, reload
        self._changed.set()

    def ask_for_another(self) -> None:
        """Have a new engine take over; clients wait meanwhile."""
        self._parent.say(REPLACE)

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        memory, cpu, due = 0, 0.0, loop.time()
        while True:
            self._changed.clear()
            if loop.time() >= due:
                due = loop.time() + _MEASURED
                with suppress(
                    OSError, psutil.Error
                ):  # no descriptors left, say: that it lives is still to be told
                    memory, cpu = await loop.run_in_executor(None, self._measured)
            server = self._shared.server if self._shared is not None else None
            active = server.active if server is not None else 0
            beat = Beat(ready=self._shared is not None, memory=memory, cpu=cpu, active=active)
            self._parent.say(beat.line())
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), _PERIOD)

    @staticmethod
    def _measured() -> tuple[int, float]:
        """Resident memory (bytes) and CPU seconds. Blocks."""
        process = psutil.Process()
        times = process.cpu_times()
        return process.memory_info().rss, times.user + times.system

    def _obey(self, order: str) -> None:
        match order.split():
            case ["stop"]:
                self._stop()
            case ["guarding"]:
                self.guarding.set()
            case ["reload"] if self._reload is not None:
                self._reload()
            case ["deaths", count] if count.isdigit():
                self._deaths = (int(count), time.monotonic())
            case ["away", passed, refused] if self._shared is not None:
                self._tasks.spawn(self._note_absence(self._shared, passed, refused), name="absence")
            case _:
                log.warning("an order of the supervisor's is unknown")

    async def _note_absence(self, shared: Assembly, passed: str, refused: str) -> None:
        await shared.note(
            IncidentKind.BYPASS,
            f"while no engine ran, {passed} connections passed unseen and {refused} were refused",
            (("passed", passed), ("refused", refused)),
        )

    def _orphaned(self) -> None:
        log.error("the supervisor is gone: stopping")
        self._stop()
