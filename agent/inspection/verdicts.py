"""From findings to a decision: which guardrail decides, how hits are counted, what the client is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from agent.guardrails import LIMIT_RULE
from agent.inspection.rules import Scope, on_error
from agent.model.content import OnRedact, Role, Where
from agent.model.decision import CLEAN, Action, Decision, Fallback, Hit
from agent.model.findings import Family, Finding
from agent.policy import Guardrail, Mode, guardrails, message
from agent.policy.guardrails import Place, Reached, Verdict

MAX_FINGERPRINTS = 1000
"""Of one hit. A request with more different values cannot be justified."""

_PLACES = {Where.PROMPT: "the prompt", Where.TOOL_RESULT: "a tool result", Where.ANSWER: "the answer"}
_IN_FILE = "a file"
_FIXED = "a file that cannot be rewritten"

type _Key = tuple[str, str, Where, Action, str, str]


class Tally:
    """Collects the hits of one exchange and turns them into its decision."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._conditions = guardrails.Conditions(scope.subject)
        self._reached: Reached = frozenset()
        self._hits: dict[_Key, Hit] = {}
        self._fingerprints: dict[_Key, dict[str, None]] = {}
        self._stopping: dict[Action, tuple[Guardrail, Hit]] = {}

    @property
    def weighs(self) -> bool:
        """Whether a guardrail wants to see all findings of a request first, to count them: see `weigh`."""
        return self.scope.counts

    def weigh(self, findings: Iterable[tuple[Finding, Where, Role, str]]) -> None:
        """Look at all findings of a request with their values, once, before they are counted. A guardrail with
        `at_least` counts different values, of the findings that no guardrail before it decides about."""
        values: dict[tuple[str, Where], set[tuple[str, str]]] = {}
        for finding, where, role, value in findings:
            for rule in guardrails.speaking(self.scope.guardrails, finding, Place(where=where, role=role)):
                if self._conditions.holds(rule, where) is False:
                    continue
                if rule.at_least > 1:
                    values.setdefault((rule.id, where), set()).add((finding.type, value))
                elif not rule.shadow:
                    break
        enough = {rule.id: rule.at_least for rule in self.scope.guardrails}
        self._reached = frozenset(key for key, found in values.items() if len(found) >= enough[key[0]])

    def judge(
        self,
        finding: Finding,
        where: Where,
        *,
        role: Role | None = None,
        value: str | None = None,
        on_redact: OnRedact | None = None,
    ) -> Action:
        """Which action the policy takes on a finding, without counting it. `on_redact` says what takes the place of an
        action that rewrites, in a text that cannot be rewritten."""
        guardrail = self._verdict(finding, Place(where=where, role=role)).guardrail
        if guardrail is None:
            return Action.ALLOW
        return _carried_out(self._action(guardrail, finding, where, value)[0], on_redact)

    def count(
        self,
        finding: Finding,
        where: Where,
        *,
        role: Role | None = None,
        value: str | None = None,
        on_redact: OnRedact | None = None,
    ) -> Action:
        """Count a finding, whose text is `value` where it is known; returns the action to be taken on it (ALLOW where
        no guardrail applies). `on_redact` as for `judge`."""
        verdict = self._verdict(finding, Place(where=where, role=role))
        place = _IN_FILE if role is Role.FILE else ""
        for shadow in verdict.shadows:
            self._add(
                finding, shadow, where, _carried_out(_in_place(shadow.action, where), on_redact), place=place
            )
        guardrail = verdict.guardrail
        if guardrail is None:
            return Action.ALLOW
        action, fingerprint, reason = self._action(guardrail, finding, where, value)
        wanted, action = action, _carried_out(action, on_redact)
        if wanted is not action:
            place = _FIXED
        key = self._add(finding, guardrail, where, action, reason, place)
        if action is Action.ASK and fingerprint:
            known = self._fingerprints.setdefault(key, {})
            if len(known) < MAX_FINGERPRINTS:
                known[fingerprint] = None
        if action.stops:
            self._stopping.setdefault(action, (guardrail, self._hits[key]))
        return action

    def has(self, finding: Finding, where: Where) -> bool:
        """Whether this finding's rule has been counted in that part of the exchange."""
        return any(key[0] == _rule_of(finding) and key[2] is where for key in self._hits)

    @property
    def enforcing(self) -> bool:
        """Whether actions are carried out, or only recorded (observe mode)."""
        return self.scope.rules.policy.mode is Mode.ENFORCE

    def decision(self) -> Decision:
        """The decision on everything counted so far."""
        if not self._hits and self.enforcing:
            return CLEAN
        hits = tuple(
            replace(hit, fingerprints=tuple(self._fingerprints[key])) if key in self._fingerprints else hit
            for key, hit in self._hits.items()
        )
        real = [hit for hit in hits if not hit.shadow]
        action = max((hit.action for hit in real), default=Action.ALLOW)
        return Decision(
            action=action,
            reason="; ".join(sorted({_reason(hit) for hit in real if hit.action is action and hit.action})),
            message=self._message(action) if action.stops else "",
            rule_ids=_unique(hit.guardrail for hit in real),
            hits=hits,
            applied=self.enforcing,
        )

    def _verdict(self, finding: Finding, place: Place) -> Verdict:
        """Which guardrail decides. On the rest of a text with too many findings, which were not told apart, it is the
        gravest."""
        if (
            finding.rule == LIMIT_RULE and finding.family is not Family.CHECK
        ):  # a service may call anything so
            there = (
                rule
                for rule in self.scope.guardrails
                if place.where in rule.where
                and not rule.shadow
                and self._conditions.holds(rule, place.where) is not False
            )
            return Verdict(guardrail=max(there, key=lambda rule: rule.action, default=None))
        speaking = guardrails.speaking(self.scope.guardrails, finding, place)
        return guardrails.judge(speaking, self._conditions, self._reached, place.where)

    def _action(
        self, guardrail: Guardrail, finding: Finding, where: Where, value: str | None
    ) -> tuple[Action, str, str]:
        """The action, and where it is to ask, the finding's fingerprint and the reason that was given for it."""
        action = _in_place(guardrail.action, where)
        if action is not Action.ASK or value is None:
            return action, "", ""
        justified = self.scope.justified
        fingerprint = justified.fingerprint(finding, value)
        reason = justified.reason(guardrail.id, fingerprint) if fingerprint else ""
        return (Action.ALERT if reason else action), fingerprint, reason

    def _add(
        self,
        finding: Finding,
        guardrail: Guardrail,
        where: Where,
        action: Action,
        reason: str = "",
        place: str = "",
    ) -> _Key:
        key: _Key = (_rule_of(finding), guardrail.id, where, action, reason, place)
        seen = self._hits.get(key)
        if seen is None:
            self._hits[key] = Hit(
                family=finding.family,
                type=finding.type,
                rule=finding.rule,
                guardrail=guardrail.id,
                where=where,
                action=action,
                severity=guardrail.grade,
                score=finding.score,
                shadow=guardrail.shadow,
                justification=reason,
                place=place,
            )
        else:
            self._hits[key] = replace(seen, count=seen.count + 1, score=max(seen.score, finding.score))
        return key

    def _message(self, action: Action) -> str:
        guardrail, hit = self._stopping[action]
        template = self.scope.rules.policy.stop_message(guardrail, action)
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


def _in_place(action: Action, where: Where) -> Action:
    """An answer cannot be asked for again as it was: there, to ask is to block. And it goes to the user, from whom
    there is nothing to hide: there, what would be pseudonymised is only noted."""
    if where is Where.ANSWER:
        if action is Action.ASK:
            return Action.BLOCK
        if action is Action.PSEUDONYMIZE:
            return Action.ALERT
    return action


def _carried_out(action: Action, on_redact: OnRedact | None) -> Action:
    """What is done where a text cannot be rewritten: the file is taken out as a whole where that is what `on_redact`
    says, which the action keeps its name for."""
    if action.rewrites:
        if on_redact is OnRedact.BLOCK:
            return Action.BLOCK
        if on_redact is OnRedact.ALLOW:
            return Action.ALERT
    return action


def _reason(hit: Hit) -> str:
    place = hit.place or _PLACES[hit.where]
    return f"{hit.type.replace('_', ' ')} in {place}"


def _rule_of(finding: Finding) -> str:
    """What tells hits apart. A check's rules are a service's categories: two services may share a name."""
    return f"{finding.type}/{finding.rule}" if finding.family is Family.CHECK else finding.rule


def _unique(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ids))
