"""Anthropic's kinds of error and their statuses, both ways."""

from __future__ import annotations

import orjson
import pytest

from agent.dialects import DIALECTS
from agent.dialects.anthropic_errors import KIND_OF_STATUS, STATUS_OF_KIND


def test_each_kind_has_a_status_of_its_own() -> None:
    assert {KIND_OF_STATUS[status]: status for status in STATUS_OF_KIND.values()} == STATUS_OF_KIND


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (402, "billing_error"),
        (403, "permission_error"),
        (426, "invalid_request_error"),
        (429, "rate_limit_error"),
        (502, "api_error"),
    ],
)
def test_an_error_of_ours_is_of_the_kind_that_its_status_has(status: int, kind: str) -> None:
    told = orjson.loads(DIALECTS["anthropic-messages"].error(status, "No.").body)
    assert told["error"] == {"type": kind, "message": "No."}
