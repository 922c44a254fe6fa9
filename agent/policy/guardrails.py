"""Which guardrail decides about a finding. Detectors find, a guardrail says what is done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

from agent.model.content import Role, Where
from agent.model.findings import Family, Finding
from agent.policy.conditions import ConditionFailed
from agent.policy.document import Policy
from agent.policy.glob import matches
from agent.policy.guardrail import Guardrail
from agent.policy.scope import Subject, facts, mismatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the guardrails say about a finding: the one that decides, and those on trial that would have."""

    guardrail: Guardrail | None = None
    shadows: tuple[Guardrail, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a finding stands. `role` is None where it is not known: then every guardrail's roles fit."""

    where: Where
    role: Role | None = None


type Reached = frozenset[tuple[str, Where]]
"""Ids of the guardrails with `at_least` that have found enough, and in which part of the exchange."""


class Conditions:
    """The answers to the guardrails' conditions about one exchange, each asked for once and only when needed."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._known: dict[tuple[str, Where], bool | None] = {}

    def holds(self, rule: Guardrail, where: Where) -> bool | None:
        """Whether the condition of `rule` holds, None where it fails."""
        if rule.condition is None:
            return True
        key = (rule.id, where)
        if key not in self._known:
            try:
                self._known[key] = rule.condition.holds(facts(self._subject, where))
            except ConditionFailed:
                self._known[key] = None
        return self._known[key]


def select(policy: Policy, subject: Subject, ref: str = "") -> tuple[Guardrail, ...]:
    """The guardrails whose keys fit `subject`, in the policy's order; of those that sample, the ones that look at the
    exchange `ref`. Computed once per exchange; conditions are left for when there is a finding."""
    if not policy.discerning:
        return policy.guardrails
    return tuple(
        rule
        for rule in policy.guardrails
        if mismatch(rule, subject) is None and (rule.sampling >= 1 or sampled(rule, ref))
    )


def sampled(rule: Guardrail, ref: str) -> bool:
    """Whether `rule` looks at the exchange `ref`: the same answer each time, for the rule's share of all."""
    digest = blake2b(f"{rule.id}\0{ref}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) < rule.sampling * 2**64


def rule_for(
    guardrails: tuple[Guardrail, ...],
    family: Family,
    type: str,  # noqa: A002 - the findings' own word
    where: Where,
) -> Guardrail | None:
    """The first of `guardrails` that speaks about such a finding in that part of the exchange, whatever else it asks
    for."""
    for rule in guardrails:
        if where in rule.where and any(selects(selector, family, type) for selector in rule.detect):
            return rule
    return None


def speaking(guardrails: tuple[Guardrail, ...], finding: Finding, place: Place) -> Iterator[Guardrail]:
    """Those of `guardrails` that speak about this finding, in order; neither conditions nor counts are asked."""
    for rule in guardrails:
        if (
            place.where in rule.where
            and (not rule.roles or place.role is None or place.role in rule.roles)
            and finding.score >= rule.threshold
            and any(selects(selector, finding.family, finding.type) for selector in rule.detect)
        ):
            yield rule


def judge(rules: Iterator[Guardrail], conditions: Conditions, reached: Reached, where: Where) -> Verdict:
    """Which of `rules`, those that speak about a finding, decides: the first whose condition holds and that has found
    enough. One on trial decides nothing and hides nothing. Where a condition fails it is not known whether its rule
    would decide: then the graver decides, it or the one that decides without it."""
    shadows: list[Guardrail] = []
    doubtful: list[Guardrail] = []
    decider: Guardrail | None = None
    for rule in rules:
        if rule.at_least > 1 and (rule.id, where) not in reached:
            continue
        holds = conditions.holds(rule, where)
        if holds is False:
            continue
        if rule.shadow:
            shadows.append(rule)
        elif holds is None:
            doubtful.append(rule)
        else:
            decider = rule
            break
    candidates = [*doubtful, *([] if decider is None else [decider])]
    graver = max(candidates, key=lambda rule: rule.action, default=None)
    return Verdict(guardrail=graver, shadows=tuple(shadows))


def selects(selector: str, family: Family, kind: str) -> bool:
    """Whether a selector (a family, or family/type with a glob) names findings of that kind."""
    wanted, slash, pattern = selector.partition("/")
    return wanted == family and (not slash or pattern == kind or matches(pattern, kind))
