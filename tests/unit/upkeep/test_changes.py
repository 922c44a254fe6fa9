"""Policy and settings are read again on order and when a setting changes, and what follows of it is done."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from agent.assembly import Assembly
from agent.gateway.policy_file import Consequence, nothing
from agent.host.settings import Settings
from agent.host.tasks import TaskGroup
from agent.upkeep.authority import AuthorityKeeper
from agent.upkeep.changes import Changes
from tests.fakes.loopback import until

HELD = Settings(state_dir=Path("/state"), policy=Path("/p.yaml"))


class Agent:
    """As much of an assembly and an authority as is asked, and what was done, in order."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.now = HELD
        self.accepts = True
        self.tasks = TaskGroup("test")
        self.policy = SimpleNamespace(path=HELD.policy)
        self.changes = Changes(cast("Assembly", self), cast("AuthorityKeeper", self), self._follow)

    def watch(self) -> None:
        self.changes.watch(HELD, lambda: self.now, None)

    async def reload(self, also: Consequence, path: Path | None) -> bool:
        del also
        self.done.append(f"reload {path or self.policy.path}")
        self.policy.path = path or self.policy.path
        return self.accepts

    async def reopen(self) -> None:
        self.done.append("reopen")

    async def covering(self, reload: Callable[[Consequence], Awaitable[bool]]) -> bool:
        return await reload(nothing)

    async def tell(self) -> None:
        self.done.append("worries")

    async def _follow(self) -> None:
        self.done.append("follow")


@pytest.fixture
async def agent() -> AsyncIterator[Agent]:
    level = logging.getLogger("agent").level
    made = Agent()
    yield made
    await made.tasks.cancel()
    logging.getLogger("agent").setLevel(level)


@pytest.mark.parametrize("accepts", [True, False])
async def test_on_order_the_policy_is_read_again_whatever_comes_of_it(agent: Agent, accepts: bool) -> None:
    agent.accepts = accepts
    agent.changes.read_soon()
    await until(lambda: "follow" in agent.done)
    assert agent.done == ["reopen", "reload /p.yaml", "worries", "follow"]
    assert agent.changes.status() == {}


async def test_another_policy_is_read_once_on_order(agent: Agent) -> None:
    agent.watch()
    await until(lambda: agent.changes.status() == {})
    agent.now = replace(HELD, policy=Path("/q.yaml"), log_level="debug", notifications=False)
    agent.changes.read_soon()
    await until(lambda: "follow" in agent.done, lambda: logging.getLogger("agent").level == logging.DEBUG)
    assert agent.done == ["reopen", "reload /q.yaml", "worries", "follow"]
    assert agent.changes.status() == {}


async def test_what_waits_for_a_start_is_told(agent: Agent) -> None:
    agent.now = replace(HELD, dashboard=False)
    agent.watch()
    await until(lambda: agent.changes.status() != {})
    assert agent.changes.status() == {
        "settings_changed": {"dashboard": "when the engine is started again"},
    }
