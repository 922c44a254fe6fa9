"""The one thread for classifiers."""

from __future__ import annotations

import asyncio
import threading

import pytest

from agent.checks.onnx.worker import Worker


async def test_work_runs_in_one_thread_beside_the_loop() -> None:
    worker = Worker()
    first, second = await asyncio.gather(worker.run(threading.get_ident), worker.run(threading.get_ident))
    assert first == second != threading.get_ident()
    worker.close()


async def test_what_work_raises_is_raised_to_who_waits() -> None:
    worker = Worker()
    with pytest.raises(ZeroDivisionError):
        await worker.run(lambda: 1 // 0)
    worker.close()


async def test_after_the_end_nothing_is_taken() -> None:
    worker = Worker()
    worker.close()
    with pytest.raises(RuntimeError):
        worker.run(lambda: None)
