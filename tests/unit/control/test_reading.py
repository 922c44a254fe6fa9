"""What the verbs that only look answer, and to whom."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from agent.audit import Spool
from agent.cli.doctor.service import Service
from agent.control.caller import Caller
from agent.control.health import Health
from agent.control.pausing import PauseKeeper
from agent.control.reading import Reading, Sources
from agent.control.verbs import EventWish, LiveWish, Nothing, Role
from agent.errors import AuditError
from agent.host.paths import StatePaths
from agent.host.settings import Settings
from agent.host.settings_state import Led, write_state
from agent.host.tasks import TaskGroup
from agent.model.record import IncidentKind
from agent.policy.pausing import Pausing
from tests.fakes.audit import CONNECTION, DEVICE, make_exchange
from tests.fakes.people import nobody
from tests.fakes.rulebooks import rule_book, toy_policy
from tests.fakes.watched_traffic import empty

ALICE = Caller(uid=7, pid=1, name="alice", role=Role.USER)
BOB = Caller(uid=8, pid=1, name="bob", role=Role.USER)
ADA = Caller(uid=0, pid=1, name="ada", role=Role.OPERATOR)


class House:
    """A reading over two exchanges of two accounts."""

    def __init__(self, root: Path) -> None:
        self.book = rule_book(toy_policy())
        self.paths = StatePaths.under(root)
        self.paths.prepare()
        self.observatory = empty()
        self.health = Health()
        self.tasks = TaskGroup("test")
        self.spool = Spool(self.paths, device=DEVICE)
        self.pauses = PauseKeeper(self.paths.pause, Pausing, self.note, self.tasks)
        sources = Sources(
            rules=lambda: self.book,
            facts=lambda: {"version": "9"},
            observatory=self.observatory,
            settings=Settings(state_dir=root),
            paths=self.paths,
            people=nobody(),
        )
        self.reading = Reading(sources, self.health, self.pauses, lambda: None)

    async def note(self, kind: IncidentKind, message: str, detail: tuple[tuple[str, str], ...]) -> None:
        pass

    async def fill(self) -> None:
        await self.spool.open()
        process = CONNECTION.process
        assert process is not None
        for user in ("alice", "bob"):
            connection = replace(CONNECTION, process=replace(process, user=user))
            exchange = make_exchange(connection=connection, started_at=time.time())
            self.observatory.observe(exchange)
            await self.spool.append(exchange)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = await asyncio.to_thread(House, tmp_path / "state")
    await made.fill()
    yield made
    made.pauses.close()
    await made.spool.close()
    await made.tasks.cancel()


async def test_an_account_sees_its_own_traffic_an_operator_all(house: House) -> None:
    for caller, users in ((ALICE, ["alice"]), (BOB, ["bob"]), (ADA, ["alice", "bob"])):
        view = await house.reading.live(caller, LiveWish())
        assert [each["user"] for each in view["exchanges"]] == users  # type: ignore[attr-defined]
        assert bool(view["budgets"]) is (caller is ADA)
        assert len((await house.reading.events(caller, EventWish()))["events"]) == len(users)  # type: ignore[arg-type]


async def test_events_are_followed_by_their_number(house: House) -> None:
    found = (await house.reading.events(ADA, EventWish(after=0)))["events"]
    assert [each["seq"] for each in found] == [1, 2]  # type: ignore[attr-defined]
    assert (await house.reading.events(ADA, EventWish(after=2)))["events"] == []


async def test_an_event_is_shown_to_whom_it_is_about(house: House) -> None:
    [row] = (await house.reading.events(ALICE, EventWish()))["events"]  # type: ignore[misc]
    assert (await house.reading.event(ALICE, row["id"]))["metadata"]["uid"] == row["id"]  # type: ignore[index]
    assert await house.reading.event(ADA, row["id"])  # type: ignore[index]
    with pytest.raises(AuditError, match="no event"):
        await house.reading.event(BOB, row["id"])  # type: ignore[index]


async def test_the_state_is_one_word(house: House) -> None:
    assert house.reading.state()["state"] == "guarding"
    house.health.set("observing", now=1)
    assert house.reading.state()["state"] == "observing"
    house.health.set("disk_low", "x", now=1)
    assert house.reading.state()["state"] == "degraded"
    await house.pauses.begin(minutes=5, reason="x", user="ada", uid=0)
    told = house.reading.state()
    assert told["state"] == "paused"
    assert told["pause"]["reason"] == "x"  # type: ignore[index]
    await house.pauses.resume(user="ada")


async def test_what_a_doctor_without_rights_needs_of_the_service(house: House) -> None:
    told = await house.reading.service(ALICE, Nothing())
    assert (told["supervised"], told["led"]) == (False, None)
    assert told["state_dir"] == str(house.paths.root)
    assert cast("int", told["free_bytes"]) > 0
    assert cast("int", told["trail_bytes"]) > 0
    assert time.time() - cast("float", told["newest_event"]) < 60
    assert told["settings"] == {
        "manage_proxy": "none",
        "manage_environment": "none",
        "manage_trust": "none",
        "capture": "none",
    }
    await asyncio.to_thread(write_state, house.paths.settings_state, Led.OVERRIDDEN, 5.0, ("gnome",))
    told = await house.reading.service(ALICE, Nothing())
    assert told["led"] == {"state": "proxy_overridden", "at": 5.0, "reasons": ["gnome"]}
    assert Service.of(told).way() == ((), ("gnome",))


async def test_policy_status_inventory_and_diag_are_documents(house: House) -> None:
    policy = await house.reading.policy(ALICE, Nothing())
    assert (policy["id"], policy["mode"]) == ("toys", "enforce")
    assert (await house.reading.status(ALICE, Nothing()))["version"] == "9"
    assert await house.reading.inventory(ALICE, Nothing()) == {"apps": []}
    assert (await house.reading.diag(ADA, Nothing()))["machine"]["python"]  # type: ignore[index]
