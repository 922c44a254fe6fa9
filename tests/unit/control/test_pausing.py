"""A pause begins, is kept, ends, and whoever must know is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.control.pausing import PauseKeeper
from agent.errors import ConfigError
from agent.host.tasks import TaskGroup
from agent.model.record import IncidentKind
from agent.policy.pausing import PauseAllow, Pausing


class House:
    """A keeper, its clocks and what it told."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now, self.up = 1_000_000.0, 5_000.0
        self.rules = Pausing(allow=PauseAllow.WITH_REASON, max_minutes=30)
        self.told: list[tuple[IncidentKind, dict[str, str]]] = []
        self.cut = 0
        self.tasks = TaskGroup("test")
        self.keeper = self.another()

    def another(self) -> PauseKeeper:
        keeper = PauseKeeper(
            self.path, lambda: self.rules, self.note, self.tasks, now=lambda: self.now, up=lambda: self.up
        )
        keeper.on_end = self.end
        return keeper

    async def note(self, kind: IncidentKind, message: str, detail: tuple[tuple[str, str], ...]) -> None:
        self.told.append((kind, dict(detail)))

    def end(self) -> int:
        self.cut += 1
        return 3

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.up += seconds

    async def pause(self, minutes: int = 5) -> None:
        await self.keeper.begin(minutes=minutes, reason="a test", user="ann", uid=7)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path / "pause.json")
    yield made
    made.keeper.close()
    await made.tasks.cancel()


async def test_it_lasts_until_its_time_is_over(house: House) -> None:
    assert not house.keeper.active
    await house.pause()
    assert house.keeper.active
    assert house.told == [
        (IncidentKind.PAUSED, {"user": "ann", "uid": "7", "minutes": "5", "reason": "a test"})
    ]
    house.pass_time(300)
    assert not house.keeper.active  # at once, not when somebody looks


async def test_what_it_let_pass_is_cut_when_it_ends(house: House) -> None:
    await house.pause()
    assert await house.keeper.resume(user="bob")
    assert house.cut == 1
    assert house.told[1] == (
        IncidentKind.RESUMED,
        {"user": "ann", "why": "bob resumed", "connections_cut": "3"},
    )
    assert not await house.keeper.resume(user="bob")


async def test_a_second_one_waits_for_the_end_of_the_first(house: House) -> None:
    await house.pause()
    with pytest.raises(ConfigError, match="paused already"):
        await house.pause(30)


async def test_another_engine_goes_on_with_it(house: House) -> None:
    await house.pause()
    house.keeper.close()
    house.pass_time(100)
    keeper = house.another()
    await keeper.restore()
    assert (keeper.active, keeper.seconds_left) == (True, 200)
    keeper.close()


async def test_what_ended_while_no_engine_ran_is_over(house: House) -> None:
    await house.pause()
    house.keeper.close()
    house.pass_time(400)
    keeper = house.another()
    await keeper.restore()
    assert not keeper.active
    assert house.told[-1][0] is IncidentKind.RESUMED
    await keeper.restore()  # the file is gone
    assert len(house.told) == 2


async def test_a_policy_that_forbids_it_ends_it(house: House) -> None:
    await house.pause()
    await house.keeper.policy_changed()
    assert house.keeper.active
    house.rules = Pausing(allow=PauseAllow.NEVER)
    assert not house.keeper.active
    await house.keeper.policy_changed()
    assert house.told[-1][0] is IncidentKind.RESUMED


async def test_it_is_ended_by_its_own_timer(house: House) -> None:
    await house.pause()
    house.pass_time(299.95)
    house.keeper._watch()
    await asyncio.sleep(0.1)
    house.pass_time(0.05)
    for _ in range(100):
        if len(house.told) == 2:
            break
        house.keeper._look()
        await asyncio.sleep(0.01)
    assert house.told[-1][1]["why"] == "its time is over"
