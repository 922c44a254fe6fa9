"""What every match of a pattern holds: told from its tree, and never more than a match has."""

from __future__ import annotations

import pytest

from agent.guardrails.context import labelled
from agent.guardrails.needs import Needs, digits_pattern, lines, needs, run_pattern
from agent.guardrails.pack import bundled_rules
from agent.guardrails.regex import compiled
from agent.guardrails.syntax import parse
from tests.unit.guardrails.samples import samples


@pytest.mark.parametrize(
    ("pattern", "held"),
    [
        (r"\d{3}-\d{2}-\d{4}", Needs(digits=9, run=11)),
        (r"\d{3}(?:[ -]?\d{2})?[ -]\d{4}", Needs(digits=7, run=4)),
        (r"\d{3}x\d{4}", Needs(digits=4, run=8)),
        (r"\d{3}[ -]{4}\d{4}", Needs(digits=4, run=4)),  # too far apart to count together
        (r"\d{3}\x{A0}\d{4}", Needs(digits=4, run=4, foreign=True)),
        (r"\d{2}(?:\.\d{2}){2,9}", Needs(digits=6, run=2)),
        (r"sk_[0-9a-f]{48}", Needs(run=51)),
        (r"[a-z]+@[a-z]+\.com", Needs(run=3, at=True)),
        (r"a@|b", Needs(run=1)),
        (r"[\x{200B}-\x{200D}]{4,}", Needs(foreign=True)),
        (r"(?i:[a-z]{20})", Needs()),  # case-blind, k and s have a third form
    ],
)
def test_a_match_holds_digits_runs_and_signs(pattern: str, held: Needs) -> None:
    assert needs(parse(pattern)) == held


@pytest.mark.parametrize(
    ("pattern", "most"), [(r"a\nb", 1), (r"\s{0,8}x\s?", 9), (r'"[^"]*"', None), (r"[^\n]*", 0), (r"\S+", 0)]
)
def test_line_feeds_of_a_match_are_counted(pattern: str, most: int | None) -> None:
    assert lines(parse(pattern)) == most


def test_what_our_own_rules_find_holds_what_they_need() -> None:
    rules = {rule.id: rule for rule in bundled_rules()}
    for sample in samples(1):
        rule = rules[sample.rule]
        pattern = labelled(rule.labels, rule.pattern) if rule.labels else rule.pattern
        held, data = needs(parse(pattern)), sample.text.encode()
        match = compiled(pattern, memory=1 << 23).search(data)
        if match is None:
            continue
        found = data[match.start() : match.end()]
        for expected in (held.digits and digits_pattern(held.digits), held.run and run_pattern(held.run)):
            assert not expected or compiled(expected, memory=1 << 20).search(found) is not None
        assert not held.at or b"@" in found
        assert not held.foreign or not found.isascii()
        most = lines(parse(pattern))
        assert most is None or found.count(b"\n") <= most
