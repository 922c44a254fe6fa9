"""Why a policy judges an exchange as it does: every rule that was examined, in order, in words."""

from __future__ import annotations

from dataclasses import dataclass

from agent.policy.document import AccessRule, Guardrail, Policy, Scope
from agent.policy.scope import Subject, mismatch


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
    return Step(
        section=section,
        rule_id=rule.id,
        action=rule.action.word,
        matched=key is None,
        decides=decides and key is None,
        why=_fits(rule) if key is None else _misfit(rule, subject, key),
    )


def _fits(rule: AccessRule | Guardrail) -> str:
    scopes = ", ".join(key for key in (*Scope.model_fields, "paths") if getattr(rule, key, ()))
    scope = f"fits by {scopes}" if scopes else "applies to everything"
    match rule:
        case Guardrail():
            where = ", ".join(rule.where)
            return f"{scope}; {rule.action.word}s {', '.join(rule.detect)} in {where}"
        case _:
            return scope


def _misfit(rule: AccessRule | Guardrail, subject: Subject, key: str) -> str:
    value = getattr(subject, key.removesuffix("s"))
    patterns = ", ".join(getattr(rule, key))
    return f"{key.removesuffix('s')} '{value}' fits none of: {patterns}"
