"""Keeps a streamed answer alive while its text is held back: what rests is released, and the client hears from us.

The stream's owner does its steps inside `step()`; a timer, which runs only while something is held, looks whether the
upstream has fallen silent. It owns no inspection: it is told what to call.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from agent.gateway.wire import ClientGone
from agent.host.tasks import TaskGroup

REST = 0.2
"""Seconds without a chunk after which what is held is looked at again."""
HEARTBEAT = 10.0
"""Seconds without a byte to a client that waits for held text, after which a comment goes out."""
COMMENT = b": keep-alive\n\n"
"""An SSE comment, which clients ignore (WHATWG HTML, section 9.2.6)."""

_LATE = (
    0.05  # seconds; a timer that is later than that says that we are slow, not that the upstream is silent
)


class Pacing:
    """One answer's pace. `rest` gives what may go out though the upstream is silent; `holding` tells whether anything
    waits; `write` sends. `comment` tells a client that waits that we are there; empty where its format has none."""

    def __init__(
        self,
        *,
        rest: Callable[[], bytes],
        holding: Callable[[], bool],
        write: Callable[[bytes], Awaitable[None]],
        clock: Callable[[], float],
        comment: bytes = COMMENT,
        rest_after: float = REST,
        heartbeat_after: float = HEARTBEAT,
    ) -> None:
        self._rest = rest
        self._holding = holding
        self._write = write
        self._clock = clock
        self._comment = comment
        self._rest_after = rest_after
        self._heartbeat_after = heartbeat_after
        self._stepping = False  # what a step let go is being sent
        self._looking: asyncio.Task[object] | None = None
        self._heard = self._spoke = clock()
        self._rested = True
        self._gone: ClientGone | None = None
        self._tasks = TaskGroup("pacing")
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._due_at = 0.0
        self._excused = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch the stream for as long as this context lasts. Raises ClientGone at its end."""
        try:
            try:
                yield
            except Exception:
                await self._at_rest()
                raise
            await self._at_rest()
        finally:
            if self._timer is not None:
                self._timer.cancel()
            if self._tasks:
                await self._tasks.cancel()
        if self._gone is not None:
            raise self._gone

    async def _at_rest(self) -> None:
        """Wait for what a look is sending: it has left the inspection, and would be lost."""
        while self._looking is not None:
            await asyncio.wait({self._looking})

    async def step(self, step: Callable[[], bytes]) -> None:
        """A chunk has come: take `step` and send what it lets go, undisturbed."""
        if self._looking is not None:
            await self._at_rest()
        self._heard = self._clock()
        self._rested = self._excused = False
        if ready := step():
            self._stepping = True
            try:
                await self._write(ready)
            finally:
                self._stepping = False
            self._spoke = self._clock()
        if self._timer is None:
            self._watch()

    def _watch(self) -> None:
        """Look again when there may be something to do, as long as anything is held."""
        if self._timer is not None or self._gone is not None or not self._holding():
            return
        self._due_at = self._next()
        self._timer = self._loop.call_later(self._due_at - self._clock(), self._due)

    def _next(self) -> float:
        """When what is held has rested, or the client is to hear from us."""
        speak = self._spoke + self._heartbeat_after
        return speak if self._rested else min(speak, self._heard + self._rest_after)

    def _due(self) -> None:
        self._timer = None
        if self._stepping:  # the client reads slowly; the step's end watches again
            return
        now = self._clock()
        if self._next() <= now and self._holding() and (self._excused or now - self._due_at <= _LATE):
            self._tasks.spawn(self._look(), name="look")
            return
        if self._next() <= now:  # what came meanwhile may not have been read yet: once
            self._excused = True
            self._heard = now - self._rest_after + _LATE
        self._watch()

    async def _look(self) -> None:
        if self._stepping:  # a chunk came first
            return
        self._looking = asyncio.current_task()
        try:
            now = self._clock()
            if not self._rested and now - self._heard >= self._rest_after:
                self._rested = True
                if self._holding():
                    await self._send(self._rest())
            if self._clock() - self._spoke >= self._heartbeat_after and self._holding():
                await self._send(self._comment)
                self._spoke = self._clock()  # also where the format has no comments
        except ClientGone as gone:
            self._gone = gone
        finally:
            self._looking = None
        self._watch()

    async def _send(self, data: bytes) -> None:
        if data:
            await self._write(data)
            self._spoke = self._clock()
