"""From findings to a decision: which guardrail decides, how hits are counted, what the client is told."""

from __future__ import annotations

from collections.abc import Iterable

from agent.guardrails import LIMIT_RULE
from agent.inspection.rules import MARKER, Scope, on_error
from agent.model.content import Where
from agent.model.decision import Action, Decision, Fallback, Hit
from agent.model.findings import Family, Finding
from agent.policy import Guardrail, Mode, guardrails, message


def marker(kind: str) -> str:
    """What stands in the place of a redacted text: ASCII, typed, safe in JSON, Markdown and shells."""
    return f"{MARKER}{kind}]"


class Tally:
    """Collects the hits of one exchange and turns them into its decision."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._hits: dict[tuple[str, str, Where], Hit] = {}
        self._blocking: tuple[Guardrail, Hit] | None = None

    def judge(self, finding: Finding, where: Where) -> Action:
        """Which action the policy takes on a finding, without counting it."""
        guardrail = self._guardrail(finding, where)
        return Action.ALLOW if guardrail is None else guardrail.action

    def count(self, finding: Finding, where: Where) -> Action:
        """Count a finding; returns the action that its guardrail asks for (ALLOW where none applies)."""
        guardrail = self._guardrail(finding, where)
        if guardrail is None:
            return Action.ALLOW
        key = (_rule_of(finding), guardrail.id, where)
        seen = self._hits.get(key)
        hit = Hit(
            family=finding.family,
            type=finding.type,
            rule=finding.rule,
            guardrail=guardrail.id,
            where=where,
            action=guardrail.action,
            count=1 if seen is None else seen.count + 1,
        )
        self._hits[key] = hit
        if guardrail.action is Action.BLOCK and self._blocking is None:
            self._blocking = (guardrail, hit)
        return guardrail.action

    def has(self, finding: Finding, where: Where) -> bool:
        """Whether this finding's rule has been counted in that part of the exchange."""
        return any(rule == _rule_of(finding) and place is where for rule, _, place in self._hits)

    @property
    def enforcing(self) -> bool:
        """Whether actions are carried out, or only recorded (observe mode)."""
        return self.scope.rules.policy.mode is Mode.ENFORCE

    def decision(self) -> Decision:
        """The decision on everything counted so far."""
        hits = tuple(self._hits.values())
        action = max((hit.action for hit in hits), default=Action.ALLOW)
        return Decision(
            action=action,
            reason="; ".join(sorted({_reason(hit) for hit in hits if hit.action is action and hit.action})),
            message=self._message() if action is Action.BLOCK else "",
            rule_ids=_unique(hit.guardrail for hit in hits),
            hits=hits,
            applied=self.enforcing,
        )

    def _guardrail(self, finding: Finding, where: Where) -> Guardrail | None:
        """The guardrail that decides. On the rest of a text with too many findings, which were not told apart, it is
        the gravest."""
        if (
            finding.rule == LIMIT_RULE and finding.family is not Family.CHECK
        ):  # a service may call anything so
            there = (guardrail for guardrail in self.scope.guardrails if where in guardrail.where)
            return max(there, key=lambda guardrail: guardrail.action, default=None)
        return guardrails.rule_for(self.scope.guardrails, finding.family, finding.type, where)

    def _message(self) -> str:
        assert self._blocking is not None
        guardrail, hit = self._blocking
        template = self.scope.rules.policy.block_message(guardrail)
        return message.render(template, reason=_reason(hit), rule=guardrail.id, ref=self.scope.ref)


def refusal(scope: Scope, reason: str, *, rule: str, template: str = "") -> Decision:
    """The decision to block for a reason that is no finding: an access rule, an unknown format, a failed check."""
    policy = scope.rules.policy
    return Decision(
        action=Action.BLOCK,
        reason=reason,
        message=message.render(template or policy.message, reason=reason, rule=rule, ref=scope.ref),
        rule_ids=(rule,),
        applied=policy.mode is Mode.ENFORCE,
    )


def failed_check(scope: Scope) -> Decision:
    """The decision where the inspection itself crashed: what the policy's `on_error` asks for."""
    reason = "the check itself failed"
    if on_error(scope) is Fallback.BLOCK:
        return refusal(scope, reason, rule="on_error")
    return Decision(reason=reason)


def _reason(hit: Hit) -> str:
    place = {Where.PROMPT: "the prompt", Where.TOOL_RESULT: "a tool result", Where.ANSWER: "the answer"}[
        hit.where
    ]
    return f"{hit.type.replace('_', ' ')} in {place}"


def _rule_of(finding: Finding) -> str:
    """What tells hits apart. A check's rules are a service's categories: two services may share a name."""
    return f"{finding.type}/{finding.rule}" if finding.family is Family.CHECK else finding.rule


def _unique(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ids))
