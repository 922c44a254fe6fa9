"""Rule sets: which rules are asked, and where a match may be under way."""

from __future__ import annotations

import random

import pytest

from agent.errors import PolicyError
from agent.guardrails import Limits, Rule, Scanner, keyword_rule
from agent.guardrails.ruleset import RuleSet
from agent.model.findings import Family
from tests.unit.guardrails.test_stream import checked, cut


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
        for text in ("none", "1234 abbc", "SECRET tokens")
    }
    assert asked == {"none": [], "1234 abbc": ["digits", "weak"], "SECRET tokens": ["literal", "keyword"]}


def test_a_match_under_way_is_held_back_from_its_start() -> None:
    rules = ruleset(rule("a", "key: [0-9]{4}"), rule("b", "<[a-z]+>"))
    text = b"see key: 12"
    assert rules.hold(text, 0).place == 4
    assert [each.rule.id for each in rules.under_way(text) if each in rules.detectors] == ["a"]
    assert rules.hold(b"see key: ok. ", 0).place == len(b"see key: ok.")
    assert rules.hold(b"x <ab", 0).place == 2


def test_a_last_word_is_held_back_since_most_rules_begin_with_one() -> None:
    rules = ruleset(rule("a", "key=[0-9]{4}"))
    assert rules.hold(b"see \\nke", 0).place == 4
    assert rules.hold("see ſk".encode(), 0).place == 3


def test_many_rules_share_several_automata() -> None:
    rules = ruleset(*(rule(f"r{n}", f"<{n}[a-z]{{3}}>") for n in range(300)))
    assert rules.hold(b"x <299ab", 0).place == 2
    begun = rules.under_way(b"x <299ab")
    assert [each.rule.id for each in begun if each in rules.detectors] == ["r299"]


def test_rules_that_are_too_large_together_are_refused() -> None:
    wide = [rule(f"r{n}", "(?:[a-z]{1,99}-){1,9}" + str(n)) for n in range(12)]
    with pytest.raises(PolicyError, match="too large together"):
        RuleSet(tuple(wide), Limits(shared_memory=1 << 13))


def many_words(seed: int, count: int) -> tuple[str, ...]:
    draw = random.Random(seed)
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(5, 12))) for _ in range(count)]
    return tuple(f"{word} {words[0]}" if draw.random() < 0.3 else word for word in words)


def test_long_lists_of_words_are_searched_in_one_pass_and_found() -> None:
    lists = [keyword_rule(f"k{n}", many_words(n, 60)) for n in range(40)]
    rules = ruleset(*lists)
    word = many_words(7, 60)[5]
    assert [each.rule.id for each in rules.candidates(f"x {word} y".encode())] == ["k7"]
    assert rules.candidates(b"none of them") == []


def test_a_stream_waits_for_as_many_words_as_the_longest_phrase_of_a_long_list_has() -> None:
    rules = ruleset(keyword_rule("k", many_words(1, 200)))
    assert rules.hold(b"one two three four", 0).place == len("one two ")
    assert ruleset(keyword_rule("k", ("ab", "cd ef"))).hold(b"one two three ", 0).place == len(
        "one two three"
    )


@pytest.mark.parametrize("size", [1, 4, 30])
def test_words_of_long_lists_are_found_in_pieces(size: int) -> None:
    words = (*many_words(2, 200), "c++ stl", "naïve")
    scanner = Scanner((keyword_rule("k", words),))
    draw = random.Random(size)
    parts = [draw.choice([*words, "other", "-" * 90, ", ", "\n"]) for _ in range(60)]
    text = " ".join(parts)
    assert tuple(checked(scanner, cut(text, [size])).findings) == scanner.scan(text)
    assert scanner.scan(text)


def test_rules_whose_patterns_sum_up_to_too_much_are_refused_with_the_largest() -> None:
    lists = (keyword_rule("small", ("ab",)), keyword_rule("large", many_words(1, 300)))
    with pytest.raises(PolicyError, match=r"too large together: \d+ steps of 5000; the largest is large"):
        RuleSet(lists, Limits(total_cost=5_000))


def test_rules_with_a_common_keyword_are_found_and_others_not_asked() -> None:
    rules = ruleset(rule("a", "key=[0-9]{4}"), rule("b", "pass=[0-9]{4}"), rule("c", "code=[0-9]{4}"))
    assert [each.rule.id for each in rules.candidates(b"pass=1234 code=1234")] == ["b", "c"]
