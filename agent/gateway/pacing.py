"""Keeps a streamed answer alive while its text is held back: what rests is released, and the client hears from us.

The stream's owner does its steps inside `turn()`; in between, a task of this module looks whether the upstream has
fallen silent. It owns no inspection: it is told what to call.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from agent.gateway.wire import ClientGone
from agent.host.tasks import TaskGroup

REST = 0.2
"""Seconds without a chunk after which what is held is looked at again; with the tick below it is 0.25 at most."""
HEARTBEAT = 10.0
"""Seconds without a byte to a client that waits for held text, after which a comment goes out."""
COMMENT = b": keep-alive\n\n"
"""An SSE comment, which clients ignore (WHATWG HTML, section 9.2.6)."""

_TICK = 0.05


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
        self._turn = asyncio.Lock()
        self._heard = self._spoke = clock()
        self._rested = True
        self._gone: ClientGone | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch the stream for as long as this context lasts. Raises ClientGone at its end."""
        tasks = TaskGroup("pacing")
        tasks.spawn(self._watch(), name="watch")
        try:
            try:
                yield
            except Exception:
                await self._at_rest()
                raise
            await self._at_rest()
        finally:
            await tasks.cancel()
        if self._gone is not None:
            raise self._gone

    async def _at_rest(self) -> None:
        """Wait for what is being sent: it has left the inspection, and would be lost."""
        async with self._turn:
            pass

    async def step(self, step: Callable[[], bytes]) -> None:
        """A chunk has come: take `step` and send what it lets go, undisturbed."""
        async with self._turn:
            self._heard = self._clock()
            self._rested = False
            await self._send(step())

    async def _watch(self) -> None:
        try:
            while True:
                await asyncio.sleep(_TICK)
                await self._look()
        except ClientGone as gone:
            self._gone = gone

    async def _look(self) -> None:
        now = self._clock()
        rests = not self._rested and now - self._heard >= self._rest_after
        if not rests and now - self._spoke < self._heartbeat_after:
            return
        async with self._turn:
            if rests and now >= self._heard:
                self._rested = True
                if self._holding():
                    await self._send(self._rest())
            if self._clock() - self._spoke >= self._heartbeat_after and self._holding():
                await self._send(self._comment)

    async def _send(self, data: bytes) -> None:
        if data:
            await self._write(data)
            self._spoke = self._clock()
