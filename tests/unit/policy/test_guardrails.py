"""Guardrails: for one finding, the first that names it decides."""

from __future__ import annotations

import pytest

from agent.model.content import Where
from agent.model.decision import Action, Fallback
from agent.model.findings import Family
from agent.policy import Subject, guardrails, load

POLICY = load(
    """
schema_version: 1
id: p
on_error: allow
guardrails:
  - {id: test-keys, detect: [secret/stripe_test_*], action: allow}
  - {id: laptop-only, detect: [secret], hosts: ["*.internal.example"], action: alert}
  - {id: secrets, detect: [secret], where: [prompt, tool_result], action: block, on_error: block}
  - {id: answers, detect: [secret, pii/email], where: [answer], action: redact}
""",
    source="p.yaml",
)
OUTSIDE = Subject(host="api.openai.com")
INSIDE = Subject(host="llm.internal.example")


@pytest.mark.parametrize(
    ("family", "kind", "where", "rule"),
    [
        (Family.SECRET, "stripe_test_key", Where.PROMPT, "test-keys"),
        (Family.SECRET, "github_token", Where.PROMPT, "secrets"),
        (Family.SECRET, "github_token", Where.ANSWER, "answers"),
        (Family.PII, "email", Where.ANSWER, "answers"),
        (Family.PII, "email", Where.PROMPT, None),
        (Family.PII, "phone", Where.ANSWER, None),
        (Family.CUSTOM, "secret", Where.PROMPT, None),
    ],
)
def test_the_first_guardrail_that_names_the_finding_decides(
    family: Family, kind: str, where: Where, rule: str | None
) -> None:
    found = guardrails.rule_for(guardrails.select(POLICY, OUTSIDE), family, kind, where)
    assert (found.id if found else None) == rule


def test_scopes_are_settled_before_findings() -> None:
    assert [rule.id for rule in guardrails.select(POLICY, OUTSIDE)] == ["test-keys", "secrets", "answers"]
    rule = guardrails.rule_for(guardrails.select(POLICY, INSIDE), Family.SECRET, "github_token", Where.PROMPT)
    assert rule is not None
    assert rule.action is Action.ALERT


def test_a_guardrail_falls_back_as_it_says_or_as_the_policy_says() -> None:
    fallbacks = {rule.id: POLICY.fallback(rule) for rule in POLICY.guardrails}
    assert fallbacks["secrets"] is Fallback.BLOCK
    assert fallbacks["answers"] is Fallback.ALLOW
