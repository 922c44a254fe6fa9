"""The policies we ship, and the allow and deny examples beside them."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from agent.model.content import Where
from agent.model.decision import Action
from agent.model.findings import Family
from agent.policy import Policy, Subject, access, guardrails, load

FOLDER = Path(__file__).parents[3] / "policies"
FILES = ("default/policy.yaml", "examples/strict.yaml", "examples/central.yaml", "examples/checks.yaml")


def policy_of(file: str) -> Policy:
    return load((FOLDER / file).read_text(encoding="utf-8"), source=file)


def cases(section: str) -> list[tuple[str, dict[str, str]]]:
    return [
        (file, case)
        for file in FILES
        for case in yaml.safe_load((FOLDER / file).with_suffix(".examples.yaml").read_text(encoding="utf-8"))[
            section
        ]
    ]


@pytest.mark.parametrize(("file", "case"), cases("findings"))
def test_findings_are_treated_as_the_examples_say(file: str, case: dict[str, str]) -> None:
    family, _, kind = case["finding"].partition("/")
    policy = policy_of(file)
    rules = guardrails.select(policy, Subject(host="api.openai.com"))
    rule = guardrails.rule_for(rules, Family(family), kind, Where(case["where"]))
    assert (rule.action if rule else Action.ALLOW) is Action.parse(case["action"])
    assert (rule.id if rule else None) == case.get("rule")


@pytest.mark.parametrize(("file", "case"), cases("access"))
def test_access_is_decided_as_the_examples_say(file: str, case: dict[str, str]) -> None:
    known = {field.name for field in fields(Subject)}
    verdict = access.decide(policy_of(file), Subject(**{key: case[key] for key in case.keys() & known}))
    assert verdict.allowed is (case["action"] == "allow")
    assert verdict.rule_id == case.get("rule", "")


def test_the_default_policy_blocks_nothing() -> None:
    policy = policy_of("default/policy.yaml")
    assert not any(rule.action is Action.BLOCK for rule in (*policy.access, *policy.guardrails))
    assert policy.fallback(policy.guardrails[0]) == "allow"
