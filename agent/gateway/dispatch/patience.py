"""Waiting for a stream's next piece, but not for ever. Its timer is moved only when it fires: pieces are many, stalls
few."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator


class Stalled(Exception):
    """Nothing came in time."""


class Patience:
    """Of one reader. Time in which nobody waits does not count: a slow client is not the provider's silence."""

    __slots__ = ("_before", "_deadline", "_expired", "_loop", "_seconds", "_task", "_timer")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[object] | None = None  # that waits
        self._deadline = 0.0
        self._before = 0  # cancellations of that task before ours
        self._expired = False

    async def next(self, pieces: AsyncIterator[bytes]) -> bytes:
        """The next piece. Raises Stalled, besides what `pieces` raises."""
        self._task = task = asyncio.current_task()
        assert task is not None
        self._deadline = deadline = self._loop.time() + self._seconds
        self._before = task.cancelling()
        if self._timer is None:
            self._timer = self._loop.call_at(deadline, self._check)
        try:
            return await anext(pieces)
        except asyncio.CancelledError as error:
            if self._expired and task.uncancel() <= self._before:
                raise Stalled from error
            raise
        finally:
            self._task = None

    def close(self) -> None:
        """No more waiting."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self) -> None:
        self._timer = None
        if self._task is None:
            return
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._check)
            return
        self._expired = True
        self._task.cancel()
