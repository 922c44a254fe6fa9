"""Who tells a client, and with which status."""

from __future__ import annotations

import pytest

from agent.dialects import DIALECTS
from agent.errors import UpstreamError
from agent.gateway.transport.base import FailureKind, TransportError
from agent.gateway.voices import told, voice


def test_a_client_is_told_in_its_own_format() -> None:
    assert voice("openai-chat") is DIALECTS["openai-chat"]
    assert voice("").block("No.").body == b"No."
    private = voice("opaque", ((b"content-type", b"application/connect+proto"),))
    assert private.block("No.").body[:1] == b"\x02"


@pytest.mark.parametrize(
    ("error", "status"),
    [(TransportError(FailureKind.TIMEOUT, "late", sent=True), 504), (UpstreamError("gone"), 502)],
)
def test_a_failure_has_a_status(error: UpstreamError, status: int) -> None:
    assert told(error) == (status, ())
