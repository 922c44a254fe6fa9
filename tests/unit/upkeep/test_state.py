"""A state directory that is removed under a running agent gets back what signs, once it is really gone."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from agent.errors import HostError
from agent.host.paths import StatePaths
from agent.upkeep.state import StateKeeper


class Kept:
    """A keeper, what was put back by it and what it told."""

    def __init__(self, paths: StatePaths) -> None:
        self.paths = paths
        self.full = False
        self.restored = 0
        self.missing: dict[str, str] = {}
        self.keeper = StateKeeper(paths, self.put_back, self.missing)

    def put_back(self) -> None:
        if self.full:
            raise HostError("the disk is full")
        self.restored += 1

    async def remove(self) -> None:
        await asyncio.to_thread(shutil.rmtree, self.paths.root)


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    paths = StatePaths.under(tmp_path / "state")
    paths.prepare()
    paths.spool.touch()
    paths.root_certificate.touch()
    return Kept(paths)


async def test_while_it_is_there_nothing_is_done(kept: Kept) -> None:
    for _ in range(3):
        assert not await kept.keeper.look()
    assert (kept.restored, kept.missing) == (0, {})


async def test_it_is_put_back_at_the_second_look_and_once(kept: Kept) -> None:
    await kept.remove()
    assert [await kept.keeper.look() for _ in range(4)] == [False, True, False, False]
    assert kept.restored == 1
    assert await asyncio.to_thread(kept.paths.ca.is_dir)
    assert kept.missing == {"state": f"the state directory {kept.paths.root} was removed while the agent ran"}


async def test_where_that_fails_it_is_said_once_and_tried_again(kept: Kept) -> None:
    kept.full = True
    await kept.remove()
    assert [await kept.keeper.look() for _ in range(3)] == [False, False, False]
    assert kept.missing["state"].endswith("was removed while the agent ran (the disk is full)")
    kept.full = False
    assert await kept.keeper.look()
