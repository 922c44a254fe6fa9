"""Audit events to test with, and an audit trail in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from agent.errors import AuditError
from agent.model.content import Usage, Where
from agent.model.decision import Action, Decision, Hit, Severity
from agent.model.device import Device
from agent.model.findings import Family
from agent.model.ids import uuid7
from agent.model.record import AuditEvent, Exchange, Incident, IncidentKind, Outcome, Timing
from agent.model.traffic import Connection, Process, Tier

DEVICE = Device(
    id="00000000-0000-4000-8000-000000000001", hostname="laptop", os_name="Linux", os_version="Debian 12"
)
NOW = 1_790_000_000.25  # Unix seconds

CONNECTION = Connection(
    id="c1",
    tier=Tier.RELAY,
    client_address=("127.0.0.1", 50123),
    connect_host="api.openai.com",
    connect_port=443,
    sni="api.openai.com",
    process=Process(pid=4711, name="codex", executable="/usr/bin/codex", user="alice"),
    app="codex-cli",
)
HIT = Hit(
    family=Family.SECRET,
    type="github_token",
    rule="github-pat",
    guardrail="credentials",
    where=Where.PROMPT,
    action=Action.REDACT,
    count=2,
)
_CHAT = Exchange(
    id="",
    started_at=NOW,
    connection=CONNECTION,
    method="POST",
    host="api.openai.com",
    path="/v1/chat/completions",
    surface="openai",
    operation="chat",
    dialect="openai-chat",
    model="gpt-4o",
    stream=True,
    upstream="native",
    status=200,
    outcome=Outcome.COMPLETED,
    policy_id="default",
    policy_hash="ab" * 32,
    usage=Usage(input_tokens=10, output_tokens=5),
    request_bytes=1000,
    response_bytes=2000,
    finish_reason="stop",
    timing=Timing(total_ms=812.5, overhead_ms=0.75, upstream_ms=810.0, first_byte_ms=300.25),
)


def make_exchange(**changes: object) -> Exchange:
    """A chat that went well, with a fresh id, with `changes`."""
    return replace(_CHAT, **{"id": uuid7(NOW), **changes})  # type: ignore[arg-type]


def decided(action: Action, *, applied: bool = True) -> Decision:
    """A decision by one guardrail about one hit."""
    hits = () if action is Action.ALLOW else (replace(HIT, action=action, severity=Severity.of(action)),)
    reason = "" if action is Action.ALLOW else "github token in the prompt"
    return Decision(
        action=action,
        applied=applied,
        reason=reason,
        hits=hits,
        rule_ids=tuple(hit.guardrail for hit in hits),
    )


def make_block(**changes: object) -> Exchange:
    """A chat that was blocked."""
    changes = {"decision": decided(Action.BLOCK), "outcome": Outcome.BLOCKED, "status": 403, **changes}
    return make_exchange(**changes)


def make_incident(kind: IncidentKind = IncidentKind.AGENT_STARTED, **changes: object) -> Incident:
    """An event of the agent itself."""
    incident = Incident(id=uuid7(NOW), at=NOW, kind=kind, message="something happened")
    return replace(incident, **changes)  # type: ignore[arg-type]


class FakeAudit:
    """Implements `AuditSink`. `durable` is called when an event counts as written."""

    def __init__(self) -> None:
        self.events: list[AuditEvent] = []
        self.broken = False
        self.gate: asyncio.Event | None = None  # events wait for it to become durable
        self.durable: Callable[[AuditEvent], object] = lambda event: None

    async def append(self, event: AuditEvent) -> None:
        await asyncio.sleep(0)
        if self.broken:
            raise AuditError("the disk is full")
        if self.gate is not None:
            await self.gate.wait()
        self.events.append(event)
        self.durable(event)

    @property
    def exchange(self) -> Exchange:
        """The one exchange that was recorded."""
        (found,) = self.exchanges
        return found

    @property
    def exchanges(self) -> list[Exchange]:
        """The exchanges that were recorded, in order."""
        return [event for event in self.events if isinstance(event, Exchange)]

    @property
    def incidents(self) -> list[Incident]:
        """The incidents, in order."""
        return [event for event in self.events if isinstance(event, Incident)]
