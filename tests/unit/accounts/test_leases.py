"""What a device sets aside: as much as it would need, and never more than it took."""

from __future__ import annotations

from agent.accounts.leases import Lease, Leases
from agent.accounts.meters import NOTHING, Amounts, Unit
from agent.accounts.store import Hold
from agent.accounts.tally import NO_CLAIMS
from tests.fakes.accounts import NOW, meter

USD, TOKENS = meter(10**6, name="usd", unit=Unit.NANO_USD), meter(10**6, name="tokens")
FAST = meter(10, name="fast", unit=Unit.REQUESTS, budget=False)


def leased(**amounts: int) -> Leases:
    leases = Leases()
    for name, amount in amounts.items():
        leases.held[name] = Lease(hold=Hold(1, NO_CLAIMS), amount=amount, until=NOW + 100)
    return leases


def test_a_need_is_what_was_used_lately_or_a_few_large_calls() -> None:
    leases = Leases()
    leases.note([USD, FAST], Amounts(100, 5))
    assert (set(leases.needs), leases.wanted("usd")) == ({"usd"}, 400)
    for _ in range(9):
        leases.note([USD], Amounts(60, 5))
    assert leases.wanted("usd") == 640
    leases.turn()
    assert leases.wanted("usd") == 640
    leases.turn()
    assert leases.wanted("usd") == 400
    leases.turn()
    assert not leases.needs


def test_a_need_is_for_all_of_the_time_without_contact() -> None:
    leases = Leases(stretches=15)
    for _ in range(10):
        leases.note([USD], Amounts(100, 5))
    assert leases.wanted("usd") == 15_000
    for _ in range(16):
        leases.turn()
        assert leases.wanted("usd") >= 400
    leases.turn()
    assert not leases.needs


def test_needs_are_bounded() -> None:
    leases = Leases()
    for number in range(300):
        leases.note([meter(5, name=f"m{number}")], Amounts(1, 1))
    assert len(leases.needs) == 256
    assert "m299" in leases.needs


def test_a_lease_is_spent_and_corrected_like_a_budget() -> None:
    leases = leased(usd=100, tokens=100)
    assert leases.reserve([USD, TOKENS, FAST], Amounts(60, 10), NOW)
    assert not leases.reserve([USD, TOKENS], Amounts(50, 10), NOW)
    assert leases.held["tokens"].used == 10  # all or nothing
    leases.settle([USD, TOKENS, FAST], Amounts(60, 10), Amounts(20, 5))
    assert (leases.held["usd"].used, leases.held["usd"].calls, leases.held["usd"].touched) == (20, 0, True)
    assert leases.reserve([USD], Amounts(80, 0), NOW)
    leases.settle([USD], Amounts(80, 0), NOTHING)
    assert leases.held["usd"].used == 20


def test_without_a_lease_or_after_its_time_there_is_nothing() -> None:
    leases = leased(usd=100)
    assert not leases.reserve([USD, TOKENS], Amounts(1, 1), NOW)
    assert leases.reserve([USD, TOKENS], Amounts(1, 0), NOW)  # of tokens nothing is wanted
    assert not leases.reserve([USD], Amounts(1, 1), NOW + 100)
    assert leases.reserve([FAST], Amounts(1, 1), NOW + 1000)
