"""Which rule of the policy decides about a file, and whether it refuses it. Values in, an answer out.

The first rule that fits a file decides; none lets it go, read.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.model.content import Attachment
from agent.model.decision import Fallback
from agent.model.reading import Problem
from agent.policy.attachment_rules import AttachmentRule
from agent.policy.document import Policy
from agent.policy.glob import first_match
from agent.policy.scope import Subject, met, mismatch

NO_RULE = AttachmentRule(id="attachments")
"""What holds for a file that no rule fits: it may go, and is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Why a file may not go: words for people, without its name."""

    rule: AttachmentRule
    reason: str


def refusal_of(rule: AttachmentRule, attachment: Attachment, *, count: int) -> Refused | None:
    """Whether the rule that fits a file refuses it, being the `count`th of its request that the rule fits."""
    what = f"{attachment.type or attachment.media_type or attachment.kind}"
    if rule.action.stops:
        return Refused(rule=rule, reason=f"files of this kind ({what}) may not go along")
    if rule.max_bytes is not None and (attachment.size or 0) > rule.max_bytes:
        return Refused(rule=rule, reason=f"a file is larger than {rule.max_bytes} bytes")
    if rule.max_count is not None and count > rule.max_count:
        return Refused(rule=rule, reason=f"more than {rule.max_count} files go along")
    unread = bool(attachment.problem) and attachment.problem != Problem.PENDING
    if unread and rule.read and rule.on_unreadable is Fallback.BLOCK:
        return Refused(
            rule=rule, reason=f"a file ({what}) cannot be read ({attachment.problem.replace('_', ' ')})"
        )
    return None


def rule_for(policy: Policy, subject: Subject, attachment: Attachment) -> AttachmentRule:
    """The first rule that fits a file of the exchange, `NO_RULE` where none does. A rule whose condition fails fits if
    it blocks."""
    for rule in policy.attachments:
        if mismatch(rule, subject) is not None or not _fits(rule, attachment):
            continue
        if met(rule.condition, subject, failed=rule.action.stops):
            return rule
    return NO_RULE


def may_be_read(policy: Policy, subject: Subject, attachment: Attachment) -> bool:
    """Whether a file of which nobody knows yet what it is may have to be read: only where the rule that decides knows
    it by what its sender says."""
    for rule in policy.attachments:
        if mismatch(rule, subject) is not None or not _fits(rule, attachment, blindly=True):
            continue
        certain = not rule.types and rule.condition is None
        return rule.read or not certain
    return True


def _fits(rule: AttachmentRule, attachment: Attachment, *, blindly: bool = False) -> bool:
    if rule.types and not blindly and first_match(rule.types, attachment.type) is None:
        return False
    if rule.media_types and first_match(rule.media_types, attachment.media_type.lower()) is None:
        return False
    return not rule.extensions or _extension(attachment.name) in rule.extensions


def _extension(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""
