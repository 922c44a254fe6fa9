"""How long a provider asks to wait, in all the ways they say it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.routing.pauses import MAX_PAUSE, google_delay, retry_after

NOW = datetime(2026, 11, 27, 12, 0, 0, tzinfo=UTC).timestamp()


def fields(**values: str) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((name.replace("_", "-").encode(), value.encode()) for name, value in values.items())


@pytest.mark.parametrize(
    ("head", "seconds"),
    [
        ({}, None),
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": " 1.5 "}, 1.5),
        ({"retry_after": "0"}, 0.0),
        ({"retry_after": "Fri, 27 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"retry_after": "Fri, 27 Nov 2026 11:00:30 GMT"}, 0.0),
        ({"retry_after": "Fri, 27 Nov 2026 12:00:30 -0000"}, 30.0),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "-3"}, None),
        ({"retry_after": "99999999"}, MAX_PAUSE),
        ({"retry_after_ms": "250", "retry_after": "9"}, 0.25),
        ({"retry_after_ms": "x", "retry_after": "9"}, 9.0),
        (
            {
                "anthropic_ratelimit_requests_remaining": "0",
                "anthropic_ratelimit_requests_reset": "2026-11-27T12:00:12Z",
                "anthropic_ratelimit_tokens_remaining": "5000",
                "anthropic_ratelimit_tokens_reset": "2026-11-27T12:59:00Z",
            },
            12.0,
        ),
        (
            {
                "x_ratelimit_remaining_requests": "0",
                "x_ratelimit_reset_requests": "1s",
                "x_ratelimit_remaining_tokens": "0",
                "x_ratelimit_reset_tokens": "6m0s",
            },
            360.0,
        ),
        ({"x_ratelimit_remaining_requests": "0", "x_ratelimit_reset_requests": "12ms"}, 0.012),
        ({"x_ratelimit_remaining_requests": "0", "x_ratelimit_reset_requests": "7.66s"}, 7.66),
        ({"x_ratelimit_remaining_requests": "3", "x_ratelimit_reset_requests": "7s"}, None),
        ({"x_ratelimit_remaining_requests": "0", "x_ratelimit_reset_requests": "later"}, None),
        ({"x_ratelimit_remaining_requests": "0"}, None),
    ],
)
def test_a_head_says_how_long(head: dict[str, str], seconds: float | None) -> None:
    assert retry_after(fields(**head), wall=NOW) == (None if seconds is None else pytest.approx(seconds))


def test_google_says_it_in_the_body() -> None:
    body = b'{"error": {"code": 429, "details": [{"@type": "x", "retryDelay": "34.07s"}]}}'
    assert google_delay(body) == pytest.approx(34.07)
    assert google_delay(b'{"retryDelay":"1h"}') == 3600
    assert google_delay(b'{"retryDelay": 3}') is None
    assert google_delay(b"{}") is None


@given(
    st.text(max_size=60), st.sampled_from(["retry_after", "retry_after_ms", "anthropic_ratelimit_a_reset"])
)
def test_nothing_that_a_head_says_breaks_it(value: str, name: str) -> None:
    head = fields(**{name: "0", "anthropic_ratelimit_a_remaining": "0"})
    said = (*((key, value.encode()) for key, _ in head[:1]), *head[1:])
    pause = retry_after(said, wall=NOW)
    assert pause is None or 0 <= pause <= MAX_PAUSE
