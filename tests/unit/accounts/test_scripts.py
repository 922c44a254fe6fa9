"""The scripts of the shared store may come twice, and go by the server's clock."""

from __future__ import annotations

import time

import fakeredis
import pytest

from agent.accounts.fleet import FleetStore
from agent.accounts.layout import Space
from agent.accounts.meters import Amounts, Unit
from agent.accounts.scripts import RESERVE, SETTLE
from agent.accounts.store import Hold
from agent.accounts.windows import window
from agent.policy.accounts import Per, WindowKind
from tests.fakes.accounts import NOW, meter

USD = meter(10**15, unit=Unit.NANO_USD)
DAILY = meter(100, frame=window(Per.DAY, WindowKind.CALENDAR, "Europe/Berlin"))


@pytest.fixture
async def client(_fakeredis_has_read_its_tables: None) -> fakeredis.FakeAsyncRedis:
    return fakeredis.FakeAsyncRedis(decode_responses=True)


async def test_the_same_reservation_twice_is_one(client: fakeredis.FakeAsyncRedis) -> None:
    store = FleetStore(client, server_time=False, clock=lambda: NOW)
    hold = store._new_hold([USD, ways := meter(1, under_way=True, name="w")], Amounts(100, 1))
    for _ in range(2):
        assert isinstance(await store._ask(hold, NOW, None), Hold)
    assert [each.used for each in await store.read([USD, ways], NOW)] == [100, 1]
    moved = store._new_hold([USD, ways], Amounts(150, 1))
    for _ in range(2):
        assert isinstance(await store._ask(moved, NOW, hold), Hold)
    assert [each.used for each in await store.read([USD, ways], NOW)] == [150, 1]
    for _ in range(2):
        await store._run_settle(moved, Amounts(70, 1), None)
    assert [each.used for each in await store.read([USD, ways], NOW)] == [70, 0]


async def test_large_amounts_stay_exact(client: fakeredis.FakeAsyncRedis) -> None:
    store = FleetStore(client, server_time=False, clock=lambda: NOW)
    most = meter(9_000_000 * 10**9, unit=Unit.NANO_USD)
    first = await store.reserve([most], Amounts(most.limit - 1, 0), NOW)
    assert isinstance(first, Hold)
    assert isinstance(await store.reserve([most], Amounts(1, 0), NOW), Hold)
    assert not isinstance(await store.reserve([most], Amounts(1, 0), NOW), Hold)
    assert (await store.read([most], NOW))[0].used == most.limit


@pytest.mark.parametrize("wrong", [-400 * 86_400.0, 0.0, 400 * 86_400.0])
async def test_a_device_with_a_wrong_clock_shares_the_servers_windows(
    client: fakeredis.FakeAsyncRedis, wrong: float
) -> None:
    right, other = FleetStore(client), FleetStore(client)
    assert isinstance(await right.reserve([DAILY], Amounts(0, 60), time.time()), Hold)
    assert isinstance(await other.reserve([DAILY], Amounts(0, 40), time.time() + wrong), Hold)
    assert not isinstance(await right.reserve([DAILY], Amounts(0, 1), time.time()), Hold)


def test_all_keys_are_on_one_shard() -> None:
    space = Space("fleet")
    keys = [space.meter(USD), space.meter(meter(1, under_way=True)), space.hold(1), space.history("k", 5)]
    assert all("{fleet}" in key for key in keys)
    assert len(set(keys)) == 4


def test_the_scripts_name_no_key_of_their_own() -> None:
    assert "drawbridge:" not in RESERVE + SETTLE
