"""Rule sets: which rules are asked, and where a match may be under way."""

from __future__ import annotations

import pytest

from agent.errors import PolicyError
from agent.guardrails import Limits, Rule
from agent.guardrails.ruleset import RuleSet
from agent.model.findings import Family


def ruleset(*rules: Rule) -> RuleSet:
    return RuleSet(rules, Limits(shared_memory=16 << 20))


def rule(rule_id: str, pattern: str, *keywords: str) -> Rule:
    return Rule(id=rule_id, family=Family.CUSTOM, type="t", pattern=pattern, keywords=keywords)


def test_only_rules_that_can_match_are_asked() -> None:
    rules = ruleset(
        rule("literal", "token[a-z]+"),
        rule("digits", r"\d{4}"),
        rule("keyword", r"\w{8}", "secret"),
        rule("weak", "ab+c", "ab"),
    )
    asked = {
        text: [each.rule.id for each in rules.candidates(text.encode())]
        for text in ("none", "1234 abbc", "SECRET token")
    }
    assert asked == {"none": [], "1234 abbc": ["digits", "weak"], "SECRET token": ["literal", "keyword"]}


def test_a_match_under_way_is_held_back_from_its_start() -> None:
    rules = ruleset(rule("a", "key: [0-9]{4}"), rule("b", "<[a-z]+>"))
    text = b"see key: 12"
    assert rules.hold(text, 0) == 4
    assert [each.rule.id for each in rules.under_way(text)] == ["a"]
    assert rules.hold(b"see key: ok. ", 0) == len(b"see key: ok. ")
    assert rules.hold(b"x <ab", 0) == 2


def test_a_last_word_is_held_back_since_most_rules_begin_with_one() -> None:
    rules = ruleset(rule("a", "key=[0-9]{4}"))
    assert rules.hold(b"see \\nke", 0) == 4
    assert rules.hold("see ſk".encode(), 0) == 4


def test_many_rules_share_several_automata() -> None:
    rules = ruleset(*(rule(f"r{n}", f"<{n}[a-z]{{3}}>") for n in range(300)))
    assert rules.hold(b"x <299ab", 0) == 2
    assert [each.rule.id for each in rules.under_way(b"x <299ab")] == ["r299"]


def test_rules_that_are_too_large_together_are_refused() -> None:
    wide = [rule(f"r{n}", "(?:[a-z]{1,99}-){1,9}" + str(n)) for n in range(12)]
    with pytest.raises(PolicyError, match="too large together"):
        RuleSet(tuple(wide), Limits(shared_memory=1 << 13))


def test_where_one_automaton_cannot_tell_which_rules_are_under_way_all_are() -> None:
    wide = [rule(f"r{n}", "(?:[a-z]{1,99}-){1,9}" + str(n)) for n in range(12)]
    rules = RuleSet(tuple(wide), Limits(shared_memory=1 << 14))
    assert len(rules.under_way(b"abc-")) == 12


def test_rules_with_a_common_keyword_are_found_and_others_not_asked() -> None:
    rules = ruleset(rule("a", "key=[0-9]{4}"), rule("b", "pass=[0-9]{4}"), rule("c", "code=[0-9]{4}"))
    assert [each.rule.id for each in rules.candidates(b"pass=1234 code=1234")] == ["b", "c"]
