"""Selection: only rules that can match a text search it."""

from __future__ import annotations

from agent.guardrails import Rule
from agent.guardrails.detector import Detector
from agent.guardrails.selection import Selection
from agent.model.findings import Family


def selection(*rules: tuple[str, tuple[str, ...]]) -> Selection:
    detectors = [
        Detector(
            Rule(id=pattern, family=Family.CUSTOM, type="t", pattern=pattern, keywords=keywords),
            place,
            memory=1 << 22,
            max_cost=50_000,
        )
        for place, (pattern, keywords) in enumerate(rules)
    ]
    return Selection(detectors, (), (), None, rule_memory=1 << 22, shared_memory=1 << 22)


def asked(chosen: Selection, text: str) -> list[str]:
    return [each.rule.id for each in chosen.candidates(text.encode())]


def test_a_keyword_in_any_case_asks_its_rule() -> None:
    chosen = selection((r"\w{8}", ("secret",)), ("token[a-z]+", ()))
    assert asked(chosen, "none") == []
    assert asked(chosen, "SECRET tokens") == [r"\w{8}", "token[a-z]+"]


def test_a_word_that_stands_everywhere_does_not_suffice() -> None:
    chosen = selection(("key=[0-9]{4}", ("key",)), ("pass=[0-9]{4}", ("pass",)), ("you are [0-9]", ("you",)))
    assert asked(chosen, "the key that you pass") == []
    assert asked(chosen, "pass=1234 and you are 7") == ["pass=[0-9]{4}", "you are [0-9]"]


def test_rules_without_keywords_or_literals_are_asked_where_they_match() -> None:
    chosen = selection((r"\d{4}", ()), (r"[a-f]{6}", ()))
    assert asked(chosen, "12 345 abcde") == []
    assert asked(chosen, "1234 abcdef") == [r"\d{4}", "[a-f]{6}"]
