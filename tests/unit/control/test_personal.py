"""What the verb `me` answers, and to whom."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.audit.daily import Asked
from agent.control.caller import Caller
from agent.control.personal import Day, Personal
from agent.control.reading import Sources
from agent.control.verbs import Nothing, Role
from agent.host.paths import StatePaths
from agent.host.settings import Settings
from agent.policy.pausing import PauseAllow
from tests.fakes.people import nobody
from tests.fakes.rulebooks import rule_book, toy_policy
from tests.fakes.watched_traffic import empty

ANN = Caller(uid=7, pid=1, name="ann", role=Role.USER)
ADA = Caller(uid=0, pid=1, name="ada", role=Role.OPERATOR)
ONE = Asked(
    seq=1, time_ms=0, user="ann", app="codex", model="gpt-5", decision="allow", applied=True, outcome="completed",
    virtual_key="",
)  # fmt: skip


class Trail:
    """A trail in memory, and what was read of it."""

    def __init__(self, *asked: Asked) -> None:
        self.kept = [replace(each, seq=number + 1) for number, each in enumerate(asked)]
        self.read: list[tuple[float, int]] = []

    def __call__(self, moment: float, after: int) -> tuple[Asked, ...]:
        self.read.append((moment, after))
        return tuple(reversed([each for each in self.kept if each.seq > after]))


async def personal(trail: Trail, pausing: str = "") -> Personal:
    book = await asyncio.to_thread(rule_book, toy_policy(pausing))
    sources = Sources(
        rules=lambda: book,
        facts=dict,
        observatory=empty(),
        settings=Settings(state_dir=Path("/x")),
        paths=StatePaths.under(Path("/x")),
        people=nobody(),
    )
    return Personal(sources, read=trail)


async def told(personal_: Personal, caller: Caller) -> dict[str, Any]:
    return await personal_.me(caller, Nothing())


async def test_everybody_sees_his_own_day_an_administrator_nobodys_too() -> None:
    mine = await personal(
        Trail(ONE, replace(ONE, user="ada"), replace(ONE, user="ada"), replace(ONE, user=""))
    )
    assert (await told(mine, ANN))["today"]["requests"] == 1
    assert (await told(mine, ADA))["today"]["requests"] == 3
    assert [(await told(mine, each))["accounts"] for each in (ANN, ADA)] == [("ann",), ("ada", "")]


async def test_what_was_stopped_changed_and_only_observed_is_counted_apart() -> None:
    trail = Trail(
        replace(ONE, decision="block", outcome="blocked"),
        replace(ONE, decision="redact"),
        replace(ONE, decision="mask", outcome="client_closed"),
        replace(ONE, decision="block", applied=False),
        replace(ONE, decision="alert"),
        replace(ONE, outcome="blocked"),  # a budget that is used up
    )
    today = (await told(await personal(trail), ANN))["today"]
    assert [today[name] for name in ("requests", "blocked", "redacted", "observed")] == [6, 2, 2, 1]
    assert today["apps"] == [("codex", 6)]


async def test_the_trail_is_read_once_then_only_what_is_new() -> None:
    trail = Trail(ONE, ONE)
    mine = await personal(trail)
    await told(mine, ANN)
    trail.kept.append(replace(ONE, seq=3))
    assert (await told(mine, ANN))["today"]["requests"] == 3
    assert [after for _, after in trail.read] == [0, 2]


def test_a_day_ends_at_midnight() -> None:
    now = time.time()
    trail = Trail(ONE)
    day = Day(trail, lambda: now)
    day.add_new()
    now += 86_400
    trail.kept.clear()
    day.add_new()
    assert day.of(("ann",)).requests == 0
    assert trail.read[0][0] < trail.read[1][0]
    assert trail.read[1][1] == 0


async def test_the_keys_of_the_day_come_the_last_one_first() -> None:
    used = [replace(ONE, virtual_key=key) for key in ("a", "b", "c", "d", "b")]
    keys = (await told(await personal(Trail(*used)), ANN))["keys"]
    assert keys == [{"id": key, "budgets": []} for key in ("b", "d", "c")]


async def test_names_from_outside_do_not_fill_the_memory() -> None:
    trail = Trail(*(replace(ONE, app=f"app-{number}", user=f"user-{number % 300}") for number in range(900)))
    day = Day(trail)
    day.add_new()
    counted = day.of(f"user-{number}" for number in range(300))
    assert counted.requests == 600  # of the two hundred accounts that are counted
    busy = Trail(*(replace(ONE, app=f"app-{number}") for number in range(9)))
    assert len((await told(await personal(busy), ANN))["today"]["apps"]) == 5


@pytest.mark.parametrize(
    ("allow", "caller", "may"),
    [
        (PauseAllow.WITH_REASON, ADA, True),
        (PauseAllow.WITH_REASON, ANN, False),
        (PauseAllow.NEVER, ADA, False),
    ],
)
async def test_it_says_whether_one_may_pause(allow: PauseAllow, caller: Caller, may: bool) -> None:
    found = await told(await personal(Trail(), f"pause: {{allow: {allow.value}, max_minutes: 7}}"), caller)
    assert found["pause"] == {"allow": allow.value, "max_minutes": 7, "may": may}
    assert found["operator"] is (caller is ADA)
