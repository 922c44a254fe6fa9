"""A record knows who asked, even where that was found after the request was judged."""

from __future__ import annotations

from dataclasses import replace

from agent.gateway.late_facts import LateFacts
from agent.model.app import Asker, Evidence
from agent.model.record import Incident, IncidentKind
from agent.model.traffic import Connection, Process, Tier
from tests.fakes.audit import FakeAudit, make_exchange
from tests.fakes.rulebooks import rule_book, toy_policy

RULES = rule_book(toy_policy())
UNKNOWN = Connection(id="c", tier=Tier.RELAY)
KNOWN = replace(
    UNKNOWN,
    process=Process(pid=7, name="curl"),
    app="curl",
    evidence=Evidence.PROCESS,
    within=("claude-code",),
)


class Identities:
    """Knows the one connection by now."""

    async def identified(self, connection: Connection, server: tuple[str, int]) -> Connection:
        raise NotImplementedError

    def latest(self, connection: Connection) -> Connection:
        return KNOWN if connection.id == "c" else connection


def late(audit: FakeAudit) -> LateFacts:
    return LateFacts(audit, Identities(), lambda: RULES)


async def test_an_exchange_is_completed_and_its_claim_kept() -> None:
    audit = FakeAudit()
    claimed = Asker(app="claude-code", evidence=Evidence.CLAIMED, claimed="claude-code")
    await late(audit).append(make_exchange(connection=UNKNOWN, asker=claimed))
    assert audit.exchange.connection == KNOWN
    assert audit.exchange.asker == Asker(
        app="curl", evidence=Evidence.PROCESS, seen="curl", claimed="claude-code", within=("claude-code",)
    )


async def test_what_was_known_stays_as_it_was_judged() -> None:
    audit = FakeAudit()
    known = replace(UNKNOWN, process=Process(pid=8, name="x"))
    event = make_exchange(connection=known)
    await late(audit).append(event)
    assert audit.exchange is event
    stranger = make_exchange(connection=replace(UNKNOWN, id="d"))
    audit = FakeAudit()
    await late(audit).append(stranger)
    assert audit.exchange is stranger


async def test_an_incident_gets_its_program_too() -> None:
    audit = FakeAudit()
    await late(audit).append(
        Incident(id="i", at=1.0, kind=IncidentKind.MISDIRECTED, message="m", connection=UNKNOWN)
    )
    assert audit.incidents[0].connection == KNOWN
