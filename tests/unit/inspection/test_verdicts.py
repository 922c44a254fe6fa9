"""From findings to a decision."""

from __future__ import annotations

from dataclasses import replace

from agent.guardrails import LIMIT_RULE, LIMIT_TYPE
from agent.inspection.justified import Justified
from agent.inspection.verdicts import Tally, refusal
from agent.model.content import Role, Where
from agent.model.decision import Action, Severity
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


TRIAL = """
schema_version: 1
id: trial
guardrails:
  - {id: trial, detect: [custom/bomb], action: block, shadow: true, severity: high}
  - {id: real, detect: [custom/bomb], action: alert, severity: info}
detectors: [{id: bomb, pattern: 'BOMB'}]
"""


def test_a_guardrail_on_trial_is_recorded_beside_the_one_that_decides() -> None:
    tally = Tally(rule_book(TRIAL).scope(Subject(host="h"), ref="R"))
    assert tally.count(finding("bomb"), Where.PROMPT) is Action.ALERT
    assert tally.count(finding("bomb"), Where.PROMPT) is Action.ALERT
    decision = tally.decision()
    assert (decision.action, decision.rule_ids, decision.message) == (Action.ALERT, ("real",), "")
    assert decision.reason == "bomb in the prompt"
    assert [(hit.guardrail, hit.action, hit.shadow, hit.count) for hit in decision.hits] == [
        ("trial", Action.BLOCK, True, 2),
        ("real", Action.ALERT, False, 2),
    ]
    assert decision.severity is Severity.INFO


def test_a_hit_has_the_score_of_its_surest_finding() -> None:
    tally = Tally(toy_scope())
    for score in (0.2, 0.7, 0.4):
        tally.count(replace(finding("toy"), score=score), Where.PROMPT)
    assert tally.decision().hits[0].score == 0.7


ASKING = """
schema_version: 1
id: asking
message: "blocked: {reason}"
ask: {message: "why {reason}? {ref}"}
guardrails: [{id: g, detect: [custom], action: ask}]
detectors: [{id: bomb, pattern: 'BOMB-.'}]
"""


def asking(justified: Justified) -> Tally:
    scope = rule_book(ASKING).scope(Subject(host="h"), ref="R")
    return Tally(replace(scope, justified=justified))


def test_a_question_names_its_findings_by_fingerprint_and_each_value_once() -> None:
    tally = asking(Justified(key=b"k"))
    for value in ("BOMB-1", "BOMB-2", "BOMB-1"):
        assert tally.count(finding("bomb"), Where.PROMPT, role=Role.USER, value=value) is Action.ASK
    decision = tally.decision()
    assert (decision.action, decision.message) == (Action.ASK, "why bomb in the prompt? R")
    [hit] = decision.hits
    assert (hit.count, len(hit.fingerprints)) == (3, 2)
    assert "BOMB" not in "".join(hit.fingerprints)


def test_a_reason_covers_exactly_the_values_it_was_given_for() -> None:
    known = Justified(key=b"k").fingerprint(finding("bomb"), "BOMB-1")
    tally = asking(Justified(key=b"k", reasons={("g", known): "a test"}))
    assert tally.count(finding("bomb"), Where.PROMPT, value="BOMB-1") is Action.ALERT
    assert tally.decision().action is Action.ALERT
    assert [(hit.justification, hit.fingerprints) for hit in tally.decision().hits] == [("a test", ())]
    assert tally.count(finding("bomb"), Where.PROMPT, value="BOMB-2") is Action.ASK
    assert tally.decision().action is Action.ASK


def test_a_question_about_an_answer_is_a_block_in_the_policys_words() -> None:
    tally = asking(Justified(key=b"k"))
    assert tally.count(finding("bomb"), Where.ANSWER) is Action.BLOCK
    assert tally.decision().message == "blocked: bomb in the answer"


BULK = """
schema_version: 1
id: bulk
guardrails:
  - {id: ours, detect: [custom/ours], action: allow}
  - {id: bulk, detect: [custom], where: [prompt], action: block, at_least: 2}
  - {id: few, detect: [custom], action: alert}
detectors: [{id: name, pattern: 'N[0-9]'}, {id: ours, pattern: 'O[0-9]'}]
"""


def test_enough_is_counted_in_different_values_that_no_guardrail_before_took() -> None:
    def decided(*values: str) -> Action:
        tally = Tally(rule_book(BULK).scope(Subject(host="h"), ref="R"))
        found = [(finding("ours" if value[0] == "O" else "name"), value) for value in values]
        tally.weigh((each, Where.PROMPT, Role.USER, value) for each, value in found)
        for each, value in found:
            tally.count(each, Where.PROMPT, role=Role.USER, value=value)
        return tally.decision().action

    assert decided("N1", "N2") is Action.BLOCK
    assert decided("N1", "N1", "N1") is Action.ALERT
    assert decided("N1", "O1", "O2") is Action.ALERT
