"""Has files read: at once where that needs no parser, else in one process of its own, which is started when it is first
needed, ended when it hangs, dies or grows, and ended when nobody has needed it for a while.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psutil

from agent.errors import HostError
from agent.extraction.budget import Limits
from agent.extraction.frames import Broken, read_answer, write_question
from agent.host.run import Servant
from agent.model.reading import Problem, Reading

log = logging.getLogger(__name__)

WORKER = ("extraction-worker",)
_START_SECONDS = 10.0  # that a process may take to start, beside what a file may take
_WATCH_SECONDS = 0.25
_IDLE_SECONDS = 60.0
_WAITING_SECONDS = 30.0  # for one's turn
_MANY = 500  # files, after which the process is replaced: whatever it has leaked goes with it

type Start = Callable[[], Servant]


class Extractor:
    """Reads one file after the other. `read` never raises, but when it is cancelled."""

    def __init__(
        self,
        *,
        start: Start = lambda: Servant(WORKER),
        idle: float = _IDLE_SECONDS,
        waiting: float = _WAITING_SECONDS,
    ) -> None:
        """Nothing is started before it is needed. `start` makes the process, `idle` and `waiting` are seconds."""
        self._start = start
        self._idle = idle
        self._waiting = waiting
        self._turn = asyncio.Lock()
        self._pipes = ThreadPoolExecutor(max_workers=1, thread_name_prefix="extract")
        self._servant: Servant | None = None
        self._served = 0
        self._end: asyncio.TimerHandle | None = None

    @property
    def pid(self) -> int | None:
        """The process that reads, while there is one."""
        return self._servant.pid if self._servant is not None else None

    async def read(self, data: bytes, *, name: str, declared: str, limits: Limits) -> Reading:
        """What a file that needs a parser is and says; whatever goes wrong is a `problem` of the reading."""
        try:
            async with asyncio.timeout(self._waiting):
                await self._turn.acquire()
        except TimeoutError:
            return Reading(type="", problem=Problem.BUSY)
        try:
            return await self._read(data, name, declared, limits)
        finally:
            self._turn.release()

    async def _read(self, data: bytes, name: str, declared: str, limits: Limits) -> Reading:
        if self._end is not None:
            self._end.cancel()
        began = time.monotonic()
        loop = asyncio.get_running_loop()
        asking = loop.run_in_executor(self._pipes, self._ask, data, name, declared, limits)
        try:
            while True:
                done, _ = await asyncio.wait({asking}, timeout=_WATCH_SECONDS)
                if done:
                    reading = asking.result()
                    self._end = loop.call_later(self._idle, self._retire)
                    return reading
                if time.monotonic() - began > limits.seconds + _START_SECONDS:
                    return await self._ended(asking, Problem.TIMEOUT)
                if await asyncio.to_thread(self._outgrown, limits):
                    return await self._ended(asking, Problem.MEMORY)
        except asyncio.CancelledError:  # the client left
            self._kill()
            raise

    async def _ended(self, asking: asyncio.Future[Reading], problem: Problem) -> Reading:
        log.warning("the process that reads files was ended: %s", problem)
        self._kill()
        await asyncio.wait({asking})
        return Reading(type="", problem=problem)

    def _ask(self, data: bytes, name: str, declared: str, limits: Limits) -> Reading:
        """In the thread of the pipes."""
        try:
            servant = self._running()
            write_question(servant.asks, data, name=name, declared=declared, limits=limits)
            reading = read_answer(servant.answers, limits)
        except (Broken, OSError, HostError, ValueError) as error:
            log.warning("a file could not be read: %s", type(error).__name__)
            self._let_go()
            return Reading(type="", problem=Problem.CRASHED)
        self._served += 1
        if reading.problem is Problem.MEMORY or self._served >= _MANY:
            self._let_go()
        return reading

    def _running(self) -> Servant:
        if self._servant is not None and self._servant.code is not None:
            self._let_go()
        if self._servant is None:
            self._servant = self._start()
            self._served = 0
        return self._servant

    def _let_go(self) -> None:
        servant, self._servant = self._servant, None
        if servant is not None:
            servant.close()

    def _outgrown(self, limits: Limits) -> bool:
        servant = self._servant
        if servant is None:
            return False
        try:
            return psutil.Process(servant.pid).memory_info().rss > limits.memory
        except psutil.Error:
            return False

    def _kill(self) -> None:
        """End the process; whoever waits for its answer in the thread is told by the end of the pipe."""
        if (servant := self._servant) is not None:
            servant.kill()

    def _retire(self) -> None:
        """Nobody has needed it for a while."""
        if not self._turn.locked():
            self._pipes.submit(self._let_go)

    def close(self) -> None:
        """End the process."""
        if self._end is not None:
            self._end.cancel()
        self._kill()
        self._pipes.shutdown(wait=False)
        threading.Thread(target=self._let_go, name="extract-end").start()
