"""What checks outside the local rules are asked, and what is made of their answers. Pure: asking is the shell's work.

A check is a detector like any other: guardrails decide what its findings lead to, hits are counted by the same tally,
and observe mode carries nothing out. A check that could not be made follows `on_error`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from agent.inspection.documents import Found
from agent.inspection.rules import RuleBook, Scope, where_of
from agent.inspection.veil import Veiled, veil
from agent.inspection.verdicts import Tally, refusal
from agent.model.content import Edit, Role, Slot, Where, outermost
from agent.model.decision import Action, Decision, Fallback, Hit
from agent.model.findings import Family, Finding
from agent.policy import Guardrail, guardrails
from agent.policy.checks import Check

_ASKING = (Role.USER, Role.TOOL_RESULT, Role.FILE)
_ANSWERING = (Role.ASSISTANT, Role.TOOL_CALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One text that checks are asked about. `fresh` is False for what an earlier exchange has sent already."""

    id: str
    slot: Slot = field(repr=False)
    where: Where
    fresh: bool
    bare: Veiled = field(repr=False)
    veiled: Veiled = field(repr=False)
    """The text without credentials and personal data, for checks that ask a stranger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A finding in the text of one segment's slot."""

    segment: str
    finding: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of asking one check. `failure` is one word, empty where the check was made in full."""

    check: str
    findings: tuple[Located, ...] = ()
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What the reports lead to: a decision, and the edits that carry it out where it does not block."""

    decision: Decision = field(default_factory=Decision)
    edits: tuple[Edit, ...] = ()


def asked(scope: Scope, *places: Where) -> tuple[Check, ...]:
    """The checks whose findings in one of `places` some guardrail of the scope would act on."""
    return tuple(
        check
        for check in scope.rules.policy.checks
        if any(_asked_about(scope, check, where) for where in places)
    )


def asked_about(scope: Scope, check: Check, segments: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """Those of `segments` that `check` is to be asked about."""
    return tuple(segment for segment in segments if _asked_about(scope, check, segment.where))


def request_segments(
    rules: RuleBook, slots: tuple[Slot, ...], newest: tuple[Slot, ...], *, private: bool
) -> tuple[Segment, ...]:
    """What persons and tools said in a request; `newest` are the slots of its newest turn. Instructions of a system
    prompt and what the model itself said are not asked about. `private`: some check asks a stranger."""
    new = {slot.address for slot in newest}
    wanted = (slot for slot in outermost(slots) if slot.role in _ASKING)
    return _segments(
        rules,
        wanted,
        where_of,
        lambda slot: slot.address in new or slot.role is Role.FILE,
        private=private,
    )


def answer_segments(rules: RuleBook, slots: tuple[Slot, ...], *, private: bool) -> tuple[Segment, ...]:
    """What a model said in an answer, its calls of tools included."""
    wanted = (slot for slot in outermost(slots) if slot.role in _ANSWERING)
    return _segments(rules, wanted, lambda _: Where.ANSWER, lambda _: True, private=private)


def rule_on(
    scope: Scope, checks: tuple[Check, ...], segments: tuple[Segment, ...], reports: tuple[Report, ...]
) -> Ruling:
    """Count what was found and say what is to be done."""
    tally = Tally(scope)
    known = {segment.id: segment for segment in segments}
    told = [(known[each.segment], each.finding) for report in reports for each in report.findings]
    found = [(segment.where, Found(segment.slot, finding)) for segment, finding in told]
    if tally.weighs:
        tally.weigh((each.finding, where, each.slot.role, each.value) for where, each in found)
    edits: list[Edit] = []
    for where, each in found:
        slot = each.slot
        action = tally.count(each.finding, where, role=slot.role, value=each.value, on_redact=slot.on_redact)
        if action.rewrites:
            edits.append(each.edit(action, scope.vault))
    decision = tally.decision()
    by_id = {check.id: check for check in checks}
    for report in reports:
        if report.failure:
            decision = decision.joined(_failed(scope, by_id[report.check], report.failure, segments))
    return Ruling(decision=decision, edits=tuple(edits) if tally.enforcing else ())


def after_the_fact(decision: Decision) -> Decision:
    """The decision on what the client has seen already: recorded, for nothing else can be done."""
    return replace(
        decision,
        action=min(decision.action, Action.ALERT),
        message="",
        hits=tuple(replace(hit, action=min(hit.action, Action.ALERT)) for hit in decision.hits),
    )


def _segments(
    rules: RuleBook,
    slots: Iterable[Slot],
    where: Callable[[Role], Where],
    fresh: Callable[[Slot], bool],
    *,
    private: bool,
) -> tuple[Segment, ...]:
    made: list[Segment] = []
    for place, slot in enumerate(slots):
        if not slot.text or slot.text.isspace():
            continue
        bare = veil(slot.text, (), kinds=rules.kinds)
        made.append(
            Segment(
                id=str(place),
                slot=slot,
                where=where(slot.role),
                fresh=fresh(slot),
                bare=bare,
                veiled=veil(slot.text, rules.private(slot.text), kinds=rules.kinds) if private else bare,
            )
        )
    return tuple(made)


def _asked_about(scope: Scope, check: Check, where: Where) -> bool:
    return where in check.where and bool(_judges(scope, check, where))


def _judges(scope: Scope, check: Check, where: Where) -> tuple[Guardrail, ...]:
    """The guardrails that may act on what the check finds, in order, as far as that can be told before."""
    conditions = guardrails.Conditions(scope.subject)
    judges: list[Guardrail] = []
    for rule in scope.guardrails:
        if guardrails.rule_for((rule,), Family.CHECK, check.id, where) is None:
            continue
        if (holds := conditions.holds(rule, where)) is False:
            continue
        if rule.action is not Action.ALLOW:
            judges.append(rule)
        if holds and not (rule.shadow or rule.roles or rule.threshold or rule.at_least > 1):
            break  # it decides about whatever is found
    return tuple(judges)


def _failed(scope: Scope, check: Check, failure: str, segments: tuple[Segment, ...]) -> Decision:
    """The decision where a check could not be made: what it, its guardrails (the strictest; one on trial has no say),
    or the policy says to `on_error`."""
    places = dict.fromkeys(segment.where for segment in asked_about(scope, check, segments))
    judges = [(where, guardrail) for where in places for guardrail in _judges(scope, check, where)]
    for _, guardrail in judges:
        fallback = check.on_error or scope.rules.policy.fallback(guardrail)
        if fallback is Fallback.BLOCK and not guardrail.shadow:
            reason = f"the check {check.id} could not be made ({failure.replace('_', ' ')})"
            return refusal(scope, reason, rule=guardrail.id, template=guardrail.message or "")
    return Decision(
        reason=f"the check {check.id} could not be made ({failure.replace('_', ' ')}) and the policy lets that pass",
        hits=tuple(
            Hit(
                family=Family.CHECK,
                type=check.id,
                rule=f"failed:{failure}",
                guardrail=guardrail.id,
                where=where,
                action=Action.ALLOW,
                shadow=guardrail.shadow,
            )
            for where, guardrail in judges
        ),
    )
