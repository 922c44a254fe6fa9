"""From the documents of the control API to what the tray knows. Pure; what an older agent does not tell is left out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from agent.tray.seen import (
    Budget,
    Decision,
    PauseRules,
    Seen,
    SignIn,
    SignInState,
    State,
    Today,
    Trouble,
    VirtualKey,
)

_WISHED = frozenset({"paused", "observing"})  # what the state says already
_GRAVE = frozenset({"medium", "high"})
_LONGEST = 200  # characters of any text


def seen_of(status: Mapping[str, Any], me: Mapping[str, Any], decisions: Iterable[Decision] = ()) -> Seen:
    """One look at an agent that answered."""
    pause = status.get("pause")
    policy = status.get("policy") or {}
    return Seen(
        state=_state(status.get("state")),
        paused_until=None if pause is None else float(round(pause["ends_at"])),
        pause_reason="" if pause is None else _text(pause.get("reason")),
        troubles=tuple(_trouble(each) for each in status.get("health", ()) if each["code"] not in _WISHED),
        policy=_policy(policy),
        user=_text(me.get("user")),
        operator=bool(me.get("operator")),
        pausing=_pausing(me.get("pause") or {}),
        today=_today(me.get("today") or {}),
        keys=tuple(_key(each) for each in me.get("keys", ())),
        decisions=tuple(decisions),
        dashboard=bool(me.get("dashboard", True)),
        sign_in=_sign_in(me.get("sign_in") or {}),
    )


def decisions_of(
    lines: Iterable[Mapping[str, Any]], accounts: Collection[str] | None
) -> tuple[Decision, ...]:
    """Those of these accounts' exchanges (None: of all) of which there is something to tell, oldest first."""
    own = (line for line in lines if accounts is None or line["user"] in accounts)
    return tuple(_decision(line) for line in own if _tells(line))


def _tells(line: Mapping[str, Any]) -> bool:
    return bool(line["action"] not in ("allow", "alert") or line["outcome"] == "blocked")


def _decision(line: Mapping[str, Any]) -> Decision:
    stopped = line["outcome"] == "blocked"
    action = line["action"]
    return Decision(
        number=line["number"],
        id=line["id"],
        at=line["ended"],
        app=_text(line["app"].removesuffix("?")) or "a program",
        service=_text(line["model"] or line["provider"]),
        action="block" if stopped and action == "allow" else action,
        applied=bool(line["applied"]) or stopped,
        stopped=stopped,
        reason=_reason(line),
        rules=tuple(map(_text, line["rules"])),
    )


def _reason(line: Mapping[str, Any]) -> str:
    """In words of the policy or of ours; never content."""
    if reason := line["reason"]:
        return _text(reason)
    kinds = [kind.rpartition("/")[2].replace("_", " ") for kind, _ in line["findings"]]
    return _text(", ".join(kinds) or line["error"])


def _state(word: object) -> State:
    try:
        return State(str(word))
    except ValueError:
        return State.DEGRADED  # a word of a later agent: not known to be well


def _trouble(found: Mapping[str, Any]) -> Trouble:
    return Trouble(
        code=_text(found["code"]),
        title=_text(found["title"]),
        text=_text(found.get("text")),
        remedy=_text(found.get("remedy")),
        grave=found.get("severity") in _GRAVE,
    )


def _policy(policy: Mapping[str, Any]) -> str:
    revision = policy.get("revision")
    name = _text(policy.get("id"))
    return f"{name}, revision {revision}" if name and revision is not None else name


def _pausing(rules: Mapping[str, Any]) -> PauseRules:
    return PauseRules(
        may=bool(rules.get("may")),
        forbidden=rules.get("allow", "never") == "never",
        reason=rules.get("allow") != "yes",
        max_minutes=int(rules.get("max_minutes", 0)),
    )


def _sign_in(standing: Mapping[str, Any]) -> SignIn:
    try:
        state = SignInState(standing.get("state", ""))
    except ValueError:
        return SignIn()  # an older agent, or a word of a later one
    return SignIn(
        state=state,
        name=_text(standing.get("name")),
        refused=standing.get("why") == "refused",
        renew_at=float(standing.get("renew_at", 0.0)),
    )


def _today(day: Mapping[str, Any]) -> Today:
    def counts(name: str) -> tuple[tuple[str, int], ...]:
        return tuple((_text(each), int(count)) for each, count in day.get(name, ()))

    return Today(
        requests=int(day.get("requests", 0)),
        blocked=int(day.get("blocked", 0)),
        redacted=int(day.get("redacted", 0)),
        observed=int(day.get("observed", 0)),
        apps=counts("apps"),
        models=counts("models"),
    )


def _key(key: Mapping[str, Any]) -> VirtualKey:
    return VirtualKey(
        id=_text(key["id"]),
        budgets=tuple(
            Budget(unit=each["unit"], period=each["period"], used=each["used"], limit=each["limit"])
            for each in key.get("budgets", ())
        ),
    )


def _text(value: object) -> str:
    """One line of printable text."""
    plain = "".join(each if each.isprintable() else " " for each in str(value or ""))
    return " ".join(plain.split())[:_LONGEST]
