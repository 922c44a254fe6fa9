"""Patterns of model names."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.catalog.patterns import fits, is_plain


@pytest.mark.parametrize(
    ("pattern", "name", "fit"),
    [
        ("gpt-5", "gpt-5", True),
        ("gpt-5", "gpt-5-mini", False),
        ("gpt-5*", "gpt-5-mini", True),
        ("*-v1", "nova-v1", True),
        ("*-v1", "nova-v2", False),
        ("*claude*", "eu.anthropic.claude-x", True),
        ("a-####-##", "a-2026-01", True),
        ("a-####", "a-20x6", False),
        ("a-####", "a-20260", False),
        ("a-####*", "a-20260", True),
        ("ab*ba", "aba", False),
        ("g*!*-tts!*-tts-*", "g-1", True),
        ("g*!*-tts!*-tts-*", "g-1-tts", False),
        ("g*!*-tts!*-tts-*", "g-tts-1", False),
    ],
)
def test_a_pattern_means_what_it_says(pattern: str, name: str, *, fit: bool) -> None:
    assert fits(pattern, name) is fit


@given(st.text("ab*#1", max_size=6), st.text("ab1", max_size=8))
def test_a_pattern_is_a_small_regular_expression(pattern: str, name: str) -> None:
    expression = "".join({"*": ".*", "#": "[0-9]"}.get(each, each) for each in pattern)
    assert fits(pattern, name) is (re.fullmatch(expression, name) is not None)


def test_a_plain_pattern_fits_one_name() -> None:
    assert [is_plain(each) for each in ("a", "a*", "a#", "a!b")] == [True, False, False, False]
