"""Background tasks are kept, told about when they crash, and ended together."""

from __future__ import annotations

import asyncio

import pytest

from agent.host.tasks import TaskGroup


async def test_a_task_is_kept_until_it_is_done() -> None:
    group = TaskGroup("test")
    gate = asyncio.Event()
    task = group.spawn(gate.wait(), name="waits")
    assert len(group) == 1
    assert task.get_name() == "test/waits"
    gate.set()
    assert await task is True
    await asyncio.sleep(0)
    assert len(group) == 0


async def test_a_crash_is_logged_and_kept_in_the_task(caplog: pytest.LogCaptureFixture) -> None:
    async def crash() -> None:
        raise ValueError("reason")

    task = TaskGroup("test").spawn(crash(), name="crashes")
    with pytest.raises(ValueError, match="reason"):
        await task
    await asyncio.sleep(0)
    assert "task test/crashes crashed: ValueError" in caplog.text


async def test_cancelling_ends_every_task_and_waits_until_it_is_gone() -> None:
    group = TaskGroup("test")
    ended: list[str] = []

    async def last_words(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append(name)

    for name in ("a", "b"):
        group.spawn(last_words(name), name=name)
    await asyncio.sleep(0)
    await group.cancel()
    assert sorted(ended) == ["a", "b"]
    await group.cancel()


async def test_a_cancelled_task_is_no_crash(caplog: pytest.LogCaptureFixture) -> None:
    group = TaskGroup("test")
    group.spawn(asyncio.Event().wait(), name="waits")
    await asyncio.sleep(0)
    await group.cancel()
    assert "crashed" not in caplog.text


async def test_work_that_is_begun_has_got_as_far_as_it_can_without_waiting() -> None:
    group = TaskGroup("test")
    gate = asyncio.Event()
    steps: list[str] = []

    async def work(*, waits: bool) -> str:
        steps.append("begun")
        if waits:
            await gate.wait()
        return "done"

    waiting = group.begin(work(waits=True), name="waits")
    assert (steps, len(group)) == (["begun"], 1)
    assert group.begin(work(waits=False), name="does not").done()
    assert len(group) == 1
    gate.set()
    assert await waiting == "done"
