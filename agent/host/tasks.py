"""Background tasks: named, referenced until done, and loud when they crash. The one place that creates tasks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger(__name__)


class TaskGroup:
    """The tasks of one owner. `cancel()` ends them all and waits until they are gone."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def spawn[T](self, coroutine: Coroutine[object, object, T], *, name: str) -> asyncio.Task[T]:
        """Start `coroutine`; an exception it ends with is logged, without content, and kept in the task."""
        return self._kept(asyncio.create_task(coroutine, name=f"{self._name}/{name}"))

    def begin[T](self, coroutine: Coroutine[object, object, T], *, name: str) -> asyncio.Task[T]:
        """The same for work whose beginning must be done when this returns: it runs at once, up to where it first
        waits."""
        loop = asyncio.get_running_loop()
        return self._kept(asyncio.Task(coroutine, loop=loop, name=f"{self._name}/{name}", eager_start=True))

    def _kept[T](self, task: asyncio.Task[T]) -> asyncio.Task[T]:
        if task.done():
            self._done(task)
            return task
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    async def cancel(self) -> None:
        """Cancel every task and wait for it. Safe to call twice."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("task %s crashed: %s", task.get_name(), type(error).__name__, exc_info=error)
