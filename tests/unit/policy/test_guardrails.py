"""Guardrails: for one finding, the first that names it decides."""

from __future__ import annotations

import pytest

from agent.model.content import Role, Where
from agent.model.decision import Action, Fallback
from agent.model.findings import Family, Finding
from agent.policy import Subject, guardrails, load
from agent.policy.guardrails import Conditions, Place, Reached, Verdict, sampled, speaking

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


NOTHING: Reached = frozenset()
EMAIL = Finding(start=0, end=9, family=Family.PII, type="email", rule="email", score=0.6)


def verdict(
    rules: str,
    *,
    where: Where = Where.PROMPT,
    role: Role | None = Role.USER,
    subject: Subject = OUTSIDE,
    reached: Reached = NOTHING,
) -> Verdict:
    policy = load(f"schema_version: 1\nid: p\nguardrails:\n{rules}", source="p.yaml")
    speakers = speaking(guardrails.select(policy, subject, "R"), EMAIL, Place(where=where, role=role))
    return guardrails.judge(speakers, Conditions(subject), reached, where)


def decider(rules: str, **more: object) -> str | None:
    found = verdict(rules, **more).guardrail  # type: ignore[arg-type]
    return None if found is None else found.id


LAST = "  - {id: last, detect: [pii], action: redact}\n"


@pytest.mark.parametrize(
    ("first", "decides"),
    [
        ("threshold: 0.6", "first"),
        ("threshold: 0.61", "last"),
        ("roles: [user]", "first"),
        ("roles: [system, tool_result]", "last"),
        ("when: size > 0", "last"),
        ('when: host.endsWith("openai.com")', "first"),
        ('when: direction == "answer"', "last"),
        ("sampling: 0", "last"),
        ("at_least: 2, where: [prompt]", "last"),
    ],
)
def test_a_guardrail_that_asks_for_more_leaves_the_finding_to_the_next(first: str, decides: str) -> None:
    assert decider(f"  - {{id: first, detect: [pii], action: block, {first}}}\n{LAST}") == decides


def test_where_the_speaker_is_not_known_every_guardrails_roles_fit() -> None:
    rules = f"  - {{id: first, detect: [pii], action: block, roles: [system]}}\n{LAST}"
    assert decider(rules, role=None) == "first"


def test_a_guardrail_that_has_found_enough_decides_in_that_part() -> None:
    rules = (
        f"  - {{id: bulk, detect: [pii], action: block, at_least: 9, where: [prompt, tool_result]}}\n{LAST}"
    )
    reached = frozenset({("bulk", Where.PROMPT)})
    assert decider(rules, reached=reached) == "bulk"
    assert decider(rules, reached=reached, where=Where.TOOL_RESULT) == "last"


def test_a_guardrail_on_trial_decides_nothing_and_hides_nothing() -> None:
    found = verdict(f"  - {{id: trial, detect: [pii], action: block, shadow: true}}\n{LAST}")
    assert [rule.id for rule in found.shadows] == ["trial"]
    assert found.guardrail is not None
    assert found.guardrail.id == "last"


def test_one_behind_the_decider_was_never_asked() -> None:
    assert verdict(LAST + "  - {id: trial, detect: [pii], action: block, shadow: true}\n").shadows == ()


FAILING = 'when: "attachments[0].size > 3"'


@pytest.mark.parametrize(
    ("doubtful", "behind", "decides"),
    [
        ("block", "redact", "doubtful"),
        ("redact", "block", "behind"),
        ("allow", "redact", "behind"),
        ("alert", "allow", "doubtful"),
    ],
)
def test_where_a_condition_fails_the_graver_of_both_decides(doubtful: str, behind: str, decides: str) -> None:
    rules = (
        f"  - {{id: doubtful, detect: [pii], action: {doubtful}, {FAILING}}}\n"
        f"  - {{id: behind, detect: [pii], action: {behind}}}\n"
    )
    assert decider(rules) == decides


def test_a_block_whose_condition_fails_blocks_where_nothing_else_decides() -> None:
    assert decider(f"  - {{id: only, detect: [pii], action: block, {FAILING}}}\n") == "only"


def test_a_sample_is_the_same_each_time_and_as_large_as_it_is_said() -> None:
    rule = load(
        "schema_version: 1\nid: p\nguardrails: [{id: g, detect: [pii], action: alert, sampling: 0.25}]",
        source="p.yaml",
    ).guardrails[0]
    chosen = [sampled(rule, f"{number:08X}") for number in range(4000)]
    assert chosen == [sampled(rule, f"{number:08X}") for number in range(4000)]
    assert 900 < sum(chosen) < 1100
