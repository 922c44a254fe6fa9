"""The exchanges of a day, as they are read from the trail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.audit import Spool
from agent.audit.daily import Asked, asked_since
from agent.errors import AuditError
from agent.host.paths import StatePaths
from agent.model.record import Served
from tests.fakes.audit import CONNECTION, DEVICE, make_exchange

DAY = 1_800_000_000.0


@pytest.fixture
async def trail(tmp_path: Path) -> AsyncIterator[tuple[StatePaths, Spool]]:
    paths = StatePaths.under(tmp_path / "state")
    await asyncio.to_thread(paths.prepare)
    spool = Spool(paths, device=DEVICE)
    await spool.open()
    yield paths, spool
    await spool.close()


async def read(paths: StatePaths, *, after: int = 0) -> tuple[Asked, ...]:
    return await asyncio.to_thread(asked_since, paths, DAY, after=after)


async def test_everything_that_sums_need_is_read_newest_first(trail: tuple[StatePaths, Spool]) -> None:
    paths, spool = trail
    process = CONNECTION.process
    assert process is not None
    ann = replace(CONNECTION, process=replace(process, user="ann"))
    nobody = replace(CONNECTION, process=None)
    await spool.append(make_exchange(connection=ann, started_at=DAY + 1, served=Served(virtual_key="search")))
    await spool.append(make_exchange(connection=nobody, started_at=DAY + 2))
    second, first = await read(paths)
    assert (first.user, first.virtual_key, first.time_ms) == ("ann", "search", int((DAY + 1) * 1000))
    assert (second.user, second.virtual_key) == ("", "")
    assert first.seq < second.seq


async def test_only_what_came_since_is_read(trail: tuple[StatePaths, Spool]) -> None:
    paths, spool = trail
    for second in (-7200, -1, 0, 5):
        await spool.append(make_exchange(started_at=DAY + second))
    found = await read(paths)
    assert [each.time_ms / 1000 - DAY for each in found] == [5, 0]
    assert len(await read(paths, after=found[1].seq)) == 1


async def test_one_that_began_yesterday_and_ended_today_hides_nothing(
    trail: tuple[StatePaths, Spool],
) -> None:
    paths, spool = trail
    for second in (1, -600, 2):
        await spool.append(make_exchange(started_at=DAY + second))
    assert len(await read(paths)) == 2


def test_without_a_trail_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(AuditError):
        asked_since(StatePaths.under(tmp_path), DAY)
