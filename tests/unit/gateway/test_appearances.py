"""Programs are noticed as they ask: reported once when they are new, now and then when they are refused."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

import pytest

from agent.errors import AuditError, HostError
from agent.gateway import appearances
from agent.gateway.appearances import Appearances
from agent.model.app import Asker, Evidence
from agent.model.appearance import Appearance
from agent.model.decision import Action
from agent.model.login import Login, LoginKind, Tenancy
from agent.model.record import Exchange, Incident, IncidentKind, Outcome, Standing
from agent.policy.apps import Apps
from tests.fakes.audit import CONNECTION, FakeAudit, decided, make_exchange, make_incident
from tests.fakes.loopback import until

DAY = 86_400.0


def known(app: str) -> Asker:
    """An app that its process shows."""
    return Asker(app=app, evidence=Evidence.SIGNED, seen=app)


CODEX = known("codex-cli")


class Shelf:
    """Implements `AppearanceStore` in memory."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str, str, str], Appearance] = {}
        self.writes = 0
        self.broken = False

    def read(self) -> tuple[Appearance, ...]:
        if self.broken:
            raise HostError("damaged")
        return tuple(self.kept.values())

    def write(self, seen: Iterable[Appearance], gone: Iterable[Appearance] = ()) -> None:
        if self.broken:
            raise HostError("the disk is full")
        self.writes += 1
        for each in gone:
            self.kept.pop(each.key, None)
        for each in seen:
            self.kept[each.key] = each


class House:
    """What notices, and what is around it."""

    def __init__(self, apps: Apps | None = None) -> None:
        self.apps = apps or Apps()
        self.audit, self.shelf = FakeAudit(), Shelf()
        self.now = 1_000_000.0
        self.noticing = self.started()

    def started(self) -> Appearances:
        """As after a restart."""
        return Appearances(self.audit, self.shelf, lambda: self.apps, now=lambda: self.now)

    async def ask(self, **changes: object) -> None:
        """An exchange is recorded, and what follows from it is done."""
        await self.noticing.append(make_exchange(**{"asker": CODEX, **changes}))
        await self.noticing.save()

    def told(self, kind: IncidentKind = IncidentKind.APP_FIRST_SEEN) -> list[Incident]:
        return [each for each in self.audit.incidents if each.kind is kind]


@pytest.fixture
async def house() -> House:
    made = House()
    await made.noticing.open()
    return made


async def test_a_program_is_reported_once(house: House) -> None:
    await house.ask(standing=Standing(state="pending", rule="apps.default"))
    await house.ask()
    (told,) = house.told()
    assert told.message == "codex-cli was seen on openai for the first time and waits for approval"
    assert told.connection == CONNECTION
    facts = dict(told.detail)
    assert {name: facts[name] for name in ("app", "surface", "user", "state", "evidence")} == {
        "app": "codex-cli",
        "surface": "openai",
        "user": "alice",
        "state": "pending",
        "evidence": "signed",
    }


async def test_a_program_that_only_says_what_it_is_is_told_by_its_name(house: House) -> None:
    await house.ask(asker=Asker(app="codex-cli", evidence=Evidence.CLAIMED, claimed="codex-cli"))
    (kept,) = house.shelf.read()
    assert kept.name == "codex (says it is codex-cli)"


async def test_it_stays_known_over_a_restart(house: House) -> None:
    await house.ask()
    house.noticing = house.started()
    await house.noticing.open()
    await house.ask()
    assert len(house.told()) == 1
    (kept,) = house.shelf.read()
    assert kept.requests == 2


@pytest.mark.parametrize(
    "other",
    [
        {"surface": "anthropic"},
        {"asker": known("cursor")},
        {"connection": replace(CONNECTION, process=None)},
        {"asker": Asker(app="codex-cli", evidence=Evidence.CLAIMED, claimed="codex-cli")},
        {"asker": Asker()},
    ],
)
async def test_another_surface_program_or_user_is_new(house: House, other: dict[str, object]) -> None:
    await house.ask()
    await house.ask(**other)
    assert len(house.told()) == 2


async def test_what_asks_no_model_is_not_noticed(house: House) -> None:
    await house.ask(dialect="")
    await house.noticing.append(make_incident())
    assert house.told() == []
    assert house.shelf.writes == 0


async def test_what_is_told_is_on_the_disk_before(house: House) -> None:
    house.shelf.broken = True
    await house.ask()
    assert house.told() == []
    house.shelf.broken = False
    await house.noticing.save()
    assert len(house.told()) == len(house.shelf.kept) == 1


async def test_a_damaged_file_reports_nothing_anew() -> None:
    house = House()
    house.shelf.broken = True
    await house.noticing.open()
    house.shelf.broken = False
    await house.ask()
    assert (house.told(), house.shelf.writes) == ([], 0)
    assert len(house.audit.exchanges) == 1


async def test_what_was_not_seen_for_long_is_forgotten_and_new_when_it_returns(house: House) -> None:
    house.apps = Apps(forget_days=30)
    await house.ask()
    house.now += 31 * DAY
    await house.noticing.save()
    assert house.shelf.kept == {}
    await house.ask()
    assert len(house.told()) == 2
    (kept,) = house.shelf.read()
    assert (kept.first_seen, kept.requests) == (house.now, 1)


async def test_requests_blocks_and_kinds_of_accounts_are_counted(house: House) -> None:
    plus = Login(
        kind=LoginKind.SUBSCRIPTION, tenancy=Tenancy.PERSONAL, plan="plus", subject="ann@example.com"
    )
    await house.ask(login=plus)
    house.now += 60
    await house.ask(login=Login(kind=LoginKind.API_KEY), decision=decided(Action.BLOCK))
    await house.ask(login=plus, decision=decided(Action.BLOCK, applied=False))
    (kept,) = house.shelf.read()
    assert (kept.requests, kept.blocked, kept.last_seen - kept.first_seen) == (3, 1, 60)
    assert kept.accounts == (Login(kind=LoginKind.API_KEY), replace(plus, subject=""))


def refused(**changes: object) -> dict[str, object]:
    return {
        "decision": decided(Action.BLOCK),
        "outcome": Outcome.BLOCKED,
        "standing": Standing(state="denied", rule="no-codex", refused=True),
        **changes,
    }


async def test_a_refusal_is_told_at_most_now_and_then(house: House) -> None:
    house.apps = Apps(notify_minutes=5)
    for _ in range(3):
        await house.ask(**refused())
    assert len(house.told(IncidentKind.APP_DENIED)) == 1
    await house.ask(**refused(surface="anthropic"))
    house.now += 301
    await house.ask(**refused())
    told = house.told(IncidentKind.APP_DENIED)
    assert len(told) == 3
    assert told[0].message == "codex-cli was refused on openai: github token in the prompt"
    assert dict(told[0].detail)["rule"] == "no-codex"
    assert dict(told[0].detail)["event"] == house.audit.exchanges[0].id


async def test_a_block_for_another_reason_is_no_refusal(house: House) -> None:
    await house.ask(decision=decided(Action.BLOCK), standing=Standing(state="approved"))
    assert house.told(IncidentKind.APP_DENIED) == []


async def test_the_list_is_bounded(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(appearances, "MAX_KNOWN", 2)
    for surface in ("a", "b", "c", "d"):
        await house.ask(surface=surface)
    assert [dict(each.detail)["surface"] for each in house.told()] == ["a", "b"]
    assert caplog.text.count("more than 2 programs") == 1


async def test_an_exchange_counts_whether_or_not_it_was_recorded(house: House) -> None:
    house.audit.broken = True
    with pytest.raises(AuditError):
        await house.noticing.append(make_exchange(asker=CODEX))
    house.audit.broken = False
    await house.noticing.save()
    assert len(house.told()) == 1


async def test_what_is_new_is_written_at_once_beside_the_traffic(house: House) -> None:
    task = asyncio.create_task(house.noticing.run())
    await house.noticing.append(make_exchange(asker=CODEX))
    assert house.told() == []  # not in the way of the request
    await until(lambda: bool(house.told()))
    task.cancel()
    assert isinstance(house.audit.events[0], Exchange)
