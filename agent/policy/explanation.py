"""Why a policy judges an exchange as it does: every rule that was examined, in order, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from agent.policy import approval
from agent.policy.access import fits
from agent.policy.approval import Approval
from agent.policy.apps import AppRule, AppWay, State
from agent.policy.document import AccessRule, Policy
from agent.policy.guardrail import Guardrail
from agent.policy.scope import Subject, mismatch
from agent.policy.section import Audience, Scope

_APP_KEYS: Mapping[str, str] = {
    "hosts": "host",
    "surfaces": "surface",
    "apps": "app",
    "users": "user",
    "kinds": "kind",
    "groups": "group",
    "devices": "device",
    "evidence": "evidence",
    "logins": "login",
    "tenancies": "tenancy",
    "plans": "plan",
    "organisations": "organisation",
}
_WAYS: Mapping[AppWay, str] = {
    AppWay.NATIVE: "goes to the service itself",
    AppWay.GATEWAY: "is served by the policy's providers",
    AppWay.CENTRAL: "goes to the central gateway",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rule that was examined.

    `decides` marks the rule of `apps`, and the access rule, that settle the matter; guardrails that match wait for
    findings.
    """

    section: str  # apps, access or guardrails
    rule_id: str
    action: str
    matched: bool
    decides: bool
    why: str


def explain(policy: Policy, subject: Subject) -> tuple[Step, ...]:
    """The rules of `apps` and the access rules, each down to the one that decides, then every guardrail; nothing after
    what blocks."""
    given = approval.judge(policy, subject)
    steps = app_steps(policy, subject)
    if given.stops:
        return tuple(steps)
    subject = replace(subject, state=given.state.value)
    for rule in policy.access:
        steps.append(_step("access", rule, subject, decides=True))
        if steps[-1].matched:
            break
    if steps and steps[-1].matched and steps[-1].action == "block":
        return tuple(steps)
    steps.extend(_step("guardrails", rule, subject, decides=False) for rule in policy.guardrails)
    return tuple(steps)


def app_steps(policy: Policy, subject: Subject) -> list[Step]:
    """The rules of `apps` down to the one that decides, or to what decides where none does. None of a policy that has
    nothing against any program."""
    apps = policy.apps
    if apps.lenient:
        return []
    given = approval.judge(policy, subject)
    steps: list[Step] = []
    for rule in apps.rules:
        key = approval.mismatch(rule, subject)
        if key is None and not approval.fits(rule, subject):
            key = "when"
        why = _about(rule, _APP_KEYS) if key is None else _app_misfit(rule, subject, key)
        if key is None:
            why += "".join(f"; {each}" for each in consequences(given))
        steps.append(_app_step(rule.id, rule.state, matched=key is None, why=why))
        if key is None:
            return steps
    why = "; ".join(("no rule fits", *consequences(given)))
    return [*steps, _app_step(given.rule_id, given.state, matched=True, why=why)]


def consequences(given: Approval) -> Iterator[str]:
    """What follows from the verdict on a program, in words."""
    if given.stops:
        yield f"blocked by {given.deciding}: {given.reason}"
    elif given.alerts:
        yield "works, and each exchange is an alert"
    if given.metadata_only:
        yield "no content is kept"
    if given.way is not None:
        yield _WAYS[given.way]


def _app_step(rule_id: str, state: State, *, matched: bool, why: str) -> Step:
    return Step(
        section="apps", rule_id=rule_id, action=state.value, matched=matched, decides=matched, why=why
    )


def _app_misfit(rule: AppRule, subject: Subject, key: str) -> str:
    if key == "when":
        return f"the condition does not hold: {rule.when}"
    login = subject.login
    values = {
        "kinds": subject.kind,
        "groups": ", ".join(subject.groups),
        "devices": subject.device,
        "evidence": subject.asker.evidence.value or approval.UNKNOWN,
        "logins": login.kind.value or approval.UNKNOWN,
        "tenancies": login.tenancy.value or approval.UNKNOWN,
        "plans": login.plan,
        "organisations": login.organisation,
    }
    value = values.get(key)
    if value is None:
        value = getattr(subject, key.removesuffix("s"))
    return f"{_APP_KEYS[key]} '{value}' fits none of: {', '.join(map(str, getattr(rule, key)))}"


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
    scope = _about(rule, (*Scope.model_fields, "paths"))
    match rule:
        case Guardrail():
            return f"{scope}; {what_it_does(rule)}"
        case _:
            return scope


def _about(rule: Audience, names: Iterable[str]) -> str:
    keys = [key for key in names if key != "when" and getattr(rule, key, None)]
    scope = f"fits by {', '.join(keys)}" if keys else "applies to everything"
    return scope if rule.when is None else f"{scope}, when {rule.when}"


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
