"""Closures match the beginnings of matches: all of them, and the exact one nothing else."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from agent.guardrails import Scanner
from agent.guardrails.closure import (
    TOKEN_TAIL,
    exact_closure,
    is_token,
    loose_closure,
    loosened,
    opening,
    tail_closure,
    word_list,
)
from agent.guardrails.regex import Regexp, compiled
from agent.guardrails.syntax import parse, width
from tests.unit.guardrails.patterns import patterns
from tests.unit.guardrails.samples import samples

WORDS = ["".join(letters) for size in range(6) for letters in product("ab/", repeat=size)]


def anchored(pattern: str) -> Regexp:
    return compiled(rf"\A(?:{pattern})\z", memory=8 << 20, captures=False)


def ends(pattern: str) -> Regexp:
    return compiled(rf"(?:{pattern})\z", memory=8 << 20, captures=False)


@settings(max_examples=30, deadline=None)
@given(patterns(), st.integers(0, 200))
def test_the_exact_closure_matches_the_beginnings_of_matches_and_no_more(pattern: str, at: int) -> None:
    node = parse(pattern)
    assume(width(node)[0] > 0 and r"\b" not in pattern)
    whole, closure = anchored(pattern), anchored(exact_closure(node))
    begun = WORDS[at]
    more = [begun + word for word in WORDS]
    assert bool(closure.match(begun.encode())) >= any(whole.match(word.encode()) for word in more if begun)
    if (
        closure.match(begun.encode())
        and begun
        and len(begun) < 3
        and "{4" not in pattern
        and ",5" not in pattern
    ):
        assert any(whole.match((begun + word).encode()) for word in WORDS) or (width(node)[0] > 5)


@settings(max_examples=50, deadline=None)
@given(patterns(), st.sampled_from(WORDS))
def test_the_loose_closures_match_at_least_the_beginnings(pattern: str, word: str) -> None:
    node = parse(pattern)
    assume(width(node)[0] > 0 and word)
    if anchored(exact_closure(node)).match(word.encode()):
        assert anchored(loose_closure(node)).match(word.encode())
    if anchored(pattern).match(word.encode()):
        assert anchored(loosened(node, counted=2)).match(word.encode())


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("abc", ["a", "ab", "abc"], ["b", "abcd", "ac"]),
        ("a{3}b", ["a", "aa", "aaa", "aaab"], ["aaaa", "ab", "b"]),
        ("(?:xy){2,3}z", ["x", "xy", "xyx", "xyxyz", "xyxyxyz"], ["xyz", "xyxyxyx", "z"]),
        ("a+b", ["a", "aaa", "aab"], ["b", "aba"]),
        ("key=[a-f]{4,}", ["k", "key=", "key=abcdef"], ["y=", "key=g"]),
    ],
)
def test_examples(pattern: str, yes: list[str], no: list[str]) -> None:
    closure = anchored(exact_closure(parse(pattern)))
    assert [text for text in yes + no if closure.match(text.encode())] == yes


@settings(max_examples=60, deadline=None)
@given(patterns(), st.sampled_from(WORDS))
def test_a_text_that_a_match_may_go_on_from_is_a_tail_or_a_token(pattern: str, word: str) -> None:
    node = parse(pattern)
    assume(width(node)[0] > 0 and word and r"\b" not in pattern)
    whole, tail, data = anchored(pattern), tail_closure(node), word.encode()
    if any(whole.match(data + more.encode()) for more in WORDS[1:]):
        assert anchored(f"(?:{tail})|{TOKEN_TAIL}" if tail else TOKEN_TAIL).match(data)
        if tail and anchored(tail).match(data) and not anchored(TOKEN_TAIL).match(data):
            begins = opening(node)
            assert begins is None or compiled(begins, memory=8 << 20).match(data)


@pytest.mark.parametrize(
    ("pattern", "held", "free"),
    [
        # all of it is a token; what stands behind it ends it
        (r"\bkey=[a-z]{4}(?:\W|\z)", [], ["key=abcd/"]),
        ("key: [a-z]{4,}", ["key: ", "key: ab"], ["key"]),
        (r'"name"\s*:\s*"[a-z]+"', ['"name" ', '"name": "ab'], ['"nam', '"name": "ab"']),
    ],
)
def test_tails_reach_beyond_a_token_and_end_where_nothing_can_be_added(
    pattern: str, held: list[str], free: list[str]
) -> None:
    tail = tail_closure(parse(pattern))
    assert [text for text in held + free if tail and anchored(tail).match(text.encode())] == held


@given(st.text('aZ9_.+=@:%~-/ \\"é', max_size=8))
def test_what_is_a_token_is_one_for_the_automata(text: str) -> None:
    if text and is_token(text.encode()):
        assert anchored(TOKEN_TAIL).match(text.encode())


def test_nothing_under_way_is_no_beginning() -> None:
    assert ends(exact_closure(parse("abc"))).search(b"xyz") is None


def test_every_beginning_of_every_sample_is_held_back(scanner: Scanner) -> None:
    rules = scanner._rules
    by_id = {detector.rule.id: detector for detector in rules.detectors}
    for each in {sample.rule: sample for sample in samples(1)}.values():
        detector, data = by_id[each.rule], each.text.encode()
        match = detector._regexp.search(data)
        assert match is not None
        assert detector.exact is not None
        text = data[match.start() : match.end()]
        for size in range(1, len(text) + 1, 1 + len(text) // 6):
            begun = text[:size].decode("utf-8", "ignore").encode()
            if begun:
                assert detector.exact.match(begun), (each.rule, begun)
                assert rules.hold(begun, 0).place == 0, (each.rule, begun)
                assert detector in rules.under_way(begun), (each.rule, begun)


def test_a_list_of_words_is_closed_by_how_many_and_how_long_they_are() -> None:
    closures = word_list(parse(r"(?i)(?:\bone\s{1,16}two\b|\bthree\b)"))
    assert closures is not None
    exact = anchored(closures.exact)
    assert [text for text in ("o", "one t", "three", "other") if exact.match(text.encode())] == [
        "o",
        "one t",
        "three",
        "other",
    ]
    assert not exact.match(b"longer")
    assert not exact.match(b"one two now")
    assert word_list(parse("a+|b")) is None
