"""From what the tray knows to its icon and its menu. Pure: equal menus need not be drawn anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from agent.tray.seen import Budget, Decision, Seen, SignIn, SignInState, State, Today

MINUTES = (5, 15, 30, 60, 120, 240)
"""The pauses that are offered, as far as the policy allows them."""

_SHOWN_DECISIONS = 6
_LONGEST_LABEL = 90  # characters
_DONE = {
    "pseudonymize": "stand-ins put in",
    "mask": "masked",
    "redact": "redacted",
    "ask": "held back",
    "block": "blocked",
}


class Deed(StrEnum):
    """What choosing an item does."""

    NOTHING = "nothing"  # it only says something
    DASHBOARD = "dashboard"  # about the event `argument`, or about everything
    NOTICE = "notice"
    PAUSE = "pause"  # `argument` minutes
    RESUME = "resume"
    DIAGNOSTICS = "diagnostics"
    QUIET = "quiet"  # no notifications, or notifications again
    SIGN_IN = "sign in"
    SIGN_OUT = "sign out"
    QUIT = "quit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A line of the menu. One that does nothing and has no submenu cannot be chosen; one without a label separates."""

    label: str = ""
    deed: Deed = Deed.NOTHING
    argument: str = ""
    items: tuple[Item, ...] = ()
    checked: bool | None = None  # whether it has a tick; None: it never has one
    default: bool = False  # what a click on the icon does where a panel knows such clicks


SEPARATOR = Item()


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """What is shown: an icon, its tooltip, and the lines."""

    state: State
    title: str
    items: tuple[Item, ...]


type Clock = Callable[[float], str]
"""Unix seconds as a time of day, such as 14:05."""


def time_of_day(moment: float) -> str:
    """In the zone of this machine."""
    return f"{datetime.fromtimestamp(moment).astimezone():%H:%M}"


def menu_of(seen: Seen, clock: Clock = time_of_day, *, quiet: bool = False) -> Menu:
    """The menu for what was seen; `quiet` is whether the person wants no notifications."""
    groups = (
        _head(seen, clock),
        _person(seen),
        _day(seen, clock),
        _pause(seen),
        _doors(seen),
        _end(quiet=quiet),
    )
    items: list[Item] = []
    for group in filter(None, groups):
        items += [SEPARATOR, *group] if items else group
    return Menu(state=seen.state, title=f"Drawbridge: {headline(seen, clock)}", items=tuple(items))


def headline(seen: Seen, clock: Clock = time_of_day) -> str:
    """What the agent does, in one line."""
    match seen.state:
        case State.GUARDING:
            return "guarding"
        case State.OBSERVING:
            return "observing only, nothing is stopped"
        case State.PAUSED:
            return f"paused until {clock(seen.paused_until)}" if seen.paused_until else "paused"
        case State.DEGRADED:
            return next((each.title for each in seen.troubles if each.grave), "something is wrong")
        case State.OFF:
            return "not running"


def _head(seen: Seen, clock: Clock) -> list[Item]:
    line = headline(seen, clock)
    items = [_said(line[:1].upper() + line[1:])]
    if seen.state is State.OFF:
        items.append(
            _said(seen.problem or "AI traffic is not guarded by this agent. Start it: drawbridge up")
        )
    if seen.pause_reason:
        items.append(_said(f"Because: {seen.pause_reason}"))
    for each in seen.troubles:
        told = tuple(_said(text) for text in (each.text, each.remedy) if text)
        items.append(Item(label=_short(each.title), items=told) if told else _said(each.title))
    if seen.policy:
        items.append(_said(f"Policy {seen.policy}"))
    return items


def _person(seen: Seen) -> list[Item]:
    if not seen.user:
        return []
    items = [_said(f"Used by {seen.user}"), *_sign_in(seen.sign_in)]
    for index, key in enumerate(seen.keys):
        name = "Virtual key" if index == 0 else "Also today"
        budgets = [_said(_budget(each)) for each in key.budgets]
        if len(budgets) == 1:
            items.append(_said(f"{name} {key.id}: {budgets[0].label}"))
        elif budgets:
            items.append(Item(label=_short(f"{name} {key.id}"), items=tuple(budgets)))
        else:
            items.append(_said(f"{name} {key.id}"))
    return items


def _sign_in(known: SignIn) -> list[Item]:
    match known.state:
        case SignInState.NOT_SET_UP:
            return []
        case SignInState.SIGNED_IN:
            return [
                _said(f"Signed in as {known.name}"),
                Item(label=_short(f"Sign out ({known.name})"), deed=Deed.SIGN_OUT),
            ]
        case SignInState.GRACE:
            said = [_said(f"Signed in as {known.name}, not renewed")]
        case SignInState.EXPIRED:
            said = [_said(f"The sign-in of {known.name} has expired")]
        case SignInState.SIGNED_OUT:
            said = [_said("Signed out: the identity provider would not renew it")] if known.refused else []
    return [*said, Item(label="Sign in …", deed=Deed.SIGN_IN)]


def _budget(budget: Budget) -> str:
    period = {"": "", "day": " today"}.get(budget.period, f" this {budget.period}")
    if budget.period[:-1].isdigit():  # a rolling window, as 3600s
        period = f" in {_length(int(budget.period[:-1]) // 60)}"
    if budget.unit == "usd":
        return f"${budget.used:,.2f} of ${budget.limit:,.2f}{period}"
    return f"{budget.used:,.0f} of {budget.limit:,.0f} {budget.unit}{period}"


def _day(seen: Seen, clock: Clock) -> list[Item]:
    if seen.state is State.OFF:
        return []
    today = seen.today
    sums = _sums(today)
    tops = (("Apps", today.apps), ("Models", today.models))
    lines: list[Item] = []
    for name, counts in tops:
        if counts:
            lines += [_said(name), *(_said(f"    {each}  {count:,}") for each, count in counts)]
    items = [Item(label=sums, items=tuple(lines)) if lines else _said(sums)]
    shown = tuple(_decision(each, clock) for each in seen.decisions[:_SHOWN_DECISIONS])
    if shown:
        items.append(Item(label="Last decisions", items=shown))
    return items


def _sums(today: Today) -> str:
    parts = [_many(today.requests, "request")]
    parts += [
        f"{count:,} {word}"
        for count, word in ((today.blocked, "blocked"), (today.redacted, "redacted"))
        if count
    ]
    if today.observed:
        parts.append(f"{today.observed:,} only observed")
    return f"Today: {', '.join(parts)}"


def _decision(one: Decision, clock: Clock) -> Item:
    done = _DONE.get(one.action, one.action) + ("" if one.applied else " (only observed)")
    why = f": {one.reason}" if one.reason else ""
    return Item(label=_short(f"{clock(one.at)}  {one.app} {done}{why}"), deed=Deed.DASHBOARD, argument=one.id)


def _pause(seen: Seen) -> list[Item]:
    rules = seen.pausing
    if seen.state is State.OFF:
        return []
    if seen.state is State.PAUSED:
        return [Item(label="Guard again now", deed=Deed.RESUME)] if seen.operator else []
    if rules.forbidden:
        return []
    if not rules.may:
        return [_said("Pause: only administrators may")]
    offered = [minutes for minutes in MINUTES if minutes <= rules.max_minutes] or [rules.max_minutes]
    label = "Pause …" if rules.reason else "Pause"
    return [
        Item(
            label=label,
            items=tuple(
                Item(label=f"For {_length(minutes)}", deed=Deed.PAUSE, argument=str(minutes))
                for minutes in offered
            ),
        )
    ]


def _doors(seen: Seen) -> list[Item]:
    if seen.state is State.OFF:
        return []
    items: list[Item] = []
    if seen.dashboard:
        items.append(Item(label="Open the dashboard", deed=Deed.DASHBOARD, default=True))
        items.append(Item(label="What is read on this machine", deed=Deed.NOTICE))
    items.append(Item(label="Save diagnostics", deed=Deed.DIAGNOSTICS))
    return items


def _end(*, quiet: bool) -> list[Item]:
    return [
        Item(label="No notifications until I log out", deed=Deed.QUIET, checked=quiet),
        Item(label="Close this icon (Drawbridge goes on)", deed=Deed.QUIT),
    ]


def _length(minutes: int) -> str:
    return _many(minutes // 60, "hour") if minutes % 60 == 0 else _many(minutes, "minute")


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _said(text: str) -> Item:
    return Item(label=_short(text))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_LABEL else text[: _LONGEST_LABEL - 1] + "…"


def flat(items: Iterable[Item]) -> list[Item]:
    """Every item, those of submenus behind their own."""
    return [each for item in items for each in (item, *flat(item.items))]
