"""Overlaps: who wins, and nothing is uncovered."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.guardrails.detector import Span
from agent.guardrails.overlap import disjoint, joined, tiers
from agent.guardrails.rule import Rule
from agent.model.findings import Family, Finding

RULES = (
    Rule(id="injection", family=Family.INJECTION, type="i", pattern="x"),
    Rule(id="pii", family=Family.PII, type="p", pattern="x"),
    Rule(id="custom", family=Family.CUSTOM, type="c", pattern="x"),
    Rule(id="secret", family=Family.SECRET, type="s", pattern="x"),
    Rule(id="other secret", family=Family.SECRET, type="o", pattern="x"),
    Rule(id="ranked", family=Family.INJECTION, type="r", pattern="x", rank=1),
)
INJECTION, PII, CUSTOM, SECRET, OTHER, RANKED = range(6)
TIERS = tiers(RULES)


def resolved(*spans: tuple[int, int, int]) -> list[tuple[int, int, int]]:
    return [tuple(span) for span in disjoint([Span(*span) for span in spans], TIERS)]


def test_the_graver_family_wins_even_if_shorter() -> None:
    assert resolved((0, 9, PII), (2, 5, SECRET)) == [(0, 2, PII), (2, 5, SECRET), (5, 9, PII)]
    assert resolved((0, 5, PII), (0, 5, CUSTOM)) == [(0, 5, CUSTOM)]
    assert resolved((0, 5, INJECTION), (0, 5, PII)) == [(0, 5, PII)]


def test_a_rank_wins_over_the_family() -> None:
    assert resolved((0, 9, SECRET), (2, 5, RANKED)) == [(0, 2, SECRET), (2, 5, RANKED), (5, 9, SECRET)]


def test_within_a_family_the_longer_wins_then_the_first_rule() -> None:
    assert resolved((0, 5, SECRET), (0, 6, OTHER)) == [(0, 6, OTHER)]
    assert resolved((0, 5, OTHER), (0, 5, SECRET)) == [(0, 5, SECRET)]


def test_the_loser_keeps_what_the_winner_leaves() -> None:
    assert resolved((0, 6, SECRET), (4, 14, OTHER)) == [(0, 4, SECRET), (4, 14, OTHER)]


def test_neighbours_are_left_alone() -> None:
    assert resolved((0, 5, SECRET), (5, 9, PII)) == [(0, 5, SECRET), (5, 9, PII)]


SPANS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(1, 12), st.integers(0, 5)).map(
        lambda s: Span(s[0], s[0] + s[1], s[2])
    ),
    max_size=12,
)


@settings(max_examples=80, deadline=None)
@given(SPANS)
def test_the_same_places_are_covered_and_none_twice(spans: list[Span]) -> None:
    kept = disjoint(spans, TIERS)
    covered = [place for span in kept for place in range(span.start, span.end)]
    assert len(covered) == len(set(covered))
    assert set(covered) == {place for span in spans for place in range(span.start, span.end)}
    assert kept == sorted(kept)


def test_findings_of_several_detectors_are_joined_by_rank_and_keep_their_scores() -> None:
    def finding(start: int, end: int, rule: str, score: float = 1.0) -> Finding:
        return Finding(start=start, end=end, family=Family.CUSTOM, type=rule, rule=rule, score=score)

    ranks = {"low": 1, "high": 2}
    made = joined([finding(4, 6, "high"), finding(0, 10, "low", 0.5)], lambda each: ranks[each.rule])
    assert made == (finding(0, 4, "low", 0.5), finding(4, 6, "high"), finding(6, 10, "low", 0.5))
