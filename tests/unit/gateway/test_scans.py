"""Where inspections run."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from agent.gateway.scans import INLINE_BYTES, ScanPool


def where() -> str:
    return threading.current_thread().name


async def test_small_work_is_done_at_once_and_large_work_elsewhere() -> None:
    pool = ScanPool()
    assert await pool.run(INLINE_BYTES, where) == "MainThread"
    assert (await pool.run(INLINE_BYTES + 1, where)).startswith("scan")
    pool.close()


async def test_arguments_results_and_errors_pass() -> None:
    pool = ScanPool()

    def divide(one: int, *, by: int) -> int:
        return one // by

    for size in (1, 10**6):
        assert await pool.run(size, divide, 7, by=2) == 3
        with pytest.raises(ZeroDivisionError):
            await pool.run(size, divide, 7, by=0)
    pool.close()


async def test_the_loop_goes_on_while_a_large_text_is_scanned() -> None:
    pool = ScanPool()
    scanning = asyncio.ensure_future(pool.run(10**6, time.sleep, 0.05))
    ticks = 0
    while not scanning.done():
        await asyncio.sleep(0.001)
        ticks += 1
    assert ticks > 5
    pool.close()
