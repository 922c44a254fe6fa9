"""Routing rules: which of a policy's rules decides where a request goes. The first that fits does; none is usual.

A condition that fails at run time counts for safety, as everywhere: a rule that refuses or keeps things private
applies, one that only chooses does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.policy.conditions import MAX_LISTED, ConditionFailed, Value
from agent.policy.glob import first_match
from agent.policy.routes import RoutingRule
from agent.policy.scope import Subject, facts, mismatch
from agent.routing.complexity import Complexity


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the rules are asked about: who asks for what, and what is known once the request has been inspected."""

    subject: Subject
    tokens: int = 0  # of input, estimated
    tier: Complexity = Complexity.SIMPLE
    cost_usd: float = 0.0  # estimated, with the model that was asked for
    labels: tuple[str, ...] = ()  # of data found in it: families and types of findings
    virtual_key: str = ""  # its id
    team: str = ""


def deciding_rule(rules: Sequence[RoutingRule], question: Question) -> RoutingRule | None:
    """The first of `rules` that fits."""
    known: Mapping[str, Value] | None = None
    for rule in rules:
        if not _in_scope(rule, question):
            continue
        if rule.condition is None:
            return rule
        if known is None:
            known = _facts(question)
        try:
            holds = rule.condition.holds(known)
        except ConditionFailed:
            holds = bool(rule.refuse) or rule.require_private
        if holds:
            return rule
    return None


def _in_scope(rule: RoutingRule, question: Question) -> bool:
    if rule.virtual_keys and first_match(rule.virtual_keys, question.virtual_key) is None:
        return False
    if rule.teams and first_match(rule.teams, question.team) is None:
        return False
    return mismatch(rule, question.subject) is None


def _facts(question: Question) -> Mapping[str, Value]:
    return {
        **facts(question.subject),
        "tokens": question.tokens,
        "tier": question.tier.value,
        "cost": question.cost_usd,
        "labels": list(question.labels[:MAX_LISTED]),
        "virtual_key": question.virtual_key,
        "team": question.team,
    }
