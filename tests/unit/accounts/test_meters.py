"""Meters are made of budgets and limits, in the order in which they are asked."""

from __future__ import annotations

import pytest

from agent.accounts.denials import Kind, Tier
from agent.accounts.meters import Amounts, Unit, meters
from agent.policy.accounts import Budget, Limits, Per, WindowKind
from tests.fakes.accounts import meter


def test_an_owner_has_a_meter_for_each_budget_and_limit() -> None:
    budgets = (Budget(usd=1.5, per=Per.MONTH), Budget(tokens=7, per=Per.DAY, name="few"))
    limits = Limits(requests_per_minute=3, tokens_per_day=9, concurrency=2, max_tokens_per_request=5)
    found = list(meters(Tier.TEAM, "search", budgets, limits))
    assert [(each.name, each.unit, each.limit, each.budget) for each in found] == [
        ("usd-month", Unit.NANO_USD, 1_500_000_000, True),
        ("few", Unit.TOKENS, 7, True),
        ("requests_per_minute", Unit.REQUESTS, 3, False),
        ("tokens_per_day", Unit.TOKENS, 9, False),
        ("concurrency", Unit.CONCURRENT, 2, False),
    ]
    assert [Amounts(10, 20, 30)[each.column] for each in found] == [10, 20, 30, 20, 30]
    assert [each.lasting for each in found] == [True, True, False, True, False]


def test_a_meter_keeps_its_id_when_its_limit_changes_and_not_when_its_window_does() -> None:
    def ids(*budgets: Budget) -> list[str]:
        return [each.id for each in meters(Tier.KEY, "k", budgets, Limits())]

    one = Budget(usd=1, per=Per.DAY, name="b")
    assert ids(one) == ids(one.model_copy(update={"usd": 2.0}))
    others = [
        one,
        one.model_copy(update={"per": Per.WEEK}),
        one.model_copy(update={"window": WindowKind.CALENDAR}),
        Budget(tokens=1, per=Per.DAY, name="b"),
        Budget(usd=1, per=Per.DAY, name="b", window=WindowKind.CALENDAR, time_zone="Europe/Berlin"),
    ]
    assert len(set(ids(*others))) == 5


@pytest.mark.parametrize(
    ("unit", "budget", "wanted", "kind"),
    [
        (Unit.NANO_USD, True, 5, Kind.BUDGET_EXCEEDED),
        (Unit.TOKENS, True, 500, Kind.BUDGET_EXCEEDED),
        (Unit.REQUESTS, False, 1, Kind.RATE_LIMITED),
        (Unit.TOKENS, False, 5, Kind.TOKEN_LIMITED),
        (Unit.TOKENS, False, 11, Kind.REQUEST_TOO_LARGE),
        (Unit.CONCURRENT, False, 1, Kind.CONCURRENCY_LIMITED),
    ],
)
def test_a_denial_is_of_what_the_meter_counts(unit: Unit, budget: bool, wanted: int, kind: Kind) -> None:
    one = meter(10, unit=unit, budget=budget, under_way=unit is Unit.CONCURRENT)
    denial = one.denial(wanted, 7)
    assert (denial.kind, denial.tier, denial.owner, denial.name) == (kind, Tier.KEY, "k", "m")
    assert denial.retry_after == (None if kind is Kind.REQUEST_TOO_LARGE else 7)
