"""Where programs were led before us is read again, and what follows of it for our own requests."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.host.earlier import Earlier, write_earlier
from agent.host.settings import Settings
from agent.upkeep.company_way import CompanyWay

OLD, NEW = Earlier(https="old.example:3128"), Earlier(https="new.example:3128")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "earlier.json"
    write_earlier(file, OLD)
    return file


async def test_another_way_is_seen_and_what_is_built_in_stays(file: Path) -> None:
    way = await asyncio.to_thread(
        CompanyWay, Settings(state_dir=Path("/state"), upstream_proxy="auto"), file, {}
    )
    assert (way.earlier, way.settings.upstream_proxy) == (OLD, "http://old.example:3128")
    assert not await way.look()
    assert not way.moved
    await asyncio.to_thread(write_earlier, file, NEW)
    assert await way.look()
    assert (way.earlier, way.moved) == (NEW, True)
    assert way.settings.upstream_proxy == "http://old.example:3128"
    assert not await way.look()


async def test_a_proxy_that_the_settings_name_does_not_move(file: Path) -> None:
    way = await asyncio.to_thread(
        CompanyWay, Settings(state_dir=Path("/state"), upstream_proxy="http://p:1"), file, {}
    )
    await asyncio.to_thread(write_earlier, file, NEW)
    assert await way.look()
    assert not way.moved
