"""The access rules: whether an exchange may take place. The first rule that fits decides; none allows."""

from __future__ import annotations

from dataclasses import dataclass

from agent.model.direct import direct
from agent.policy.document import AccessRule, Policy
from agent.policy.scope import Subject, met, mismatch


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class AccessVerdict:
    """The verdict of the access rules. `rule_id` is empty where no rule fitted; `message` is a template for
    `agent.policy.message.render`, empty where the exchange is allowed."""

    allowed: bool
    rule_id: str = ""
    message: str = ""
    reason: str = ""


def decide(policy: Policy, subject: Subject) -> AccessVerdict:
    """Judge `subject` by the policy's access rules. Whether a block is enforced is the policy's `mode`."""
    for rule in policy.access:
        if not fits(rule, subject):
            continue
        if rule.action.stops:
            return AccessVerdict(
                allowed=False,
                rule_id=rule.id,
                message=policy.block_message(rule),
                reason=f"access rule '{rule.id}' does not allow {_what(subject)}",
            )
        return AccessVerdict(allowed=True, rule_id=rule.id)
    return AccessVerdict(allowed=True)


def fits(rule: AccessRule, subject: Subject) -> bool:
    """Whether a rule applies. One whose condition fails applies if it blocks, and does not if it allows."""
    return mismatch(rule, subject) is None and met(rule.condition, subject, failed=rule.action.stops)


def _what(subject: Subject) -> str:
    return f"{subject.model} on {subject.host}" if subject.model else subject.host
