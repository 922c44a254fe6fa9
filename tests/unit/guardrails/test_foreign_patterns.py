"""Patterns of other scanners keep what they find and lose what makes streams wait."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.guardrails.foreign_patterns import adapted, names_keyword
from tests.unit.guardrails.test_detector import detector, spans

TAIL = r"""(?:[\x60'"\s;]|\\[nr]|$)"""


@pytest.mark.parametrize(
    ("pattern", "left", "lead"),
    [
        (r"(?i)[\w.-]{0,50}?(?:corp)x", r"(?i)(?:corp)x", 50),
        (r"[\w.-]{0,50}?(?i:[\w.-]{0,50}?(?:corp)x)y", r"(?i:(?:corp)x)y", 100),
        (r"\w{0,20}?key", "key", 20),
        (r"[\w.-]{0,50}key", r"[\w.-]{0,50}key", 0),  # greedy: it says which of several keys is meant
        (r"([\w.-]{0,50}?key)", r"([\w.-]{0,50}?key)", 0),  # part of what is found
        (r"x[\w.-]{0,50}?key", r"x[\w.-]{0,50}?key", 0),
        (r"[\w.-]{0,50}?", r"[\w.-]{0,50}?", 0),
        (r"[\w.-]{1,50}?key", r"[\w.-]{1,50}?key", 0),
    ],
)
def test_a_lazy_run_of_identifiers_at_the_front_is_dropped(pattern: str, left: str, lead: int) -> None:
    made = adapted(pattern)
    assert (made.pattern, made.lead) == (left, lead)


def test_the_usual_tail_is_widened_wherever_it_stands() -> None:
    made = adapted(f"a{TAIL}|b{TAIL}")
    assert made.widened
    assert TAIL not in made.pattern
    assert not adapted("a$").widened
    assert TAIL in adapted(f"a{TAIL}", widen=False).pattern


@pytest.mark.parametrize(
    ("pattern", "keywords"),
    [
        (r"(?i)\bcorp_[a-z]{8}", ("corp_",)),
        (r"\b(?:A3T[A-Z0-9]|AKIA)[A-Z]{4}", ("a3t", "akia")),
        (r"(?:sc|ext)_[a-z]{3}", ("sc_", "ext_")),
        (r"xox[bp]-\d+", ("xoxb-", "xoxp-")),
        (r"passw(?:or)?d=\d", ("passwd", "password")),
        (r"dp\.pt\.\d", ("dp.pt.",)),
        (r"\d(?:key\d){2}", ("key",)),
    ],
)
def test_a_keyword_that_every_match_holds_is_recognised(pattern: str, keywords: tuple[str, ...]) -> None:
    assert names_keyword(pattern, keywords)


@pytest.mark.parametrize(
    ("pattern", "keywords"),
    [
        (r"[a-f0-9]{40}", ("corp",)),
        (r"corp|[a-z]{9}", ("corp",)),
        (r"(?:corp)?\d{9}", ("corp",)),
        (r"[a-z]orp", ("corp",)),
        (r"corp", ()),
        (r"corp(", ("corp",)),
        (r"c.rp", ("corp",)),
    ],
)
def test_a_keyword_that_a_match_may_lack_is_not(pattern: str, keywords: tuple[str, ...]) -> None:
    assert not names_keyword(pattern, keywords)


def test_deep_nesting_takes_no_time() -> None:
    nested = "x(?:a|" * 150 + "corp" + ")y" * 150
    assert not names_keyword(nested, ("corp",))
    assert names_keyword(nested.replace("a|", "corp|"), ("corp",))


NAMED = r"(?i)[\w.-]{0,50}?(?:corp|acme)(?:[ \t\w.-]{0,8})[\s'\"]{0,3}(?:=|:)[\s'\"]{0,5}([a-z0-9]{4})" + TAIL
ORIGINAL = detector(NAMED, group=1)
ADAPTED = detector(adapted(NAMED, widen=False).pattern, group=1)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["corp", "Acme", "my_", "x.", "=", ":", "ab12", "9", "'", " ", ";", "\n", "corp=ab12 "]
        ),
        max_size=14,
    )
)
def test_what_an_adapted_pattern_finds_is_what_the_original_finds(parts: list[str]) -> None:
    text = "".join(parts)
    assert spans(ADAPTED, text) == spans(ORIGINAL, text)
