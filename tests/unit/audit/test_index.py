"""The columns beside an event."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.audit.index import Keep, columns, event_row
from agent.audit.ocsf import OcsfMapper, Stamp
from agent.model.decision import Action, Decision
from agent.model.record import AuditEvent, CaptureMode, IncidentKind
from tests.fakes.audit import CONNECTION, DEVICE, HIT, decided, make_block, make_exchange, make_incident

MAPPER = OcsfMapper(DEVICE, {})


def columns_of(event: AuditEvent) -> tuple[object, ...]:
    return columns(MAPPER.document(event, Stamp(sequence=3, logged_ms=0)))


def test_a_listing_line_tells_what_people_search_by() -> None:
    event = make_exchange(decision=decided(Action.REDACT))
    row = event_row(columns_of(event)[:-1])
    assert (row.seq, row.id, row.kind) == (3, event.id, "exchange")
    assert (row.host, row.model, row.surface, row.app) == ("api.openai.com", "gpt-4o", "openai", "codex-cli")
    assert (row.decision, row.outcome) == ("redact", "completed")


def test_an_incident_has_the_host_of_its_connection_if_any() -> None:
    row = event_row(columns_of(make_incident(IncidentKind.BYPASS, connection=CONNECTION))[:-1])
    assert (row.kind, row.host, row.app, row.decision) == ("bypass", "api.openai.com", "codex-cli", "")
    assert event_row(columns_of(make_incident())[:-1]).host == ""


@pytest.mark.parametrize(
    ("event", "keep"),
    [
        (make_exchange(), Keep.PLAIN),
        (make_exchange(capture=CaptureMode.REDACTED), Keep.DETAILED),
        (make_exchange(decision=decided(Action.ALERT)), Keep.DETAILED),
        (make_exchange(decision=decided(Action.BLOCK, applied=False)), Keep.DETAILED),
        (make_exchange(decision=Decision(hits=(replace(HIT, shadow=True),))), Keep.DETAILED),
        (make_exchange(decision=decided(Action.ASK)), Keep.ALWAYS),
        (make_block(), Keep.ALWAYS),
        (make_incident(), Keep.ALWAYS),
    ],
)
def test_blocks_and_incidents_are_dearest_then_what_tells_more(event: AuditEvent, keep: Keep) -> None:
    assert columns_of(event)[-1] is keep
