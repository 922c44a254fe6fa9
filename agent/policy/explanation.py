"""Why a policy judges an exchange as it does: every rule that was examined, in order, in words."""

from __future__ import annotations

from dataclasses import dataclass

from agent.policy.access import fits
from agent.policy.document import AccessRule, Policy
from agent.policy.guardrail import Guardrail
from agent.policy.scope import Subject, mismatch
from agent.policy.section import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rule that was examined.

    `decides` marks the access rule that settles the matter; guardrails that match wait for findings.
    """

    section: str  # access or guardrails
    rule_id: str
    action: str
    matched: bool
    decides: bool
    why: str


def explain(policy: Policy, subject: Subject) -> tuple[Step, ...]:
    """The access rules down to the one that decides, then, unless it blocks, every guardrail."""
    steps: list[Step] = []
    for rule in policy.access:
        steps.append(_step("access", rule, subject, decides=True))
        if steps[-1].matched:
            break
    if steps and steps[-1].matched and steps[-1].action == "block":
        return tuple(steps)
    steps.extend(_step("guardrails", rule, subject, decides=False) for rule in policy.guardrails)
    return tuple(steps)


def _step(section: str, rule: AccessRule | Guardrail, subject: Subject, *, decides: bool) -> Step:
    key = mismatch(rule, subject)
    if key is None and isinstance(rule, AccessRule) and not fits(rule, subject):
        key = "when"
    return Step(
        section=section,
        rule_id=rule.id,
        action=rule.action.word,
        matched=key is None,
        decides=decides and key is None,
        why=_fits(rule) if key is None else _misfit(rule, subject, key),
    )


def _fits(rule: AccessRule | Guardrail) -> str:
    keys = [key for key in (*Scope.model_fields, "paths") if key != "when" and getattr(rule, key, None)]
    scope = f"fits by {', '.join(keys)}" if keys else "applies to everything"
    if rule.when is not None:
        scope += f", when {rule.when}"
    match rule:
        case Guardrail():
            return f"{scope}; {what_it_does(rule)}"
        case _:
            return scope


def what_it_does(rule: Guardrail) -> str:
    """What a guardrail does with which findings, in words."""
    words = [f"{rule.action.word}s {', '.join(rule.detect)} in {', '.join(rule.where)}"]
    if rule.roles:
        words.append(f"said by {', '.join(rule.roles)}")
    if rule.threshold:
        words.append(f"of a score of {rule.threshold} or more")
    if rule.at_least > 1:
        words.append(f"where there are {rule.at_least} different ones")
    if rule.sampling < 1:
        words.append(f"in {rule.sampling * 100:g} % of the exchanges")
    if rule.severity is not None:
        words.append(f"severity {rule.severity.word}")
    if rule.shadow:
        words.append("on trial (shadow): recorded only")
    return ", ".join(words)


def _misfit(rule: AccessRule | Guardrail, subject: Subject, key: str) -> str:
    if key == "when":
        return f"the condition does not hold: {rule.when}"
    value = getattr(subject, key.removesuffix("s"))
    patterns = ", ".join(getattr(rule, key))
    return f"{key.removesuffix('s')} '{value}' fits none of: {patterns}"
