"""Which rules a policy looks with, in which order, and how gravely."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from agent.errors import PolicyError
from agent.guardrails import Rule
from agent.guardrails.injection import INJECTION_TYPE
from agent.inspection.policy_rules import (
    PRIVATE,
    check_selectors,
    model_types,
    ordered,
    private_scanner,
    wanted,
)
from agent.model.decision import Action
from agent.model.findings import Family
from agent.policy import load
from tests.fakes.rulebooks import rule_book, toy_policy


def rule(name: str) -> Rule:
    return Rule(id=name, family=Family.CUSTOM, type=name, pattern=name)


def test_only_rules_that_a_guardrail_can_act_on_are_compiled() -> None:
    assert {rule.family for rule in rule_book(toy_policy()).scanner.rules} == {Family.CUSTOM}
    rules = rule_book(
        "schema_version: 1\nid: p\nguardrails: [{id: g, detect: [pii/email], action: alert}]"
    ).scanner.rules
    assert {(rule.family, rule.type) for rule in rules} == {(Family.PII, "email")}


def test_words_are_found_as_the_policy_spells_them_or_in_any_case() -> None:
    rules = rule_book(
        """
schema_version: 1
id: words
guardrails: [{id: g, detect: [custom], action: alert}]
detectors:
  - {id: any-case, keywords: [Falcon]}
  - {id: exact-case, keywords: [Raven], ignore_case: false}
"""
    )
    found = [finding.rule for finding in rules.scan("falcon FALCON Raven raven falconry")]
    assert found == ["any-case", "any-case", "exact-case"]


def test_one_on_trial_takes_no_action_and_lends_its_rule_no_rank() -> None:
    policy = load(
        """
schema_version: 1
id: p
guardrails:
  - {id: tried, detect: [custom/a], action: block, shadow: true}
  - {id: meant, detect: [custom/b], action: redact}
detectors: [{id: a, pattern: 'AAA'}, {id: b, pattern: 'BBB'}]
""",
        source="policy.yaml",
    )
    ranks = {each.id: each.rank for each in wanted(policy, (rule("a"), rule("b"), rule("c")))}
    assert ranks == {"a": Action.ALERT, "b": Action.REDACT, "c": Action.ALLOW}


def test_a_companys_rules_come_before_ours_and_ours_before_its_generic_ones() -> None:
    packs = (rule("generic-key"), rule("acme"))
    assert [each.id for each in ordered((rule("ours"),), packs)] == ["acme", "ours", "generic-key"]


def test_a_guardrail_for_a_type_that_no_pack_has_is_the_policys_mistake() -> None:
    policy = load(toy_policy(), source="policy.yaml")
    check_selectors(policy, ())  # what the program knows itself was checked before
    packs = policy.model_copy(update={"packs": (SimpleNamespace(family="custom"),)})
    with pytest.raises(PolicyError, match="selects no known type"):
        check_selectors(packs.model_copy(update={"detectors": ()}), ())


def test_what_no_stranger_is_told_is_of_the_private_families() -> None:
    assert {each.family for each in private_scanner().rules} == set(PRIVATE)


def test_the_model_has_types_of_its_own() -> None:
    assert INJECTION_TYPE in model_types()
    assert not model_types() & {each.type for each in private_scanner().rules}
