"""What a guardrail may say about itself."""

from __future__ import annotations

import pytest

from agent.errors import PolicyError
from agent.model.decision import Action, Severity
from agent.policy import Guardrail, load


def guardrail(more: str, action: str = "alert") -> Guardrail:
    rule = f"{{id: g, detect: [pii], action: {action}{more}}}"
    return load(f"schema_version: 1\nid: p\nguardrails: [{rule}]", source="p").guardrails[0]


def test_what_is_left_out_changes_nothing() -> None:
    rule = guardrail("")
    assert (rule.roles, rule.threshold, rule.at_least, rule.sampling, rule.shadow) == ((), 0.0, 1, 1.0, False)
    assert rule.condition is None


@pytest.mark.parametrize("action", list(Action))
def test_the_severity_is_that_of_the_action_or_another(action: Action) -> None:
    assert guardrail("", action.word).grade is Severity.of(action)
    assert guardrail(", severity: critical", action.word).grade is Severity.CRITICAL


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ("threshold: 1.1", "threshold: must be less than or equal to 1"),
        ("sampling: -1", "sampling: must be greater than or equal to 0"),
        ("severity: urgent", "severity: must be one of: info, low, medium, high, critical"),
        ("at_least: 2", "'at_least' cannot count an answer"),
        ("at_least: 0, where: [prompt]", "at_least: must be greater than or equal to 1"),
        ("roles: [human]", "roles[0]: must be one of: system, user, assistant, tool_call, tool_result"),
        ("roles: [user], where: [answer]", "'roles': user never speaks in: answer"),
        ("roles: [tool_result], where: [prompt]", "'roles': tool_result never speaks in: prompt"),
        ("when: 'size >'", "when: is not CEL"),
        ("when: 'sise > 3'", "when: there is no variable 'sise'"),
        ("shadow: maybe", "shadow: must be true or false"),
        ("examples: {matches: []}", "unknown key 'matches': did you mean 'match'?"),
    ],
)
def test_a_key_that_cannot_work_is_refused(more: str, wrong: str) -> None:
    with pytest.raises(PolicyError) as caught:
        guardrail(f", {more}")
    assert wrong in str(caught.value)
    assert str(caught.value).startswith("p:3:")


def test_what_ask_says_and_how_long_a_reason_holds_is_the_policys() -> None:
    policy = load("schema_version: 1\nid: p\nask: {minutes: 5, message: 'why? {ref}'}", source="p")
    assert (policy.ask.minutes, policy.ask.message) == (5, "why? {ref}")
    with pytest.raises(PolicyError, match=r"ask\.minutes: must be less than or equal to 1440"):
        load("schema_version: 1\nid: p\nask: {minutes: 1441}", source="p")
