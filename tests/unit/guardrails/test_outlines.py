"""Outlines: found wherever a rule is, and smaller."""

from __future__ import annotations

import pytest

from agent.guardrails.outlines import openings, outlined
from agent.guardrails.pack import bundled_rules
from agent.guardrails.regex import compiled
from agent.guardrails.syntax import parse
from tests.unit.guardrails.samples import samples


@pytest.mark.parametrize(
    ("pattern", "outline"),
    [
        (r"(?:\b|_)key[a-z]{2,40}\b", r"key(?:[a-z]){2,2}"),
        # a boundary keeps every letter from being a beginning
        (r"\b[a-z]{3}-\d{1,4}\b", r"\b(?:[a-z]){3,3}-\d"),
        (r"a?(?:bc|bc\b)", "bc"),
        (r"x[a-z]{20}y", "x(?:[a-z]){8,}y"),
    ],
)
def test_ends_and_counts_that_need_not_be_are_left_out(pattern: str, outline: str) -> None:
    assert outlined(parse(pattern)) == outline


def test_an_outline_is_found_where_its_rule_is() -> None:
    rules = {rule.id: rule for rule in bundled_rules()}
    for sample in samples(1):
        pattern, data = rules[sample.rule].pattern, sample.text.encode()
        if compiled(pattern, memory=1 << 23).search(data) is not None:
            assert compiled(outlined(parse(pattern)), memory=1 << 23).search(data) is not None


def test_openings_are_told_one_by_one() -> None:
    assert openings(parse(r"(?:a(?:b|c)d?|(?:e|f))")) == {"a(?:b|c)", "e", "f"}
