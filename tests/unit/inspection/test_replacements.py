"""What stands in the place of a text that must not go on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.guardrails import LIMIT_RULE
from agent.inspection.replacements import is_masked, marker, masked, replacement
from agent.model.decision import Action
from agent.model.findings import Family, Finding


def finding(rule: str = "card") -> Finding:
    return Finding(start=0, end=9, family=Family.PII, type="payment_card", rule=rule)


def test_a_marker_is_plain_ascii_and_names_the_kind() -> None:
    assert marker("aws_key") == "[REDACTED:aws_key]"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("4111111111111111", "************1111"),
        ("4111 1111 1111 1111", "**** **** **** 1111"),
        ("123-45-6789", "***-**-6789"),
        ("12345678", "********"),
        ("1234-5678", "****-****"),
        ("", ""),
        ("ann@example.com", "***********.com"),
        ("x" * 64 + "y", "*" * 12 + "xxxy"),
    ],
)
def test_a_mask_hides_all_but_the_last_four_of_nine_or_more(text: str, shown: str) -> None:
    assert masked(text) == shown


@given(st.text(min_size=1, max_size=80))
def test_a_mask_shows_at_most_four_characters_and_is_one(text: str) -> None:
    shown = masked(text)
    assert len(shown.replace("*", "").replace(" ", "").replace("-", "")) <= 4
    assert is_masked(shown) or not text.strip(" -")


@pytest.mark.parametrize("text", ["4111111111111111", "a*b", "**bold**", "", "****12345", "ab", "x****1111"])
def test_a_text_that_shows_more_is_no_mask(text: str) -> None:
    assert not is_masked(text)


@pytest.mark.parametrize("text", ["************1111", "**** 1111", "***", "**** **** **** 1111", "*1111"])
def test_a_mask_or_a_part_of_one_is_known(text: str) -> None:
    assert is_masked(text)


@pytest.mark.parametrize("action", [Action.REDACT, Action.PSEUDONYMIZE])
def test_what_is_not_masked_becomes_a_marker(action: Action) -> None:
    assert replacement(action, finding(), "4111111111111111") == "[REDACTED:payment_card]"


def test_a_text_with_too_many_findings_is_not_masked_but_taken_out() -> None:
    assert replacement(Action.MASK, finding(), "4111111111111111") == "************1111"
    assert replacement(Action.MASK, finding(LIMIT_RULE), "much text") == "[REDACTED:payment_card]"
