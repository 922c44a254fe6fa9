"""Waiting, but not for ever: for a stream's first content, and then for each piece."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

from agent.gateway.transport.base import FailureKind, TransportError


class Stalled(Exception):
    """Nothing came in time."""


class Deadline:
    """A block that may take so long. As `asyncio.timeout`, at a third of its cost: every stream passes through one."""

    __slots__ = ("_before", "_expired", "_seconds", "_task", "_timer")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._expired = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._before = task.cancelling()
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._expire)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raises Stalled where the block was ended because of the time."""
        self._timer.cancel()
        if self._expired and self._task.uncancel() <= self._before and kind is asyncio.CancelledError:
            raise Stalled from error

    def _expire(self) -> None:
        self._expired = True
        self._task.cancel()


class Patience:
    """Of one reader of a stream. Its timer is moved only when it fires: pieces are many, stalls few. Time in which
    nobody waits does not count: a slow client is not the provider's silence."""

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


class Patiently:
    """The pieces of an answer, none of which may take longer than so many seconds. Raises TransportError."""

    __slots__ = ("_patience", "_pieces")

    def __init__(self, pieces: AsyncIterator[bytes], seconds: float) -> None:
        self._pieces = pieces
        self._patience = Patience(seconds)

    def __aiter__(self) -> Self:
        """The pieces."""
        return self

    async def __anext__(self) -> bytes:
        """The next piece."""
        try:
            return await self._patience.next(self._pieces)
        except Stalled:
            self._patience.close()
            raise silent() from None
        except BaseException:
            self._patience.close()
            raise


def silent() -> TransportError:
    """The failure of a provider that says nothing for too long."""
    return TransportError(FailureKind.TIMEOUT, "the provider fell silent", sent=True)
