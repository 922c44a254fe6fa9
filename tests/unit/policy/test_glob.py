"""Globs: `*`, `?`, nothing else, any case."""

from __future__ import annotations

import fnmatch
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.policy.glob import first_match, matches

FEW = "ab.*?["


@given(pattern=st.text(FEW, max_size=12), text=st.text("ab.[", max_size=16))
@example(pattern="a?*?b", text="aab")
@example(pattern="*a*", text="")
def test_it_agrees_with_fnmatch_on_stars_and_question_marks(pattern: str, text: str) -> None:
    literal_brackets = pattern.replace("[", "[[]")
    assert matches(pattern, text) == fnmatch.fnmatchcase(text, literal_brackets)


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("GPT-4*", "gpt-4o", True),
        ("gpt-4", "GPT-4", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", "a.b.example.com", True),
        ("?*", "", False),
        ("?*", "x", True),
        ("*", "", True),
        ("[a]", "a", False),
        ("ab*ba", "aba", False),
    ],
)
def test_case_suffixes_and_empty_texts(pattern: str, text: str, fits: bool) -> None:
    assert matches(pattern, text) is fits


def test_a_hostile_text_costs_no_more_than_pattern_times_text() -> None:
    started = time.perf_counter()
    assert not matches("*a?a?a" * 20 + "b", "a" * 8000)
    assert time.perf_counter() - started < 1


def test_the_first_pattern_that_fits_is_named() -> None:
    assert first_match(("x*", "a*", "*"), "abc") == "a*"
    assert first_match(("x",), "abc") is None
