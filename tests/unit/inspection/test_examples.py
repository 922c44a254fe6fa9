"""A policy whose own examples fail does not load."""

from __future__ import annotations

import pytest

from agent.inspection import RuleBook
from agent.inspection.examples import ExamplesFailed
from agent.policy import load


def book(guardrails: str, detectors: str = "", *, examples: bool = False) -> RuleBook:
    text = f"""
schema_version: 1
id: p
guardrails:
{guardrails}
detectors:
  - {{id: toy, pattern: 'TOY-[0-9]+'{detectors}}}
  - {{id: bomb, keywords: [bomb]}}
"""
    return RuleBook(load(text, source="p"), examples=examples)


def guardrail(more: str) -> str:
    return f"  - {{id: g, detect: [custom/toy], action: mask, {more}}}"


def outcome(guardrails: str, detectors: str = "") -> list[tuple[bool, str]]:
    return [(trial.ok, trial.got) for trial in book(guardrails, detectors).trials()]


@pytest.mark.parametrize(
    ("examples", "ok", "got"),
    [
        ("match: [a TOY-1]", True, "found custom/toy, which 'g' decides (mask)"),
        ("match: [a TOY]", False, "found nothing"),
        ("match: [a bomb]", False, "found custom/bomb, which no guardrail decides"),
        ("no_match: [a bomb]", True, "found custom/bomb, which no guardrail decides"),
        ("no_match: [a TOY-1]", False, "found custom/toy, which 'g' decides (mask)"),
    ],
)
def test_a_guardrail_must_decide_on_its_own_examples(examples: str, ok: bool, got: str) -> None:
    assert outcome(guardrail(f"examples: {{{examples}}}")) == [(ok, got)]


def test_a_guardrail_that_is_hidden_by_one_before_it_fails_its_example() -> None:
    first = "  - {id: first, detect: [custom], action: allow}\n"
    found = "found custom/toy, which 'first' decides (allow)"
    assert outcome(first + guardrail("examples: {match: [TOY-1]}")) == [(False, found)]


@pytest.mark.parametrize(
    "more",
    [
        "apps: [claude*], hosts: ['*.openai.com'], models: ['gpt-?'], surfaces: [unknown], users: [ann]",
        "when: size > 100000",
        "at_least: 9, where: [tool_result]",
        "roles: [system]",
        "sampling: 0.001",
        "shadow: true",
        "where: [answer], roles: [tool_call]",
    ],
)
def test_a_guardrail_is_tried_as_if_it_applied(more: str) -> None:
    [(ok, _)] = outcome(guardrail(f"{more}, examples: {{match: [TOY-1]}}"))
    assert ok


@pytest.mark.parametrize("before", ["when: size > 5", "apps: [other]", "shadow: true", "roles: [system]"])
def test_a_guardrail_before_it_that_need_not_apply_is_no_hindrance(before: str) -> None:
    first = f"  - {{id: first, detect: [custom], action: allow, {before}}}\n"
    [(ok, _)] = outcome(first + guardrail("examples: {match: [TOY-1]}"))
    assert ok


@pytest.mark.parametrize(
    ("examples", "oks"),
    [("match: [TOY-1, toy]", [True, False]), ("no_match: [toy, TOY-1]", [True, False])],
)
def test_a_detector_is_tried_alone(examples: str, oks: list[bool]) -> None:
    assert [ok for ok, _ in outcome(guardrail(""), f", examples: {{{examples}}}")] == oks


def test_a_policy_whose_examples_fail_is_refused_with_every_one_of_them() -> None:
    with pytest.raises(ExamplesFailed) as caught:
        book(guardrail("examples: {match: [nothing], no_match: [TOY-1]}"), examples=True)
    assert [problem.location for problem in caught.value.problems] == [
        ("guardrails", 0, "examples", "match", 0),
        ("guardrails", 0, "examples", "no_match", 0),
    ]
    assert str(caught.value).splitlines()[0] == (
        "guardrails[0].examples.match[0]: 'g' found nothing; it should: mask it"
    )


def test_examples_that_come_out_right_let_the_policy_load() -> None:
    assert book(guardrail("examples: {match: [TOY-1], no_match: [toy]}"), examples=True)
