"""Refusals say what stopped a request, in words and as a status."""

from __future__ import annotations

import pytest

from agent.accounts import denials
from agent.accounts.denials import STATUS, Denial, Kind, Tier


def test_every_kind_has_a_status() -> None:
    assert set(STATUS) == set(Kind)


@pytest.mark.parametrize(
    ("denial", "status", "words"),
    [
        (denials.KEY_REQUIRED, 401, "wants a virtual key"),
        (denials.KEY_MISTYPED, 401, "Copy it again"),
        (denials.KEY_UNKNOWN, 401, "unknown"),
        (denials.key_expired("k"), 401, "'k' has expired"),
        (denials.key_inactive("k"), 403, "switched off"),
        (denials.provider_blocked("k", "openai"), 403, "'openai'"),
        (denials.model_blocked("k", "openai"), 403, "this model at 'openai'"),
        (denials.unpriced("openai"), 403, "no known price"),
        (
            denials.request_too_large(Tier.PROVIDER, "k/openai", "max_tokens_per_request", 9000, 8000),
            403,
            "9,000 tokens with its answer, and the provider 'openai' of the virtual key 'k' allows 8,000",
        ),
        (
            denials.budget_exceeded(Tier.TEAM, "search", "usd-month", 7200),
            402,
            "of the team 'search' has no room for this request. There is room again in 2 hours.",
        ),
        (denials.budget_exceeded(Tier.KEY, "k", "b", None), 402, "no room for this request."),
        (
            denials.limited(Kind.RATE_LIMITED, Tier.KEY, "k", "requests_per_minute", 61),
            429,
            "The limit requests_per_minute of the virtual key 'k' is reached. Try again in 61 s.",
        ),
        (denials.limited(Kind.TOKEN_LIMITED, Tier.USER, "ann", "tokens_per_day", 200_000), 429, "in 3 days"),
        (denials.limited(Kind.CONCURRENCY_LIMITED, Tier.CUSTOMER, "c", "concurrency", 1), 429, "in 1 s"),
        (denials.UNAVAILABLE, 503, "cannot be reached"),
    ],
)
def test_a_denial_has_a_status_and_words(denial: Denial, status: int, words: str) -> None:
    assert denial.status == status
    assert words in denial.message
