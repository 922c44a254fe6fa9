"""Which checks are asked about what, and what their reports lead to."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from agent.guardrails import LIMIT_RULE
from agent.inspection import RuleBook, Scope
from agent.inspection.outside import (
    Located,
    Report,
    Ruling,
    Segment,
    after_the_fact,
    answer_segments,
    asked,
    asked_about,
    request_segments,
    rule_on,
)
from agent.model.content import Role, Slot, Where
from agent.model.decision import Action, Decision, Hit
from agent.model.findings import Family, Finding
from agent.policy import Subject, load

POLICY = """
schema_version: 1
id: p
on_error: {on_error}
mode: {mode}
checks:
  - {{id: one, kind: webhook, url: 'https://one.example'{more}}}
  - {{id: two, kind: webhook, url: 'https://two.example', where: [answer]}}
  - {{id: unused, kind: webhook, url: 'https://three.example'}}
guardrails:
  - {{id: chat, detect: [check/unused], action: allow}}
  - {{id: elsewhere, detect: [check/unused], action: block, hosts: [other.example]}}
  - {{id: ones, detect: [check/one], action: {action}, where: [prompt, answer]}}
  - {{id: twos, detect: [check/two], action: alert}}
  - {{id: mail, detect: [pii/email], action: alert}}
"""
MAIL = "ann@" + "corp-mail.dev"


@cache
def book(action: str, on_error: str, mode: str, more: str) -> RuleBook:
    text = POLICY.format(action=action, on_error=on_error, mode=mode, more=more)
    return RuleBook(load(text, source="p.yaml"))


def scope(
    action: str = "block",
    *,
    on_error: str = "block",
    mode: str = "enforce",
    more: str = "",
    host: str = "api.openai.com",
) -> Scope:
    return book(action, on_error, mode, more).scope(Subject(host=host), ref="REF")


def slot(text: str, role: Role = Role.USER, place: int = 0, deep: bool = False) -> Slot:
    address = ((place,), ("a",)) if deep else ((place,),)
    return Slot(address=address, role=role, text=text)


def segments(
    *slots: Slot, newest: tuple[Slot, ...] | None = None, private: bool = True
) -> tuple[Segment, ...]:
    return request_segments(scope().rules, slots, slots if newest is None else newest, private=private)


def finding(start: int, end: int, rule: str = "HATE", check: str = "one") -> Finding:
    return Finding(start=start, end=end, family=Family.CHECK, type=check, rule=rule, score=0.9)


def ruling(made: Scope, *reports: Report, text: str = "some bad words") -> Ruling:
    return rule_on(made, asked(made, *Where), segments(slot(text)), reports)


def report(*findings: Finding, failure: str = "") -> Report:
    located = tuple(Located(segment="0", finding=each) for each in findings)
    return Report(check="one", findings=located, failure=failure)


# Whom to ask


def test_a_check_is_asked_only_where_a_guardrail_would_act_on_it() -> None:
    made = scope()
    assert [check.id for check in asked(made, Where.PROMPT, Where.TOOL_RESULT)] == ["one"]
    assert [check.id for check in asked(made, Where.ANSWER)] == ["one", "two"]
    assert asked(made, Where.TOOL_RESULT) == ()


def test_a_guardrail_that_allows_asks_nobody_and_hides_those_behind_it() -> None:
    assert "unused" not in {check.id for check in asked(scope(host="other.example"), *Where)}


def test_a_check_gets_the_segments_of_its_places() -> None:
    made = scope()
    (one,) = asked(made, Where.PROMPT)
    got = asked_about(made, one, segments(slot("a"), slot("b", Role.TOOL_RESULT, 1)))
    assert [segment.slot.text for segment in got] == ["a"]


# What about


def test_persons_and_tools_are_asked_about_and_nobody_else() -> None:
    slots = (
        slot("system", Role.SYSTEM, 0),
        slot("user", Role.USER, 1),
        slot("assistant", Role.ASSISTANT, 2),
        slot("call", Role.TOOL_CALL, 3),
        slot("result", Role.TOOL_RESULT, 4),
        slot("inside", Role.TOOL_RESULT, 4, deep=True),
        slot(" \n", Role.USER, 5),
    )
    made = segments(*slots, newest=slots[4:])
    assert [(each.slot.text, each.where, each.fresh) for each in made] == [
        ("user", Where.PROMPT, False),
        ("result", Where.TOOL_RESULT, True),
    ]
    assert len({each.id for each in made}) == 2


def test_of_an_answer_the_models_words_and_calls_are_asked_about() -> None:
    slots = (slot("text", Role.ASSISTANT, 0), slot("{}", Role.TOOL_CALL, 1), slot("x", Role.USER, 2))
    made = answer_segments(scope().rules, slots, private=False)
    assert [(each.slot.text, each.where, each.fresh) for each in made] == [
        ("text", Where.ANSWER, True),
        ("{}", Where.ANSWER, True),
    ]


def test_personal_data_is_veiled_though_the_policy_only_notes_it() -> None:
    (made,) = segments(slot(f"mail {MAIL} now"))
    assert made.veiled.text == "mail [REDACTED:email] now"
    assert made.bare.text == f"mail {MAIL} now"


def test_what_no_guardrail_looks_for_is_veiled_all_the_same() -> None:
    key = "WH75ZGEVTRIRGE3QAIKA"[::-1]
    (made,) = segments(slot(f"use {key} there"))
    assert key not in made.veiled.text
    assert "[REDACTED:" in made.veiled.text


def test_nothing_is_veiled_where_no_stranger_is_asked() -> None:
    (made,) = segments(slot(f"mail {MAIL}"), private=False)
    assert made.veiled is made.bare


def test_a_segment_does_not_show_its_text() -> None:
    (made,) = segments(slot("private"))
    assert "private" not in repr(made)


# What it leads to


def test_a_finding_is_counted_as_any_other() -> None:
    decision = ruling(scope("alert"), report(finding(0, 4), finding(5, 8), finding(0, 4, "SEXUAL"))).decision
    assert decision.action is Action.ALERT
    assert [(hit.rule, hit.count, hit.guardrail, hit.type) for hit in decision.hits] == [
        ("HATE", 2, "ones", "one"),
        ("SEXUAL", 1, "ones", "one"),
    ]


def test_a_block_says_which_check_and_where() -> None:
    made = ruling(scope("block"), report(finding(0, 4)))
    assert (made.decision.action, made.decision.applied, made.edits) == (Action.BLOCK, True, ())
    assert "one in the prompt" in made.decision.message


def test_a_redaction_puts_a_marker_there() -> None:
    made = ruling(scope("redact"), report(finding(5, 8)))
    (edit,) = made.edits
    assert (edit.address, edit.start, edit.end, edit.replacement) == (((0,),), 5, 8, "[REDACTED:one]")


@pytest.mark.parametrize("action", ["redact", "block"])
def test_in_observe_mode_nothing_is_carried_out(action: str) -> None:
    made = ruling(scope(action, mode="observe"), report(finding(5, 8)))
    assert (made.edits, made.decision.applied) == ((), False)
    assert made.decision.hits


def test_two_services_with_the_same_category_are_two_hits() -> None:
    made = scope("alert")
    parts = answer_segments(made.rules, (slot("words", Role.ASSISTANT),), private=False)
    reports = tuple(
        Report(check=name, findings=(Located(segment="0", finding=finding(0, 5, check=name)),))
        for name in ("one", "two")
    )
    decision = rule_on(made, asked(made, Where.ANSWER), parts, reports).decision
    assert sorted((hit.type, hit.count) for hit in decision.hits) == [("one", 1), ("two", 1)]


def test_a_service_cannot_choose_the_guardrail_by_the_name_of_a_category() -> None:
    made = scope("alert")
    assert ruling(made, report(finding(0, 4, LIMIT_RULE))).decision.action is Action.ALERT
    elsewhere = Located(segment="0", finding=finding(0, 4, LIMIT_RULE, check="unknown"))
    assert ruling(made, Report(check="one", findings=(elsewhere,))).decision.action is Action.ALLOW


# Failures


def test_a_failed_check_blocks_where_the_policy_says_so() -> None:
    decision = ruling(scope(on_error="block"), report(failure="left_alone")).decision
    assert (decision.action, decision.applied, decision.rule_ids) == (Action.BLOCK, True, ("ones",))
    assert "the check one could not be made (left alone)" in decision.message


def test_a_failed_check_that_is_let_pass_is_recorded() -> None:
    decision = ruling(scope(on_error="allow"), report(failure="timeout")).decision
    assert decision.action is Action.ALLOW
    assert "could not be made (timeout)" in decision.reason
    assert [(hit.type, hit.rule, hit.action, hit.guardrail) for hit in decision.hits] == [
        ("one", "failed:timeout", Action.ALLOW, "ones")
    ]


@pytest.mark.parametrize(("own", "policy"), [("allow", "block"), ("block", "allow")])
def test_the_checks_own_on_error_decides(own: str, policy: str) -> None:
    decision = ruling(scope(on_error=policy, more=f", on_error: {own}"), report(failure="timeout")).decision
    assert (decision.action is Action.BLOCK) is (own == "block")


def test_what_was_found_before_a_failure_still_counts() -> None:
    decision = ruling(scope("alert", on_error="allow"), report(finding(0, 4), failure="status")).decision
    assert decision.action is Action.ALERT
    assert [hit.rule for hit in decision.hits] == ["HATE", "failed:status"]


def test_after_the_fact_nothing_is_graver_than_a_note() -> None:
    hit = Hit(
        family=Family.CHECK,
        type="one",
        rule="HATE",
        guardrail="ones",
        where=Where.ANSWER,
        action=Action.BLOCK,
    )
    late = after_the_fact(Decision(action=Action.BLOCK, reason="r", message="m", hits=(hit,)))
    assert (late.action, late.message, late.reason) == (Action.ALERT, "", "r")
    assert [each.action for each in late.hits] == [Action.ALERT]
    assert after_the_fact(Decision()).action is Action.ALLOW


# Several guardrails about one check


SEVERAL = """
schema_version: 1
id: p
checks:
  - {{id: one, kind: webhook, url: 'https://one.example'}}
guardrails:
  - {{id: first, detect: [check/one], {first}}}
  - {{id: ones, detect: [check/one], action: block, where: [prompt, tool_result]{more}}}
"""


def several(first: str, more: str = "") -> Scope:
    policy = load(SEVERAL.format(first=first, more=more), source="p.yaml")
    return replace(scope(), guardrails=policy.guardrails)


@pytest.mark.parametrize(
    "first", ["threshold: 0.9", "roles: [tool_result]", "shadow: true", "when: 'size > 9000'"]
)
def test_a_guardrail_that_allows_some_findings_does_not_keep_a_check_from_being_asked(first: str) -> None:
    made = several(f"action: allow, {first}")
    assert [check.id for check in asked(made, Where.PROMPT)] == ["one"]
    assert asked(made, Where.ANSWER) == ()


@pytest.mark.parametrize("first", ["action: allow", "action: allow, when: 'size < 9000'"])
def test_a_guardrail_that_allows_all_findings_does(first: str) -> None:
    assert asked(several(first), Where.PROMPT) == ()


def test_a_guardrail_on_trial_has_no_say_about_a_failed_check() -> None:
    made = several("action: block, shadow: true", ", on_error: allow")
    decision = ruling(made, report(failure="timeout")).decision
    assert not decision.stops
    assert [(hit.guardrail, hit.shadow) for hit in decision.hits] == [("first", True), ("ones", False)]


def test_different_values_that_a_check_finds_are_counted_first() -> None:
    made = several("action: block, shadow: true", ", at_least: 2")
    assert not ruling(made, report(finding(0, 4), finding(0, 4))).decision.stops
    assert ruling(made, report(finding(0, 4), finding(5, 8))).decision.stops
