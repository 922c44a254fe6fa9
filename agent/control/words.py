"""The policy in force, said in words: for the dashboard, and for the notice to the people of this machine. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agent.audit.retention import Limits
from agent.inspection import RuleBook
from agent.model.content import Where
from agent.model.decision import Action
from agent.model.record import CaptureMode
from agent.policy import AccessRule, DistrustAction, Guardrail, Mode, Policy, Route
from agent.policy.apps import AccountUse, State
from agent.policy.pausing import PauseAllow
from agent.policy.section import Audience

_ACTIONS: Mapping[Action, str] = {
    Action.ALLOW: "pass",
    Action.ALERT: "pass, and are noted",
    Action.PSEUDONYMIZE: "are replaced by stand-ins, and put back in the answer",
    Action.MASK: "are hidden but for the last four characters",
    Action.REDACT: "are taken out",
    Action.ASK: "hold the request back until somebody says why",
    Action.BLOCK: "block the request",
}
_PARTS: Mapping[Where, str] = {
    Where.PROMPT: "prompts",
    Where.TOOL_RESULT: "results of tools",
    Where.ANSWER: "answers",
}
_FAMILIES = {
    "secret": "secrets",
    "pii": "personal data",
    "injection": "hidden instructions",
    "label": "confidentiality labels",
    "custom": "your own detectors",
    "check": "what a check reports",
}
_CAPTURE: Mapping[CaptureMode, str] = {
    CaptureMode.METADATA: "Who asked which model, when, how long it took, how many tokens, and what kinds of things "
    "were found. No prompt and no answer.",
    CaptureMode.HASH: "The same facts, and a keyed hash of each prompt and answer, by which equal texts can be "
    "told. No text.",
    CaptureMode.REDACTED: "The same facts, and the text of prompts and answers after what was found in it was "
    "taken out.",
    CaptureMode.FULL: "The same facts, and the whole text of prompts and answers.",
}
_MODES = {
    Mode.ENFORCE: "Verdicts are carried out.",
    Mode.OBSERVE: "Verdicts are only recorded: nothing is changed and nothing is stopped.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One rule of the policy: its id, what it is about, what it does."""

    id: str
    kind: str
    about: str
    does: str


def mode(policy: Policy) -> str:
    """Whether verdicts are carried out."""
    return _MODES[policy.mode]


def kept(policy: Policy) -> str:
    """What the audit trail holds."""
    return _CAPTURE[policy.capture]


def kept_for(limits: Limits) -> str:
    """How long it holds it."""
    return (
        f"{limits.max_days:g} days on this machine, or {limits.max_bytes // 2**20} MiB, whichever is reached first; "
        "the oldest goes first."
    )


def rules(policy: Policy) -> tuple[Said, ...]:
    """Every rule, in the order in which it is asked."""
    programs = tuple(
        Said(
            id=rule.id,
            kind="program",
            about=_audience(rule) or "every program",
            does={
                State.APPROVED: "may ask",
                State.PENDING: "waits for a decision",
                State.DENIED: "may not ask",
            }[rule.state],
        )
        for rule in policy.apps.rules
    )
    access = tuple(
        Said(
            id=rule.id,
            kind="access",
            about=_audience(rule) or "every exchange",
            does="is blocked" if rule.action is Action.BLOCK else "is allowed",
        )
        for rule in policy.access
    )
    files = tuple(
        Said(
            id=rule.id,
            kind="files",
            about=_listed(rule.types or rule.media_types or rule.extensions) or "files",
            does="are blocked"
            if rule.action is Action.BLOCK
            else "may go along" + ("" if rule.read else ", unread"),
        )
        for rule in policy.attachments
    )
    return (*programs, *access, *files, *map(_guardrail, policy.guardrails))


def _guardrail(rule: Guardrail) -> Said:
    things = _listed(map(_thing, rule.detect))
    parts = "" if set(rule.where) == set(Where) else f" in {_listed(_PARTS[each] for each in rule.where)}"
    about = f"{things}{parts}" + (f", {words}" if (words := _audience(rule)) else "")
    return Said(
        id=rule.id,
        kind="guardrail",
        about=about,
        does=_ACTIONS[rule.action] + (" (on trial: only recorded)" if rule.shadow else ""),
    )


def _thing(detected: str) -> str:
    """A family, or a type of one, for people."""
    family, _, kind = detected.partition("/")
    return kind.replace("_", " ") if kind else _FAMILIES.get(family, family)


def notes(policy: Policy) -> tuple[str, ...]:
    """What else people should know of the policy."""
    said = [mode(policy)]
    upstream = policy.upstream
    if upstream.route is Route.CENTRAL and upstream.central is not None:
        said.append(
            f"Requests go to the company's gateway, {upstream.central.base_url}, not to the service itself."
        )
    if policy.client_distrust.action is DistrustAction.TUNNEL:
        said.append(
            f"A program that refuses our certificate passes unseen for {policy.client_distrust.hours} hours, and each "
            "time is recorded."
        )
    said += _accounts(policy)
    match policy.pause.allow:
        case PauseAllow.NEVER:
            said.append("Interception cannot be paused.")
        case PauseAllow.WITH_REASON:
            said.append(f"Interception may be paused for {policy.pause.max_minutes} minutes, with a reason.")
        case PauseAllow.YES:
            said.append(f"Interception may be paused for {policy.pause.max_minutes} minutes.")
    return tuple(said)


def _accounts(policy: Policy) -> list[str]:
    words = {
        AccountUse.METADATA: "their content is never kept",
        AccountUse.BLOCK: "requests with them are blocked",
    }
    return [f"Personal accounts: {words[use]}."] if (use := policy.apps.accounts) in words else []


def services(book: RuleBook) -> list[dict[str, object]]:
    """The AI services whose hosts are decrypted, by name."""
    closed = book.policy.closed(book.catalog.hosts)
    return [
        {
            "id": surface.id,
            "name": surface.name,
            "kind": surface.kind.value,
            "hosts": sorted(surface.hosts),
            "closed": any(host in closed for host in surface.hosts),
        }
        for surface in sorted(book.catalog.surfaces, key=lambda each: each.name.lower())
    ]


def _audience(rule: Audience) -> str:
    names = (
        ("apps", "from"),
        ("users", "by the account"),
        ("surfaces", "to"),
        ("hosts", "to"),
    )
    parts = [f"{word} {_listed(found)}" for key, word in names if (found := getattr(rule, key))]
    if isinstance(rule, (AccessRule, Guardrail)) and rule.models:
        parts.append(f"for the model {_listed(rule.models)}")
    if isinstance(rule, AccessRule) and rule.paths:
        parts.append(f"at {_listed(rule.paths)}")
    if rule.when is not None:
        parts.append(f"when {rule.when}")
    return " ".join(parts)


def _listed(words: Iterable[object]) -> str:
    return ", ".join(map(str, words))
