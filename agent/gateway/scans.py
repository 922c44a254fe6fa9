"""Runs inspections: small ones at once, large ones in a thread, so that the event loop keeps serving everyone else.

RE2 releases the GIL while it scans, so one thread is enough; see docs/adr for the measurement.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

INLINE_BYTES = 20 * 1024  # about half a millisecond of parsing and scanning


class ScanPool:
    """One worker thread for large inspections."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="scan")

    async def run[**P, T](self, size: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of `work`, whose cost grows with `size` (bytes)."""
        if size <= INLINE_BYTES:
            return work(*args, **kwargs)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, lambda: work(*args, **kwargs))

    def close(self) -> None:
        """Let the running inspection end; take no more."""
        self._executor.shutdown(wait=False, cancel_futures=True)
