"""Whether a program may ask at all: the rules of `apps`, judged before anything of a request is read. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agent.model.login import Tenancy
from agent.policy.apps import (
    ACCOUNTS_RULE,
    DEFAULT_RULE,
    SIGN_IN_RULE,
    AccountUse,
    AppRule,
    Apps,
    AppWay,
    Reach,
    State,
    WhilePending,
)
from agent.policy.document import Policy
from agent.policy.glob import first_match
from agent.policy.scope import Subject, met, misfit

UNKNOWN = "unknown"
"""How rules spell what does not show of an account."""

SIGN_IN_HOW = "Sign in with the menu of the Drawbridge icon, or in a terminal: `drawbridge sign-in`"
"""For whoever is stopped since he has not signed in."""

_WHOSE: Mapping[Tenancy, str] = {
    Tenancy.PERSONAL: "a personal account",
    Tenancy.OTHER: "an account of another organisation",
    Tenancy.UNKNOWN: "an account that shows no owner",
    Tenancy.COMPANY: "an account of the company",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """The verdict on a program. `rule_id` is what decided its state, `reason` and `message` (a template of
    `agent.policy.message`) are said where something stops it; `deciding` is then what stopped it.

    `alerts`: it works, and its exchanges are marked. `metadata_only`: no content of them is kept. `way` is where its
    requests go, None where the policy's `upstream` says so.
    """

    state: State = State.APPROVED
    rule_id: str = DEFAULT_RULE
    stops: bool = False
    alerts: bool = False
    deciding: str = ""
    reason: str = ""
    message: str = ""
    way: AppWay | None = None
    metadata_only: bool = False


APPROVED = Approval()
"""By a policy that has nothing against any program."""


def judge(policy: Policy, subject: Subject) -> Approval:
    """The verdict of the policy's `apps` on who asks. Whether a block is enforced is the policy's `mode`."""
    apps = policy.apps
    if apps.lenient:
        return APPROVED
    rule = next((each for each in apps.rules if fits(each, subject)), None)
    state = apps.default if rule is None else rule.state
    use = account_use(apps, rule, subject)
    stopped = (
        _stopped(apps, rule, state, subject)
        or _sign_in_missing(apps, rule, subject)
        or _account_stopped(rule, use, subject)
    )
    name = DEFAULT_RULE if rule is None else rule.id
    deciding, reason = stopped or ("", "")
    observed = not stopped and state is State.PENDING and apps.pending is WhilePending.OBSERVE
    if observed:
        deciding, reason = name, _waits(subject)
    applies = subject.inference or apps.scope is Reach.HOST
    own = None if rule is None else rule.message
    return Approval(
        state=state,
        rule_id=name,
        stops=applies and stopped is not None,
        alerts=applies and observed,
        deciding=deciding if applies else "",
        reason=reason if applies else "",
        message=own or apps.message or policy.message,
        way=(None if rule is None else rule.routing) or apps.routing,
        metadata_only=use is AccountUse.METADATA,
    )


def fits(rule: AppRule, subject: Subject) -> bool:
    """Whether a rule applies. One whose condition fails applies unless it approves."""
    return mismatch(rule, subject) is None and met(
        rule.condition, subject, failed=rule.state is not State.APPROVED
    )


def mismatch(rule: AppRule, subject: Subject) -> str | None:
    """The first key of `rule` that does not fit, or None where all do. Conditions are not asked."""
    if (key := misfit(rule, subject)) is not None:
        return key
    login = subject.login
    single = (
        ("kinds", tuple(each.value for each in rule.kinds), subject.kind),
        ("evidence", rule.evidence, subject.asker.evidence.value or UNKNOWN),
        ("logins", rule.logins, login.kind.value or UNKNOWN),
        ("tenancies", rule.tenancies, login.tenancy.value or UNKNOWN),
    )
    for key, words, word in single:
        if words and word not in words:
            return key
    globs: tuple[tuple[str, tuple[str, ...], Iterable[str]], ...] = (
        ("groups", rule.groups, subject.groups),
        ("devices", rule.devices, (subject.device,)),
        ("plans", rule.plans, (login.plan,)),
        ("organisations", rule.organisations, (login.organisation,)),
    )
    for key, patterns, values in globs:
        if patterns and not any(first_match(patterns, value) is not None for value in values):
            return key
    return None


def account_use(apps: Apps, rule: AppRule | None, subject: Subject) -> AccountUse:
    """What may be done with the account that is asked with."""
    own = _own_use(rule, subject.login.tenancy)
    match subject.login.tenancy:
        case Tenancy.PERSONAL:
            return own or apps.accounts
        case Tenancy.OTHER:
            return own or apps.other_accounts
        case Tenancy.UNKNOWN:
            return own or apps.unknown_accounts
        case Tenancy.COMPANY:
            return AccountUse.ALLOW


def _own_use(rule: AppRule | None, tenancy: Tenancy) -> AccountUse | None:
    """What the rule itself says of such accounts."""
    if rule is None:
        return None
    return {
        Tenancy.PERSONAL: rule.accounts,
        Tenancy.OTHER: rule.other_accounts,
        Tenancy.UNKNOWN: rule.unknown_accounts,
    }.get(tenancy)


def program(subject: Subject) -> str:
    """The program, in words."""
    return f"the program '{subject.app}'" if subject.app else "a program that is not known"


def _stopped(apps: Apps, rule: AppRule | None, state: State, subject: Subject) -> tuple[str, str] | None:
    name = DEFAULT_RULE if rule is None else rule.id
    match state:
        case State.DENIED:
            return name, f"{program(subject)} is not allowed on {subject.surface}"
        case State.PENDING if apps.pending is WhilePending.BLOCK:
            return name, _waits(subject)
        case _:
            return None


def _sign_in_missing(apps: Apps, rule: AppRule | None, subject: Subject) -> tuple[str, str] | None:
    own = None if rule is None else rule.require_sign_in
    if subject.identity.known or not (apps.require_sign_in if own is None else own):
        return None
    name = SIGN_IN_RULE if rule is None or own is None else rule.id
    return name, f"nobody has signed in. {SIGN_IN_HOW}"


def _account_stopped(rule: AppRule | None, use: AccountUse, subject: Subject) -> tuple[str, str] | None:
    if use is not AccountUse.BLOCK:
        return None
    tenancy = subject.login.tenancy
    own = rule if _own_use(rule, tenancy) is not None else None
    return (ACCOUNTS_RULE if own is None else own.id), f"{_WHOSE[tenancy]} is used on {subject.surface}"


def _waits(subject: Subject) -> str:
    return f"{program(subject)} waits for approval on {subject.surface}"
