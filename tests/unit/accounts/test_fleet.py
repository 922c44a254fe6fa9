"""The shared store when it cannot be reached: bounded, never past the fleet's budget, and caught up on later."""

from __future__ import annotations

import asyncio
import logging

import fakeredis
import pytest

from agent.accounts.fleet import FleetStore
from agent.accounts.meters import NOTHING, Amounts, Unit
from agent.accounts.store import DAY_SECONDS, UNREACHABLE, Hold, Use
from agent.accounts.tally import Refusal
from agent.accounts.windows import window
from agent.errors import UpstreamError
from agent.policy.accounts import Per
from tests.fakes.accounts import NOW, meter

BUDGET = meter(1000, name="budget")
SPEED = meter(3, name="speed", unit=Unit.REQUESTS, budget=False, frame=window(Per.MINUTE))
TODAY = int(NOW) // DAY_SECONDS


class Fleet:
    """Devices on one server, whose clock and network the test holds."""

    def __init__(self) -> None:
        self.server = fakeredis.FakeServer()
        self.now = NOW

    def device(self, **options: float) -> FleetStore:
        client = fakeredis.FakeAsyncRedis(server=self.server, decode_responses=True)
        options.setdefault("lease_seconds", 900)
        return FleetStore(client, server_time=False, clock=lambda: self.now, **options)  # type: ignore[arg-type]

    def network(self, *, up: bool) -> None:
        self.server.connected = up

    async def used(self) -> int:
        return (await self.device().read([BUDGET], self.now))[0].used


@pytest.fixture
async def fleet(_fakeredis_has_read_its_tables: None) -> Fleet:
    return Fleet()


async def spend(store: FleetStore, fleet: Fleet, amount: int, real: int | None = None) -> object:
    answer = await store.reserve([BUDGET, SPEED], Amounts(amount, amount), fleet.now)
    if isinstance(answer, Hold):
        used = Amounts(0, amount if real is None else real)
        await store.settle(answer, used, Use("k", TODAY, "m", 1, used.tokens, 0, 0, 0))
    return answer


async def test_a_device_goes_on_with_what_it_set_aside_and_no_further(fleet: Fleet) -> None:
    store = fleet.device()
    await spend(store, fleet, 10)
    await store.renew()
    assert await fleet.used() == 10 + 40  # four calls of that size are set aside
    fleet.network(up=False)
    answers = [await spend(store, fleet, 15, 12) for _ in range(4)]
    assert [isinstance(each, Hold) for each in answers] == [True, True, True, False]
    assert isinstance(answers[-1], Refusal)  # of speed, which the device counts by itself
    fleet.now += 120
    assert await spend(store, fleet, 15) is UNREACHABLE  # 36 of 40 are gone
    fleet.network(up=True)
    fleet.now += 31
    assert isinstance(await spend(store, fleet, 5), Hold)
    await store.renew()
    await store.close()
    assert await fleet.used() == 10 + 36 + 5
    assert [use.requests for use in await store_history(fleet)] == [5]


async def store_history(fleet: Fleet) -> list[Use]:
    return list(await fleet.device().history("k", TODAY))


async def test_offline_devices_together_never_pass_the_fleets_budget(fleet: Fleet) -> None:
    devices = [fleet.device() for _ in range(5)]
    for _ in range(2):
        for device in devices:
            await spend(device, fleet, 60)
            fleet.now += 61
    for device in devices:
        await device.renew()
    fleet.network(up=False)
    spent = 600
    for _ in range(30):
        for device in devices:
            spent += 7 if isinstance(await spend(device, fleet, 7), Hold) else 0
        fleet.now += 20
    assert 600 < spent <= 1000
    fleet.network(up=True)
    fleet.now += 31
    for device in devices:
        await device.close()
    assert await fleet.used() == spent


async def test_a_device_that_does_not_come_back_leaves_its_lease_as_used(fleet: Fleet) -> None:
    lost = fleet.device()
    await spend(lost, fleet, 20)
    await lost.renew()
    other = fleet.device()
    assert isinstance(await other.reserve([BUDGET], Amounts(0, 901), fleet.now), Refusal)
    assert isinstance(await other.reserve([BUDGET], Amounts(0, 900), fleet.now), Hold)


async def test_a_device_is_not_refused_for_what_it_set_aside_itself(fleet: Fleet) -> None:
    store = fleet.device()
    await spend(store, fleet, 50)
    await store.renew()
    assert await fleet.used() == 50 + 95  # a tenth of what is left
    assert isinstance(await store.reserve([BUDGET], Amounts(0, 950), fleet.now), Hold)


async def test_the_time_without_contact_is_bounded(fleet: Fleet) -> None:
    store, never = fleet.device(offline_seconds=100), fleet.device(offline_seconds=0)
    for device in (store, never):
        await spend(device, fleet, 10)
    await store.renew()
    fleet.network(up=False)
    assert await spend(never, fleet, 1) is UNREACHABLE
    fleet.now += 99
    assert isinstance(await spend(store, fleet, 1), Hold)
    fleet.now += 2
    assert await spend(store, fleet, 1) is UNREACHABLE


async def test_a_worker_that_set_nothing_aside_spends_no_budget_alone_and_counts_limits_itself(
    fleet: Fleet,
) -> None:
    busy, fresh = fleet.device(), fleet.device()
    await spend(busy, fleet, 10)
    await busy.renew()
    assert await fresh.reachable()
    fleet.network(up=False)
    assert isinstance(await spend(busy, fleet, 1), Hold)
    assert await spend(fresh, fleet, 1) is UNREACHABLE  # what it took might be what others have left
    answers = [await fresh.reserve([SPEED], Amounts(0, 1), fleet.now) for _ in range(4)]
    assert [isinstance(each, Hold) for each in answers] == [True, True, True, False]
    assert isinstance(await fresh.reserve([], Amounts(0, 1), fleet.now), Hold)


async def test_a_settlement_that_cannot_be_told_is_told_later(
    fleet: Fleet, caplog: pytest.LogCaptureFixture
) -> None:
    store = fleet.device()
    hold = await store.reserve([BUDGET], Amounts(0, 100), fleet.now)
    assert isinstance(hold, Hold)
    fleet.network(up=False)
    with caplog.at_level(logging.WARNING):
        await store.settle(hold, Amounts(0, 30), None)
    assert "cannot be reached" in caplog.text
    with pytest.raises(UpstreamError):
        await store.read([BUDGET], fleet.now)
    with pytest.raises(UpstreamError):
        await store.history("k", TODAY)
    fleet.network(up=True)
    assert await fleet.used() == 100  # the worst case stands until then
    await store.close()
    assert await fleet.used() == 30


async def test_a_call_moves_between_being_online_and_not(fleet: Fleet) -> None:
    store = fleet.device()
    await spend(store, fleet, 10)
    await store.renew()
    online = await store.reserve([BUDGET], Amounts(0, 30), fleet.now)
    assert isinstance(online, Hold)
    fleet.network(up=False)
    offline = await store.reserve([BUDGET], Amounts(0, 20), fleet.now, instead=online)
    assert isinstance(offline, Hold)
    assert offline.offline
    again = await store.reserve([BUDGET], Amounts(0, 15), fleet.now, instead=offline)
    assert isinstance(again, Hold)
    fleet.network(up=True)
    fleet.now += 31
    last = await store.reserve([BUDGET], Amounts(0, 25), fleet.now, instead=again)
    assert isinstance(last, Hold)
    assert not last.offline
    await store.settle(last, Amounts(0, 22), None)
    await store.close()
    assert await fleet.used() == 10 + 22


async def test_calls_that_live_on_a_lease_keep_it(fleet: Fleet) -> None:
    store = fleet.device()
    await spend(store, fleet, 10)
    await store.renew()
    fleet.network(up=False)
    hold = await store.reserve([BUDGET], Amounts(0, 10), fleet.now)
    assert isinstance(hold, Hold)
    fleet.network(up=True)
    fleet.now += 31
    await store.renew()
    assert await fleet.used() == 50
    await store.release(hold)
    await store.renew()
    assert await fleet.used() == 50  # a new one, of which nothing was used
    await store.close()
    assert await fleet.used() == 10


async def test_leases_that_nobody_needs_are_given_back(fleet: Fleet) -> None:
    store = fleet.device(lease_seconds=60, offline_seconds=120)
    await spend(store, fleet, 10)
    for _ in range(3):
        await store.renew()
    assert await fleet.used() == 50
    for _ in range(2):
        await store.renew()
    assert await fleet.used() == 10


async def test_without_contact_a_renewal_leaves_what_is_set_aside(fleet: Fleet) -> None:
    store = fleet.device()
    await spend(store, fleet, 10)
    await store.renew()
    fleet.network(up=False)
    for _ in range(3):
        await store.renew()
        assert isinstance(await spend(store, fleet, 5), Hold)


async def test_many_that_are_refused_at_once_give_a_lease_back_once(fleet: Fleet) -> None:
    store = fleet.device()
    await spend(store, fleet, 50)
    await store.renew()
    answers = await asyncio.gather(*(store.reserve([BUDGET], Amounts(0, 940), fleet.now) for _ in range(5)))
    assert [isinstance(each, Hold) for each in answers].count(True) == 1


async def test_a_move_whose_answer_was_lost_loses_no_spend(fleet: Fleet) -> None:
    for arrived in (True, False):
        store = fleet.device(offline_seconds=0)
        before = await fleet.used()
        hold = await store.reserve([BUDGET], Amounts(0, 100), fleet.now)
        assert isinstance(hold, Hold)
        moved = store._new_hold([BUDGET], Amounts(0, 120))
        if arrived:
            await store._ask(moved, fleet.now, hold)
        store._doubt(moved, hold)  # as where the answer does not come
        await store.settle(hold, Amounts(0, 70), Use("k", TODAY, "m", 1, 70, 0, 0, 0))
        assert await fleet.used() == before + 70
    assert [use.requests for use in await store_history(fleet)] == [2]


async def test_a_reservation_that_nobody_waits_for_any_more_is_taken_back(fleet: Fleet) -> None:
    store = fleet.device()
    script = store._reserve_script

    async def slow(**arguments: object) -> None:
        await script(**arguments)  # type: ignore[arg-type]
        await asyncio.sleep(60)

    store._reserve_script = slow  # type: ignore[assignment]
    task = asyncio.create_task(store.reserve([BUDGET], Amounts(0, 100), fleet.now))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await fleet.used() == 100
    await store.close()
    assert await fleet.used() == 0


async def test_a_store_that_is_down_at_the_start_may_come_later(fleet: Fleet) -> None:
    fleet.network(up=False)
    store = fleet.device(lease_seconds=0.01)
    await store.open()
    assert await spend(store, fleet, 1) is UNREACHABLE
    fleet.network(up=True)
    fleet.now += 31
    assert isinstance(await spend(store, fleet, 1), Hold)
    await store.close()


async def test_a_reservation_that_may_have_got_through_is_taken_back(fleet: Fleet) -> None:
    store = fleet.device(offline_seconds=0)
    hold = store._new_hold([BUDGET], Amounts(0, 70))
    await store._ask(hold, fleet.now, None)  # arrived, but its answer was lost
    store._owed.append((hold, NOTHING, None))
    await store.renew()
    assert await fleet.used() == 0


async def test_it_can_be_used_until_what_was_set_aside_may_not_be_spent_any_more(fleet: Fleet) -> None:
    store = fleet.device(offline_seconds=900)
    assert await store.reachable()
    fleet.network(up=False)
    assert await store.reachable()
    fleet.now += 900
    assert not await store.reachable()
    fleet.network(up=True)
    fleet.now += 60  # it is not asked at once after a failure
    assert await store.reachable()


async def test_one_that_was_never_reached_cannot_be_used(fleet: Fleet) -> None:
    fleet.network(up=False)
    assert not await fleet.device().reachable()
