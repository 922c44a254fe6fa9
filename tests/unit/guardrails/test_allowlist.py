"""Exceptions that look around a finding see the same in a stream as in a whole text."""

from __future__ import annotations

import pytest

from agent.guardrails import Rule, Scanner
from agent.guardrails.allowlist import LINE_REACH, Allowlist, Target
from agent.guardrails.stream import LEFT_CONTEXT
from agent.model.findings import Family
from tests.unit.guardrails.test_stream import checked, cut


def scanner(*allowlists: Allowlist, lead: int = 0) -> Scanner:
    rule = Rule(
        id="r",
        family=Family.CUSTOM,
        type="r",
        pattern=r"key=(\d{4})",
        group=1,
        allowlists=allowlists,
        lead=lead,
    )
    return Scanner((rule,))


def line(*patterns: str) -> Scanner:
    return scanner(Allowlist(patterns=patterns, target=Target.LINE))


def test_a_stream_keeps_as_much_as_the_line_is_looked_at() -> None:
    assert LEFT_CONTEXT > LINE_REACH + 4


def test_each_target_sees_its_part() -> None:
    text = "say my.key=1234 now"
    assert not scanner(Allowlist(patterns=("^1234$",))).scan(text)
    assert not scanner(Allowlist(patterns=("^key=1234$",), target=Target.MATCH)).scan(text)
    assert not scanner(Allowlist(patterns=(r"^my\.key=1234$",), target=Target.MATCH), lead=3).scan(text)
    assert scanner(Allowlist(patterns=(r"^my\.key",), target=Target.MATCH), lead=2).scan(text)
    assert not line("^say my.key=1234").scan(text)
    assert line("now").scan(text)


def test_the_end_of_the_part_that_is_seen_is_not_taken_for_the_end_of_the_line() -> None:
    assert line("1234$").scan("key=1234")
    assert line("1234$").scan("key=1234 and more")


def test_a_beginning_out_of_reach_is_not_taken_for_the_beginning_of_the_line() -> None:
    near, far = "#" * (LINE_REACH - 1), "#" * (LINE_REACH + 1)
    assert not line("^#+key").scan(f"x\n{near}key=1234")
    assert line("^#+key").scan(f"x\n{far}key=1234")
    assert not line("#+key").scan(f"x\n{far}key=1234")
    assert line("^é+key").scan("é" * 100 + "key=1234")


def test_a_pattern_and_a_stop_word_may_both_be_needed() -> None:
    both = scanner(Allowlist(patterns=("^1",), stopwords=("34",), every=True))
    assert [len(both.scan(f"key={value}")) for value in (1234, 1299, 9934)] == [0, 1, 1]
    either = scanner(Allowlist(patterns=("^1",), stopwords=("34",), target=Target.MATCH))
    assert [len(either.scan(f"key={value}")) for value in (1299, 9934)] == [1, 0]
    assert scanner(Allowlist(every=True)).scan("key=1234")


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("gap", [0, LINE_REACH - 2, LINE_REACH, 700, 2500])
def test_a_stream_sees_what_a_whole_text_sees(size: int, gap: int) -> None:
    text = f"x\n# {'. ' * (gap // 2)}key=1234 key=5678\nkey=9999 {'word ' * 300}# key=1111"
    each = line("^#", "# key")
    assert tuple(checked(each, cut(text, [size])).findings) == each.scan(text)
