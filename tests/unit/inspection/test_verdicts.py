"""From findings to a decision."""

from __future__ import annotations

from agent.guardrails import LIMIT_RULE, LIMIT_TYPE
from agent.inspection.verdicts import Tally, marker, refusal
from agent.model.content import Where
from agent.model.decision import Action
from agent.model.findings import Family, Finding
from agent.policy import Subject
from tests.fakes.rulebooks import rule_book, toy_scope


def finding(kind: str, at: int = 0) -> Finding:
    return Finding(start=at, end=at + 4, family=Family.CUSTOM, type=kind, rule=kind)


def test_nothing_found_is_allowed() -> None:
    decision = Tally(toy_scope()).decision()
    assert (decision.action, decision.reason, decision.message, decision.hits) == (Action.ALLOW, "", "", ())


def test_the_gravest_action_decides_and_gives_the_reason() -> None:
    tally = Tally(toy_scope())
    assert tally.count(finding("note"), Where.PROMPT) is Action.ALERT
    assert tally.count(finding("toy"), Where.TOOL_RESULT) is Action.REDACT
    decision = tally.decision()
    assert decision.action is Action.REDACT
    assert decision.reason == "toy in a tool result"
    assert decision.message == ""
    assert decision.rule_ids == ("notes", "toys")


def test_hits_are_counted_by_rule_and_place() -> None:
    tally = Tally(toy_scope())
    for at in range(3):
        tally.count(finding("toy", at), Where.PROMPT)
    tally.count(finding("toy"), Where.ANSWER)
    assert [(hit.where, hit.count) for hit in tally.decision().hits] == [(Where.PROMPT, 3), (Where.ANSWER, 1)]


def test_judging_counts_nothing() -> None:
    tally = Tally(toy_scope())
    assert tally.judge(finding("bomb"), Where.PROMPT) is Action.BLOCK
    assert tally.decision().hits == ()
    assert not tally.has(finding("bomb"), Where.PROMPT)


def test_what_no_guardrail_names_is_no_hit() -> None:
    tally = Tally(toy_scope())
    assert tally.count(finding("something"), Where.PROMPT) is Action.ALLOW
    assert tally.decision().hits == ()


def test_a_block_says_why_by_which_rule_and_under_which_reference() -> None:
    tally = Tally(toy_scope('message: "{reason}|{rule}|{ref}"'))
    tally.count(finding("bomb"), Where.PROMPT)
    assert tally.decision().message == "bomb in the prompt|bombs|REF12345"


def test_a_guardrail_may_have_words_of_its_own() -> None:
    rules = rule_book(
        """
schema_version: 1
id: words
guardrails: [{id: g, detect: [custom/bomb], action: block, message: "No {reason}."}]
detectors: [{id: bomb, pattern: 'BOMB'}]
"""
    )
    tally = Tally(rules.scope(Subject(host="api.openai.com"), ref="R"))
    tally.count(finding("bomb"), Where.ANSWER)
    assert tally.decision().message == "No bomb in the answer."


def test_observing_says_what_would_have_been_and_applies_nothing() -> None:
    tally = Tally(toy_scope("mode: observe"))
    tally.count(finding("bomb"), Where.PROMPT)
    assert not tally.enforcing
    assert (tally.decision().action, tally.decision().applied) == (Action.BLOCK, False)
    assert not refusal(tally.scope, "because", rule="r").applied


def test_too_many_findings_are_treated_as_the_gravest_of_them() -> None:
    rest = Finding(start=0, end=9, family=Family.CUSTOM, type=LIMIT_TYPE, rule=LIMIT_RULE)
    tally = Tally(toy_scope())
    assert tally.count(rest, Where.PROMPT) is Action.BLOCK
    assert tally.decision().rule_ids == ("bombs",)


def test_a_refusal_names_its_rule_and_fills_its_template_in() -> None:
    decision = refusal(toy_scope(), "no way", rule="access-1", template="{reason} ({rule}, {ref})")
    assert decision.action is Action.BLOCK
    assert decision.rule_ids == ("access-1",)
    assert decision.message == "no way (access-1, REF12345)"


def test_a_marker_is_plain_ascii_and_names_the_kind() -> None:
    assert marker("aws_key") == "[REDACTED:aws_key]"
