"""The one thread in which models are loaded and run: more of them would only take the processor from each other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


class Worker:
    """Starts its thread when it is first needed."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="classify")

    def run[**P, T](self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """The result of `work`, in the thread. Work that has not begun can be cancelled."""
        return asyncio.get_running_loop().run_in_executor(self._executor, lambda: work(*args, **kwargs))

    def close(self) -> None:
        """Let what is running end; take no more."""
        self._executor.shutdown(wait=False, cancel_futures=True)
