"""Rules are made ready at once, or when the first client is here, and never twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import pytest

from agent.gateway import warming
from agent.gateway.warming import Warming
from agent.host.tasks import TaskGroup
from agent.inspection import RuleBook
from tests.fakes.loopback import until


class Rules:
    """Stands in for a rule book that takes `steps` to warm."""

    def __init__(self, steps: int = 1) -> None:
        self.steps = steps
        self.begun = self.done = 0

    def warm(self, pause: Callable[[], object]) -> None:
        self.begun += 1
        for _ in range(self.steps):
            pause()
        self.done += 1

    @property
    def book(self) -> RuleBook:
        return cast("RuleBook", self)


@pytest.fixture(autouse=True)
def unsettled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warming, "settle_in", lambda: None)  # it would freeze all of this process's objects


@pytest.fixture
def tasks() -> TaskGroup:
    return TaskGroup("test")


async def test_where_clients_are_expected_rules_are_warm_as_soon_as_they_are_in_force(
    tasks: TaskGroup,
) -> None:
    first, second = Rules(), Rules()
    warming = Warming(tasks, waits=False)
    warming.prepare(first.book)
    await until(lambda: first.done == 1)
    warming.meet()
    warming.prepare(second.book)
    await until(lambda: second.done == 1, lambda: not len(tasks))
    assert (first.begun, second.begun) == (1, 1)


async def test_on_a_device_nothing_is_made_before_the_first_client(tasks: TaskGroup) -> None:
    early, rules, late = Rules(), Rules(), Rules()
    warming = Warming(tasks, waits=True)
    warming.prepare(early.book)
    warming.prepare(rules.book)
    await asyncio.sleep(0.02)
    assert not len(tasks)
    warming.meet()
    warming.meet()
    await until(lambda: rules.done == 1)
    warming.prepare(late.book)
    await until(lambda: late.done == 1, lambda: not len(tasks))
    assert (early.begun, rules.begun, late.begun) == (0, 1, 1)


async def test_what_is_under_way_when_the_agent_ends_is_given_up(tasks: TaskGroup) -> None:
    rules = Rules(steps=10**9)
    warming = Warming(tasks, waits=False)
    warming.prepare(rules.book)
    await until(lambda: rules.begun == 1)
    warming.stop()
    await until(lambda: not len(tasks))
    assert rules.done == 0
