"""What a person reads in the menu, for everything that the tray may know."""

from __future__ import annotations

import pytest

from agent.tray.menu import SEPARATOR, Deed, Item, flat, menu_of
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

FULL = Trouble(code="disk_low", title="The disk is nearly full", text="9 MiB are free", remedy="Make room.")
LOW = Trouble(code="trail_full", title="The audit trail is full", grave=False)


def clock(moment: float) -> str:
    return f"{moment:.0f} o'clock"


def seen(state: State = State.GUARDING, **given: object) -> Seen:
    return Seen(**{"state": state, "user": "ann", "operator": True, "policy": "house, revision 3"} | given)  # type: ignore[arg-type]


def labels(one: Seen) -> list[str]:
    return [item.label for item in flat(menu_of(one, clock).items)]


def found(one: Seen, deed: Deed) -> list[Item]:
    return [item for item in flat(menu_of(one, clock).items) if item.deed is deed]


@pytest.mark.parametrize(
    ("one", "first"),
    [
        (seen(), "Guarding"),
        (seen(State.OBSERVING), "Observing only, nothing is stopped"),
        (seen(State.PAUSED, paused_until=7.0), "Paused until 7 o'clock"),
        (seen(State.DEGRADED, troubles=(LOW, FULL)), "The disk is nearly full"),
        (Seen(), "Not running"),
    ],
)
def test_the_first_line_and_the_tooltip_say_what_the_agent_does(one: Seen, first: str) -> None:
    menu = menu_of(one, clock)
    assert menu.items[0] == Item(label=first)
    assert menu.title == f"Drawbridge: {first[0].lower()}{first[1:]}".replace("the disk", "The disk")
    assert menu.state is one.state


def test_what_is_wrong_comes_with_its_cause_and_its_remedy() -> None:
    assert {"The disk is nearly full", "9 MiB are free", "Make room."} <= set(
        labels(seen(State.DEGRADED, troubles=(FULL,)))
    )


def test_an_agent_that_does_not_answer_says_why_and_offers_nothing_but_the_end() -> None:
    menu = menu_of(Seen(problem="this account may not ask the agent"), clock)
    assert "this account may not ask the agent" in [item.label for item in menu.items]
    assert {item.deed for item in menu.items} == {Deed.NOTHING, Deed.QUIET, Deed.QUIT}


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        (Budget(unit="usd", period="month", used=3.2, limit=50), "$3.20 of $50.00 this month"),
        (Budget(unit="tokens", period="day", used=1200, limit=5000), "1,200 of 5,000 tokens today"),
        (Budget(unit="requests", period="3600s", used=1, limit=9), "1 of 9 requests in 1 hour"),
        (Budget(unit="requests", period="", used=1, limit=9), "1 of 9 requests"),
    ],
)
def test_the_key_in_use_says_what_is_used_of_its_budget(budget: Budget, said: str) -> None:
    keys = (VirtualKey(id="search", budgets=(budget,)), VirtualKey(id="old"))
    assert [f"Virtual key search: {said}", "Also today old"] == labels(seen(keys=keys))[4:6]


def test_several_budgets_of_a_key_stand_in_a_submenu() -> None:
    budget = Budget(unit="usd", period="day", used=1, limit=2)
    [key] = [
        item
        for item in menu_of(seen(keys=(VirtualKey(id="a", budgets=(budget, budget)),)), clock).items
        if item.label == "Virtual key a"
    ]
    assert len(key.items) == 2


def test_the_day_is_told_in_numbers_with_the_busiest_apps_and_models() -> None:
    today = Today(requests=1234, blocked=2, redacted=5, apps=(("cursor", 1000),), models=(("gpt-5", 9),))
    told = labels(seen(today=today))
    assert "Today: 1,234 requests, 2 blocked, 5 redacted" in told
    assert {"    cursor  1,000", "    gpt-5  9"} <= set(told)
    assert "Today: 1 request" in labels(seen(today=Today(requests=1)))


def test_a_decision_leads_to_its_own_event() -> None:
    one = Decision(
        number=1,
        id="01ab",
        at=9.0,
        app="codex",
        service="gpt-5",
        action="block",
        applied=True,
        stopped=True,
        reason="secret in the prompt",
    )
    [item] = [each for each in found(seen(decisions=(one,)), Deed.DASHBOARD) if each.argument]
    assert item.label == "9 o'clock  codex blocked: secret in the prompt"
    assert item.argument == "01ab"


@pytest.mark.parametrize(
    ("rules", "offered"),
    [
        (PauseRules(may=True, max_minutes=30), ["5", "15", "30"]),
        (PauseRules(may=True, max_minutes=3), ["3"]),
        (PauseRules(may=False, max_minutes=30), []),
        (PauseRules(may=False, forbidden=True, max_minutes=30), []),
    ],
)
def test_only_pauses_that_the_policy_allows_are_offered(rules: PauseRules, offered: list[str]) -> None:
    one = seen(pausing=rules)
    assert [item.argument for item in found(one, Deed.PAUSE)] == offered
    told = "Pause: only administrators may" in labels(one)
    assert told is (not rules.may and not rules.forbidden)


def test_a_pause_that_needs_a_reason_says_that_something_will_be_asked() -> None:
    asks = seen(pausing=PauseRules(may=True, reason=True, max_minutes=5))
    free = seen(pausing=PauseRules(may=True, reason=False, max_minutes=5))
    assert "Pause …" in labels(asks)
    assert "Pause" in labels(free)


def test_a_pause_can_be_ended_by_those_who_may() -> None:
    assert found(seen(State.PAUSED, paused_until=1.0, operator=True), Deed.RESUME)
    assert not found(seen(State.PAUSED, paused_until=1.0, operator=False), Deed.RESUME)
    assert not found(
        seen(State.PAUSED, paused_until=1.0, pausing=PauseRules(may=True, max_minutes=5)), Deed.PAUSE
    )


def test_a_click_opens_the_dashboard_where_there_is_one() -> None:
    assert [item.label for item in flat(menu_of(seen()).items) if item.default] == ["Open the dashboard"]
    assert not found(seen(dashboard=False), Deed.NOTICE)


def test_closing_ends_the_icon_not_the_agent() -> None:
    [item] = found(seen(), Deed.QUIT)
    assert "Drawbridge goes on" in item.label


def test_groups_are_separated_and_labels_short() -> None:
    menu = menu_of(seen(pause_reason="x" * 500), clock)
    assert SEPARATOR in menu.items
    assert menu.items[0] != SEPARATOR
    assert menu.items[-1] != SEPARATOR
    assert max(len(item.label) for item in flat(menu.items)) <= 90


def test_equal_looks_make_equal_menus() -> None:
    assert menu_of(seen(), clock) == menu_of(seen(), clock)


@pytest.mark.parametrize(
    ("known", "labels", "deeds"),
    [
        (SignIn(), [], []),
        (
            SignIn(state=SignInState.SIGNED_IN, name="ada@example.com"),
            ["Signed in as ada@example.com", "Sign out (ada@example.com)"],
            [Deed.SIGN_OUT],
        ),
        (
            SignIn(state=SignInState.GRACE, name="ada"),
            ["Signed in as ada, not renewed", "Sign in …"],
            [Deed.SIGN_IN],
        ),
        (
            SignIn(state=SignInState.EXPIRED, name="ada"),
            ["The sign-in of ada has expired", "Sign in …"],
            [Deed.SIGN_IN],
        ),
        (SignIn(state=SignInState.SIGNED_OUT), ["Sign in …"], [Deed.SIGN_IN]),
        (
            SignIn(state=SignInState.SIGNED_OUT, refused=True),
            ["Signed out: the identity provider would not renew it", "Sign in …"],
            [Deed.SIGN_IN],
        ),
    ],
)
def test_it_says_who_is_signed_in(known: SignIn, labels: list[str], deeds: list[Deed]) -> None:
    items = flat(menu_of(Seen(state=State.GUARDING, user="ann", sign_in=known)).items)
    found = [each for each in items if "ign" in each.label and not each.label.startswith("Save")]
    assert [each.label for each in found] == labels
    assert [each.deed for each in found if each.deed is not Deed.NOTHING] == deeds
