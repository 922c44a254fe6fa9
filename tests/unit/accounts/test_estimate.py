"""Estimates begin with bytes, and get better with what providers say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.accounts.estimate import IMAGE_TOKENS, PAGE_TOKENS, Estimator, Measure, TextKind


def test_four_bytes_are_a_token_until_somebody_counted() -> None:
    estimator = Estimator()
    assert estimator.tokens("m", TextKind.ANSWER, 4000) == 1001
    assert 1000 < estimator.prompt("m", Measure(text_bytes=4000)) < 1400  # rather too many


def test_an_estimate_follows_what_the_provider_counted() -> None:
    estimator = Estimator()
    for _ in range(50):
        estimator.learn("m", TextKind.PROMPT, 4000, 2000)
    assert estimator.tokens("m", TextKind.PROMPT, 4000) == pytest.approx(2000, rel=0.01)
    assert estimator.prompt("m", Measure(text_bytes=4000)) >= 2000
    assert estimator.tokens("m", TextKind.ANSWER, 4000) == 1001
    assert estimator.tokens("other", TextKind.PROMPT, 4000) == 1001


def test_little_is_learnt_from_short_texts_and_nonsense_is_bounded() -> None:
    estimator = Estimator()
    estimator.learn("m", TextKind.PROMPT, 10, 30)
    estimator.learn("m", TextKind.PROMPT, 0, 3000)
    assert estimator.tokens("m", TextKind.PROMPT, 400) == 101
    estimator.learn("m", TextKind.PROMPT, 1, 10**9)
    assert estimator.tokens("m", TextKind.PROMPT, 400) == 401


def test_the_table_is_bounded() -> None:
    estimator = Estimator()
    for number in range(600):
        estimator.learn(f"m{number}", TextKind.PROMPT, 4000, 2000)
    assert len(estimator._ratios) == 512
    assert estimator.tokens("m0", TextKind.PROMPT, 4000) == 1001
    assert estimator.tokens("m599", TextKind.PROMPT, 4000) == 2001


def test_what_is_no_text_goes_by_rules_of_thumb() -> None:
    assert Measure().other_tokens == 0
    assert Measure(images=2, low_detail_images=1).other_tokens == 2 * IMAGE_TOKENS + 85
    assert Measure(document_pages=3).other_tokens == 3 * PAGE_TOKENS
    assert Measure(document_bytes=120_000).other_tokens == 3 * PAGE_TOKENS
    assert Measure(document_bytes=120_000, document_pages=1).other_tokens == PAGE_TOKENS
    assert Measure(audio_seconds=10).other_tokens == 320


@given(st.integers(0, 10**8), st.integers(0, 10**8), st.integers(0, 10**7))
def test_more_text_is_never_fewer_tokens(first: int, second: int, counted: int) -> None:
    estimator = Estimator()
    estimator.learn("m", TextKind.PROMPT, max(first, 1), counted)
    shorter, longer = sorted((first, second))
    assert estimator.prompt("m", Measure(text_bytes=shorter)) <= estimator.prompt(
        "m", Measure(text_bytes=longer)
    )
