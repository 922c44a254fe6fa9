"""Who tells a client, and with which status."""

from __future__ import annotations

import pytest

from agent.dialects import DIALECTS
from agent.dialects.faults import Fault
from agent.errors import UpstreamError
from agent.gateway.dispatch import DispatchFailed
from agent.gateway.ledger import Ledger
from agent.gateway.transport.base import FailureKind, TransportError
from agent.gateway.voices import fault_of, told, voice
from agent.model.traffic import Connection, Tier
from agent.routing.failures import Cause, Failure
from tests.fakes.routes import candidate
from tests.fakes.rulebooks import rule_book, toy_policy


def test_a_client_is_told_in_its_own_format() -> None:
    ledger = Ledger(rule_book(toy_policy()), Connection(id="c", tier=Tier.RELAY), method="POST")
    assert voice(ledger).block("No.").body == b"No."
    ledger.dialect = "openai-chat"
    assert voice(ledger) is DIALECTS["openai-chat"]
    ledger.dialect = "grok-web"
    assert b"No." in voice(ledger).block("No.").body
    ledger.dialect = "opaque"
    private = voice(ledger, ((b"content-type", b"application/connect+proto"),))
    assert private.block("No.").body[:1] == b"\x02"


@pytest.mark.parametrize(
    ("error", "status"),
    [(TransportError(FailureKind.TIMEOUT, "late", sent=True), 504), (UpstreamError("gone"), 502)],
)
def test_a_failure_has_a_status(error: UpstreamError, status: int) -> None:
    assert told(error) == (status, ())


def test_a_failure_may_be_about_more_than_its_status_says() -> None:
    unknown = DispatchFailed(Failure(cause=Cause.UNKNOWN_MODEL, status=404), candidate("a"), ())
    assert (told(unknown)[0], fault_of(unknown)) == (404, Fault.MODEL)
    assert fault_of(UpstreamError("gone")) is Fault.UNSAID
