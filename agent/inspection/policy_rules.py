"""The rules that a policy looks with: those that come with the program, those of its packs, and its own detectors."""

from __future__ import annotations

from dataclasses import replace

from agent.errors import PolicyError
from agent.guardrails import Rule, Scanner, bundled_rules, keyword_rule
from agent.guardrails.injection import INJECTION_TYPE, sought_in_windows
from agent.model.decision import Action
from agent.model.findings import Family
from agent.policy import Policy, guardrails
from agent.policy.glob import matches

PRIVATE = (Family.SECRET, Family.PII)
"""Families of findings that no check which asks a stranger is told."""


def private_scanner() -> Scanner:
    """Finds everything that our rules take for a credential or for personal data."""
    return Scanner(tuple(rule for rule in bundled_rules() if rule.family in PRIVATE))


def model_types() -> frozenset[str]:
    """The types of findings that only the injection model and its rules for windows make."""
    return frozenset({INJECTION_TYPE, *(rule.type for rule in sought_in_windows())})


def wanted(policy: Policy, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """The rules that some guardrail of the policy could act on. Of findings that overlap the one with the gravest
    action wins: an alert must not cover what is to be redacted, nor may a guardrail on trial."""
    found: list[Rule] = []
    for rule in rules:
        taken = actions(policy, rule.family, rule.type)
        if taken or rule.family is Family.CUSTOM:  # a detector that nobody uses is compiled, to be checked
            found.append(replace(rule, rank=max(taken, default=Action.ALLOW)))
    return tuple(found)


def actions(policy: Policy, family: Family, kind: str) -> list[Action]:
    """The actions that guardrails of the policy could take on such a finding; one on trial takes none."""
    return [
        min(guardrail.action, Action.ALERT) if guardrail.shadow else guardrail.action
        for guardrail in policy.guardrails
        if guardrails.rule_for((guardrail,), family, kind, guardrail.where[0]) is not None
    ]


def ordered(ours: tuple[Rule, ...], packs: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Of equal findings the rule that stands first wins: a company's before ours, and ours before its generic ones."""
    generic = [rule for rule in packs if rule.type.startswith("generic")]
    return (*(rule for rule in packs if rule not in generic), *ours, *generic)


def check_selectors(policy: Policy, rules: tuple[Rule, ...]) -> None:
    """Types of the families that packs bring are known only here. Raises PolicyError where a guardrail selects none."""
    families = {pack.family for pack in policy.packs}
    known = {(rule.family, rule.type) for rule in rules}
    known |= {(Family.CUSTOM, detector.id) for detector in policy.detectors}
    for guardrail in policy.guardrails:
        for selector in guardrail.detect:
            family, _, kind = selector.partition("/")
            of_pack = kind and family in families
            if of_pack and not any(each == family and matches(kind, its) for each, its in known):
                raise PolicyError(
                    f"guardrail {guardrail.id}: '{selector}' selects no known type, of ours or of the policy's packs",
                    hint="A type is the id of a pack's rule with '_' for '-'.",
                )


def detectors_of(policy: Policy) -> tuple[Rule, ...]:
    """The policy's own detectors, as rules. Those of fingerprints are none."""
    return tuple(
        Rule(id=detector.id, family=Family.CUSTOM, type=detector.id, pattern=detector.pattern)
        if detector.pattern
        else keyword_rule(detector.id, detector.keywords, case_sensitive=not detector.ignore_case)
        for detector in policy.detectors
        if detector.fingerprints is None
    )
