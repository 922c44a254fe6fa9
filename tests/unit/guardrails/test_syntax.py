"""Reading patterns: the tree matches what the pattern does, and knows how long a match can be."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.guardrails.closure import loosened
from agent.guardrails.regex import compiled
from agent.guardrails.rule import Rule
from agent.guardrails.syntax import Atom, PatternSyntaxError, Sequence, flat, parse, width
from tests.unit.guardrails.patterns import patterns


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("abc", (3, 3)),
        ("a|bcd", (1, 3)),
        ("a?b*c+", (1, None)),
        ("a{3}", (3, 3)),
        ("(ab){2,5}?", (4, 10)),
        (r"\bfoo\b$", (3, 3)),
        (r"[\]a-z[:alpha:]]{2,}", (2, None)),
        ("[^]x]", (1, 1)),
        (r"\x{1F600}\x41\pL\p{Greek}\101\.", (6, 6)),
        (r"\Qa.b*\E{2}", (4 + 1, 4 + 1)),
        ("(?i)a(?-i:b)(?P<n>c)(?<m>d)", (4, 4)),
        ("a{,3}", (5, 5)),
        ("a{x}", (4, 4)),
        ("()|a", (0, 1)),
        ("(a*){0}", (0, 0)),
    ],
)
def test_widths(pattern: str, expected: tuple[int, int | None]) -> None:
    assert width(parse(pattern)) == expected


@pytest.mark.parametrize(
    "pattern", [r"\C", "a\\", "(a", "a)", "[a", "(?=a)", "*a", "(?<n", "(" * 300 + "a" + ")" * 300]
)
def test_what_it_does_not_know_is_refused(pattern: str) -> None:
    with pytest.raises(PatternSyntaxError):
        parse(pattern)


def source(pattern: str) -> str:
    return loosened(parse(pattern), counted=1_000)


def test_flags_hold_to_the_end_of_their_group() -> None:
    assert source("a(?i)b|c") == "(?:a(?i:b)|(?i:c))"
    assert source("(a(?i)b)c") == "a(?i:b)c"
    assert source("(?s:.)(?m)^") == "(?s:.)(?m:^)"


@settings(max_examples=60, deadline=None)
@given(patterns(), st.text("ab-", max_size=8))
def test_the_tree_matches_what_the_pattern_matches(pattern: str, text: str) -> None:
    ours = compiled(rf"\A(?:{source(pattern)})\z", memory=1 << 20)
    theirs = compiled(rf"\A(?:{pattern})\z", memory=1 << 20)
    assert bool(ours.match(text.encode())) == bool(theirs.match(text.encode()))


def test_every_bundled_pattern_is_understood(rules: tuple[Rule, ...]) -> None:
    for rule in rules:
        low, _ = width(parse(rule.pattern))
        assert low > 0


def test_sequences_in_a_sequence_are_one() -> None:
    a, b, c = Atom(text="a"), Atom(text="b"), Atom(text="c")
    assert flat(Sequence(parts=(a, Sequence(parts=(b, c))))) == [a, b, c]
    assert flat(a) == [a]
