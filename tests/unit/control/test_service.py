"""The service as a whole: it listens where commands and browsers find it, and watches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from agent.control.client import Control
from agent.control.reading import Sources
from agent.control.service import ControlService, Engine
from agent.errors import ConfigError
from agent.host.settings import Settings
from tests.fakes.people import nobody
from tests.fakes.pipes import FakePipes
from tests.unit.control.test_reading import House


@dataclass
class Served:
    """A service, and the house around it."""

    house: House
    service: ControlService
    settings: Settings
    problems: list[str] = field(default_factory=list)

    async def ask(self, verb: str, **arguments: object) -> dict[str, object]:
        return await asyncio.to_thread(Control(self.settings).ask, verb, arguments)


def built(root: Path, port: int = 0, *, dashboard: bool = True, pipes: FakePipes | None = None) -> Served:
    house = House(root)
    settings = Settings(state_dir=root, dashboard_port=port, dashboard=dashboard)
    sources = Sources(
        rules=lambda: house.book,
        facts=lambda: {"version": "9"},
        observatory=house.observatory,
        settings=settings,
        paths=house.paths,
        people=nobody(),
    )
    problems: list[str] = []
    engine = Engine(
        spool=house.spool,
        ca_ends=lambda: datetime(2100, 1, 1, tzinfo=UTC),
        policy_problem=lambda: "".join(problems),
        parts_missing=tuple,
        deaths=lambda: 0,
        uncaptured=lambda: "",
        clock_ahead=lambda: 0.0,
    )
    service = ControlService(sources, engine, house.pauses, house.note, house.tasks, pipes=pipes)
    return Served(house, service, settings, problems)


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    made = await asyncio.to_thread(built, tmp_path / "state")
    await made.house.fill()
    await made.service.start()
    yield made
    await made.service.aclose()
    await made.house.spool.close()
    await made.house.tasks.cancel()


async def test_commands_are_answered(served: Served) -> None:
    told = await served.ask("status")
    assert (told["state"], told["version"]) == ("guarding", "9")
    paused = await served.ask("pause", minutes=5, reason="x")
    assert paused["state"] == "paused"
    assert (await served.ask("resume"))["ended"] is True


async def test_what_goes_wrong_is_told(served: Served) -> None:
    served.problems.append("unknown key 'x'")
    told = await served.ask("health")
    assert told["state"] == "degraded"
    assert told["health"][0]["code"] == "policy_refused"  # type: ignore[index]


async def test_the_dashboard_has_an_address(served: Served) -> None:
    url = str((await served.ask("dashboard"))["url"])
    assert url.startswith(f"http://127.0.0.1:{served.service.dashboard_port}/enter?ticket=")


async def test_a_port_that_is_taken_is_no_hindrance(served: Served, tmp_path: Path) -> None:
    other = await asyncio.to_thread(built, tmp_path / "other", served.service.dashboard_port)
    await other.service.start()
    assert other.service.dashboard_port not in (0, served.service.dashboard_port)
    await other.service.aclose()
    await other.house.tasks.cancel()


async def test_without_a_dashboard_there_is_none(tmp_path: Path) -> None:
    made = await asyncio.to_thread(partial(built, tmp_path / "state", dashboard=False))
    await made.service.start()
    with pytest.raises(ConfigError, match="no dashboard"):
        await made.ask("dashboard")
    await made.service.aclose()
    await made.house.tasks.cancel()


async def test_where_there_are_pipes_commands_are_answered_on_one(tmp_path: Path) -> None:
    pipes = FakePipes()
    made = await asyncio.to_thread(built, tmp_path / "state", pipes=pipes)
    await made.house.fill()
    await made.service.start()
    try:
        control = Control(made.settings, pipes=pipes)
        told = await asyncio.to_thread(control.ask, "me")
        assert told["user"] == r"CORP\ann"
        assert not (tmp_path / "state" / "run" / "control.sock").exists()
    finally:
        await made.service.aclose()
        await made.house.spool.close()
        await made.house.tasks.cancel()
