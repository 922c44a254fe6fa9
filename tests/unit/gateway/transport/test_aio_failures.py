"""aiohttp's errors become ours, without the texts of theirs that quote the answer."""

from __future__ import annotations

import aiohttp
import pytest
from yarl import URL

from agent.gateway.transport.aio_failures import body_failure, head_failure
from agent.gateway.transport.base import FailureKind

INFO = aiohttp.RequestInfo(URL("http://a.test"), "GET", {}, URL("http://a.test"))
QUOTE = "the answer's own bytes"


@pytest.mark.parametrize(
    ("error", "kind", "sent"),
    [
        (aiohttp.ClientResponseError(INFO, (), status=400, message=QUOTE), FailureKind.PROTOCOL, True),
        (aiohttp.ServerDisconnectedError(QUOTE), FailureKind.CLOSED, True),
        (aiohttp.ClientOSError(104, QUOTE), FailureKind.CLOSED, True),
        (aiohttp.SocketTimeoutError(QUOTE), FailureKind.TIMEOUT, True),
        (aiohttp.ConnectionTimeoutError(QUOTE), FailureKind.TIMEOUT, False),
        (TimeoutError(), FailureKind.TIMEOUT, True),
        (aiohttp.InvalidURL("http://" + QUOTE), FailureKind.PROTOCOL, False),
        (ValueError(QUOTE), FailureKind.PROTOCOL, False),
    ],
)
def test_a_failure_before_the_head_has_a_kind(error: Exception, kind: FailureKind, sent: bool) -> None:
    failure = head_failure(error, "a.test:443", None)
    assert (failure.kind, failure.sent) == (kind, sent)
    assert QUOTE not in str(failure)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (aiohttp.ClientPayloadError(QUOTE), FailureKind.CLOSED),
        (aiohttp.SocketTimeoutError(QUOTE), FailureKind.TIMEOUT),
        (ConnectionResetError(QUOTE), FailureKind.CLOSED),
    ],
)
def test_a_failure_in_the_body_has_a_kind(error: Exception, kind: FailureKind) -> None:
    failure = body_failure(error, "a.test:443")
    assert (failure.kind, failure.sent) == (kind, True)
    assert QUOTE not in str(failure)
