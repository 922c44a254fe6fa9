"""Which guardrail decides about a finding. Detectors find, a guardrail says what is done."""

from __future__ import annotations

from agent.model.content import Where
from agent.model.findings import Family
from agent.policy.document import Guardrail, Policy
from agent.policy.glob import matches
from agent.policy.scope import Subject, mismatch


def select(policy: Policy, subject: Subject) -> tuple[Guardrail, ...]:
    """The guardrails whose scope fits `subject`, in the policy's order. Computed once per exchange."""
    return tuple(rule for rule in policy.guardrails if mismatch(rule, subject) is None)


def rule_for(
    guardrails: tuple[Guardrail, ...],
    family: Family,
    type: str,  # noqa: A002 - the findings' own word
    where: Where,
) -> Guardrail | None:
    """The first of `guardrails` that speaks about such a finding in that part of the exchange."""
    for rule in guardrails:
        if where in rule.where and any(_selects(selector, family, type) for selector in rule.detect):
            return rule
    return None


def _selects(selector: str, family: Family, kind: str) -> bool:
    wanted, slash, pattern = selector.partition("/")
    return wanted == family and (not slash or pattern == kind or matches(pattern, kind))
