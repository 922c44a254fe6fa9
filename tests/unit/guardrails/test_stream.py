"""Streams: in any pieces, what a scan of the whole finds; nothing of it released before; little held back."""

from __future__ import annotations

import inspect
import json
import random
import textwrap
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.guardrails import LIMIT_RULE, Limits, Rule, Scanner, TextStream, regex
from agent.model.findings import Family, Finding
from tests.unit.guardrails.harmless import HARMLESS, NEUTRAL
from tests.unit.guardrails.patterns import patterns
from tests.unit.guardrails.samples import Draw, samples

SAMPLES = [each.text for seed in (21, 22) for each in samples(seed) if len(each.text) < 500]


def cut(text: str, sizes: list[int]) -> list[str]:
    """`text` in pieces of these sizes, round and round."""
    pieces, at, turn = [], 0, 0
    while at < len(text):
        size = sizes[turn % len(sizes)]
        pieces.append(text[at : at + size])
        at, turn = at + size, turn + 1
    return pieces


def checked(scanner: Scanner, pieces: list[str]) -> TextStream:
    """Feed the pieces, and after each one see that nothing of a finding of the whole is released outside a finding."""
    whole = scanner.scan("".join(pieces))
    stream, fed, cleared = scanner.stream(), 0, 0
    for piece in pieces:
        stream.feed(piece)
        fed += len(piece)
        assert cleared <= stream.cleared <= fed
        cleared = stream.cleared
        assert all(finding.end <= cleared for finding in stream.findings)
        for finding in whole:
            if finding.start < cleared:
                end = min(finding.end, cleared)
                assert any(told.start <= finding.start and end <= told.end for told in stream.findings), (
                    finding
                )
    stream.finish()
    assert stream.cleared == fed
    return stream


def rule(pattern: str, rule_id: str = "r", **more: object) -> Rule:
    return Rule(id=rule_id, family=Family.CUSTOM, type=rule_id, pattern=pattern, **more)  # type: ignore[arg-type]


PARTS = st.one_of(
    st.sampled_from(SAMPLES),
    st.sampled_from(NEUTRAL),
    st.sampled_from(HARMLESS).map(lambda text: text[:60]),
    st.sampled_from(SAMPLES).map(lambda text: text[:17]),
    st.sampled_from([" ", "\n", "\\n", '"', ", ", ". ", "é", "\ud83d", "=", ""]),
)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(PARTS, min_size=1, max_size=6),
    st.lists(st.sampled_from([1, 2, 3, 5, 17, 400]), min_size=1, max_size=4),
)
def test_a_stream_finds_what_a_scan_finds(scanner: Scanner, parts: list[str], sizes: list[int]) -> None:
    text = "".join(parts)[:900]
    stream = checked(scanner, cut(text, sizes))
    assert tuple(stream.findings) == scanner.scan(text)


@pytest.mark.parametrize("size", [1, 3])
def test_every_kind_of_secret_is_found_in_pieces(scanner: Scanner, size: int) -> None:
    draw = random.Random(size)
    chosen = draw.sample([each.text for each in samples(23) if len(each.text) < 160], 12)
    text = "".join(f"{sample}. {draw.choice(NEUTRAL)}" for sample in chosen)
    assert tuple(checked(scanner, cut(text, [size])).findings) == scanner.scan(text)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(patterns(), min_size=1, max_size=3, unique=True),
    st.text("ab/-", max_size=24),
    st.lists(st.integers(1, 5), min_size=1, max_size=3),
    st.booleans(),
)
def test_any_rules_find_the_same_in_pieces(
    given_patterns: list[str], text: str, sizes: list[int], two_ranks: bool
) -> None:
    rules = []
    for place, pattern in enumerate(given_patterns):
        nonempty = f"(?:{pattern})[ab/]"
        rules.append(rule(nonempty, f"r{place}", rank=place if two_ranks else 0, allow=("^b",)))
    scanner = Scanner(tuple(rules))
    assert tuple(checked(scanner, cut(text, sizes)).findings) == scanner.scan(text)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(patterns(), min_size=1, max_size=2, unique=True),
    st.text("ab/-é", max_size=60),
    st.integers(1, 5),
    st.sampled_from([2, 1_000]),
)
def test_narrow_limits_keep_their_promises(
    given_patterns: list[str], text: str, size: int, most: int
) -> None:
    rules = tuple(rule(f"(?:{pattern})[ab]", f"r{place}") for place, pattern in enumerate(given_patterns))
    stream, fed, told = (
        Scanner(rules, limits=Limits(max_hold=8, max_findings=most)).stream(),
        0,
        list[Finding](),
    )
    for piece in cut(text, [size]):
        stream.feed(piece)
        fed += len(piece)
        assert fed - stream.cleared <= 8 + 3  # a character is not cut apart
        findings = list(stream.findings)
        assert findings[: max(0, len(told) - 1)] == told[:-1]
        assert not told or (findings[len(told) - 1].start, findings[len(told) - 1].end) >= (
            told[-1].start,
            told[-1].end,
        )
        assert all(left.end <= right.start for left, right in pairwise(findings))
        assert all(finding.start < finding.end <= stream.cleared for finding in findings)
        told = findings


def test_a_whole_text_as_one_piece_is_found_at_once(scanner: Scanner) -> None:
    text = (
        "".join(f"{sample}\n" for sample in SAMPLES[:40])
        + "and here it ends, far behind the last of them, so that none may be under way.\n\n"
    )
    stream = scanner.stream()
    stream.feed(text)
    assert tuple(stream.findings) == scanner.scan(text)


@pytest.mark.parametrize("escape", ["\\n", "\\u003d", "%3D"])
def test_an_escape_before_a_secret_may_be_cut_anywhere(escape: str) -> None:
    scanner = Scanner((rule(r"(?:\b|\\[nrt]|\\u00[0-9a-f]{2}|%[0-9A-F]{2})(tok_[a-z]{8})", group=1),))
    text = f"see {escape}tok_abcdefgh."
    for size in range(1, 9):
        assert tuple(checked(scanner, cut(text, [size])).findings) == scanner.scan(text) != ()


def test_a_text_that_ends_in_a_secret_is_told_when_it_ends() -> None:
    scanner = Scanner((rule(r"\b[0-9]{4}\b"),))
    stream = scanner.stream()
    stream.feed("pin 1234")
    assert (stream.cleared, list(stream.findings)) == (3, [])
    stream.finish()
    assert (stream.cleared, [finding.end for finding in stream.findings]) == (8, [8])


def test_a_keyword_before_the_match_may_have_been_released() -> None:
    scanner = Scanner((rule(r"\d{4}", keywords=("pin",)),))
    text = "pin " + "- " * 20 + "1234 and" + " " * 80 + "5678 ."
    stream = checked(scanner, cut(text, [1]))
    assert [text[finding.start : finding.end] for finding in stream.findings] == ["1234"]


def test_boundaries_see_what_was_released() -> None:
    scanner = Scanner((rule(r"\bfoo"), rule(r"(?m)^bar", "line"), rule(r"\Azed", "start")))
    text = "zed xfoo foo bar\nbar zed" + " padding" * 300 + "xfoo foo zed bar\nbar zed ."
    assert tuple(checked(scanner, cut(text, [7])).findings) == scanner.scan(text)


def test_prose_and_code_are_hardly_held_back(scanner: Scanner) -> None:
    text = "".join(NEUTRAL[:3]) * 4 + "The rest of the sentence is ordinary, as sentences are. " * 10
    stream, held = scanner.stream(), []
    for end in range(4, len(text), 4):
        stream.feed(text[end - 4 : end])
        held.append(end - stream.cleared)
    held.sort()
    assert sum(held) / len(held) <= 12
    assert held[-1] <= 100


PLAIN = """the model reads what you write and then answers in plain words so that people can follow along longer
problems take several steps, and leave a few open questions about style or meaning."""


def mixed(*words: str) -> str:
    """Some thousand characters of prose in which every seventh word is one of `words`."""
    plain = PLAIN.split()
    draw = random.Random(5)
    return " ".join(draw.choice(words) if place % 7 == 3 else draw.choice(plain) for place in range(700))


WORK = {
    "prose": mixed("and"),
    "token": mixed("token"),
    "key": mixed("key"),
    "password": mixed("password"),
    "secret": mixed("secret"),
    "api": mixed("api"),
    "addresses": mixed("https://example.org/docs/guide/index.html", "http://a.net/b?c=d&e=f"),
    "code": inspect.getsource(textwrap)[:6_000],
    "numbers": "".join(f"| {n * 7.13:.2f} | {n * n} | 2{n:03}-01-02 |\n" for n in range(170)),
    "markdown": "## Steps\n\n- **Open** the `file`, see [here](https://a.org/b)\n\n```sh\nmake\n```\n" * 70,
    "json": json.dumps([{"id": n, "name": f"n{n}", "on": True, "of": [n, 0.5]} for n in range(110)]),
    "chinese": "模型先阅读你写的内容,然后用简单的话回答。如果问题很长,它会分成几步来解决。" * 40,
}


@pytest.mark.parametrize("kind", WORK)
@pytest.mark.parametrize(("size", "mean", "most"), [(4, 13, 200), (50, 90, 200)])
def test_a_piece_asks_little_whatever_the_text(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch, kind: str, size: int, mean: int, most: int
) -> None:
    """Counted are the questions to RE2, one by one: an automaton that knows many rules is one."""
    scanner.warm()
    calls = 0

    def counted(method: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object) -> object:
            nonlocal calls
            calls += 1
            return method(*args)

        return call

    for owner, name in (
        (regex._Regexp, "search"),
        (regex._Regexp, "match"),
        (regex.Census, "matching"),
        (regex.Sieve, "candidates"),
    ):
        monkeypatch.setattr(owner, name, counted(getattr(owner, name)))
    stream, asked = scanner.stream(), list[int]()
    for piece in cut(WORK[kind], [size]):
        calls = 0
        stream.feed(piece)
        asked.append(calls)
    assert sum(asked) / len(asked) <= mean
    assert max(asked) <= most


class TestLongMatches:
    """Matches that outgrow the hold."""

    limits = Limits(max_hold=256)

    def test_a_key_longer_than_the_hold_is_one_growing_finding(self, rules: tuple[Rule, ...]) -> None:
        scanner = Scanner(private(rules), limits=self.limits)
        text = "see\n" + Draw(31).pem("RSA PRIVATE" + " KEY", lines=14) + "\nand then prose."
        stream, ends, worst = scanner.stream(), set(), 0
        for place, char in enumerate(text):
            stream.feed(char)
            worst = max(worst, place + 1 - stream.cleared)
            if stream.growing:
                assert stream.findings[-1].end == stream.cleared
                ends.add(stream.cleared)
        stream.finish()
        assert len(ends) > 2
        assert worst <= self.limits.max_hold + 1
        assert not stream.growing
        assert tuple(stream.findings) == scanner.scan(text)

    def test_the_same_key_under_the_usual_limits(self, scanner: Scanner) -> None:
        text = (
            "key:\n"
            + Draw(32).pem("PRIVATE" + " KEY", lines=80)
            + "\nand then prose, and a password=hunter2x."
        )
        assert tuple(checked(scanner, cut(text, [211])).findings) == scanner.scan(text)

    def test_what_follows_a_long_match_is_found(self) -> None:
        scanner = Scanner((rule("x{10,}"), rule("[0-9]{4}", "pin")), limits=self.limits)
        text = "a 1234 " + "x" * 2_000 + "5678 b 9012 "
        stream = checked(scanner, cut(text, [3]))
        assert tuple(stream.findings) == scanner.scan(text)

    def test_a_text_may_end_within_a_long_match(self) -> None:
        scanner = Scanner((rule("x{10,}"),), limits=self.limits)
        stream = checked(scanner, cut("a " + "x" * 1_000, [9]))
        assert [(finding.start, finding.end) for finding in stream.findings] == [(2, 1_002)]

    def test_a_match_without_end_takes_the_rest(self) -> None:
        scanner = Scanner((rule("x{10,}"),), limits=self.limits)
        text = "a " + "x" * 280_000 + " tail"
        stream = scanner.stream()
        for piece in cut(text, [9_000]):
            stream.feed(piece)
        assert stream.growing
        stream.finish()
        assert [(finding.start, finding.end) for finding in stream.findings] == [(2, len(text))]

    def test_a_beginning_that_may_never_end_is_given_up(self) -> None:
        scanner = Scanner((rule("(?s)BEGIN.*END"), rule("[0-9]{4}", "pin")), limits=self.limits)
        text = "BEGIN " + "y" * 1_000 + " 1234 z " + "y" * 300
        stream, worst = scanner.stream(), 0
        for place, char in enumerate(text):
            stream.feed(char)
            worst = max(worst, place + 1 - stream.cleared)
        assert worst <= self.limits.max_hold
        assert [finding.rule for finding in stream.findings] == ["pin"]

    def test_what_stands_behind_a_beginning_that_is_given_up_is_found(self) -> None:
        scanner = Scanner((rule("(?s)BEGIN.*END|pin [0-9]{4}"),), limits=self.limits)
        stream = checked(scanner, cut("BEGIN pin 1234 " + "y" * 1_000, [7]))
        assert [(finding.start, finding.end) for finding in stream.findings] == [(6, 14)]

    def test_a_short_match_that_might_become_a_long_one_is_told(self) -> None:
        scanner = Scanner((rule("(?s)pin [0-9]{4}(?:.*END)?"),), limits=self.limits)
        text = "a pin 1234 " + "y" * 1_000 + " pin 5678 "
        stream, worst = scanner.stream(), 0
        for place, char in enumerate(text):
            stream.feed(char)
            worst = max(worst, place + 1 - stream.cleared)
        stream.finish()
        assert worst <= self.limits.max_hold
        assert [text[finding.start : finding.end] for finding in stream.findings] == ["pin 1234", "pin 5678"]

    def test_without_a_closure_a_window_is_held_back(self) -> None:
        scanner = Scanner((rule(r"\Cbc[0-9]{3}"),), limits=self.limits)
        stream = scanner.stream()
        stream.feed("é" * 200)
        assert 200 - stream.cleared == 128
        stream.feed("abc123 " + "-" * 400)
        assert [finding.end for finding in stream.findings] == [206]


def private(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Only the rule for private keys."""
    return tuple(each for each in rules if each.id == "private-key")


def test_beyond_the_limit_all_the_rest_is_one_finding() -> None:
    scanner = Scanner((rule(r"\d+"),), limits=Limits(max_findings=3))
    text = "1 2 3 44 tail 5 " * 3
    stream = checked(scanner, cut(text, [2]))
    assert tuple(stream.findings) == scanner.scan(text)
    assert stream.findings[-1].rule == LIMIT_RULE


def test_overlapping_findings_wait_for_each_other() -> None:
    rules = (rule("ab+c", "short"), rule("b+cd+e", "long"))
    scanner = Scanner(rules)
    stream = scanner.stream()
    stream.feed("x abbbcddd")
    assert stream.cleared == 1
    stream.feed("ddde ")
    stream.finish()
    assert list(stream.findings) == [
        Finding(start=2, end=3, family=Family.CUSTOM, type="short", rule="short"),
        Finding(start=3, end=14, family=Family.CUSTOM, type="long", rule="long"),
    ]


def test_empty_pieces_change_nothing(scanner: Scanner) -> None:
    stream = scanner.stream()
    stream.feed("")
    stream.finish()
    assert (stream.cleared, list(stream.findings)) == (0, [])
