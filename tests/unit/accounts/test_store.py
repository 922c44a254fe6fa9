"""What every store promises: SQLite, Redis as fakeredis plays it, and a real server where there is one."""

from __future__ import annotations

import asyncio
import random

from agent.accounts.meters import Amounts, Unit
from agent.accounts.store import DAY_SECONDS, AccountStore, Hold, Use
from agent.accounts.tally import Refusal
from agent.accounts.windows import window
from agent.policy.accounts import Per, WindowKind
from tests.fakes.accounts import NOW, meter

TODAY = int(NOW) // DAY_SECONDS
DAILY = window(Per.DAY, WindowKind.CALENDAR, "Europe/Berlin")


async def used(store: AccountStore, *meters: object, now: float = NOW) -> list[int]:
    return [each.used for each in await store.read(list(meters), now)]  # type: ignore[arg-type]


async def reserve(store: AccountStore, meters: list[object], amount: int, now: float = NOW) -> Hold | Refusal:
    answer = await store.reserve(meters, Amounts(amount, amount), now)  # type: ignore[arg-type]
    assert isinstance(answer, Hold | Refusal)
    return answer


async def test_a_reservation_takes_its_amount_and_a_settlement_corrects_it(store: AccountStore) -> None:
    tokens, money = meter(1000), meter(1000, unit=Unit.NANO_USD, name="usd", frame=DAILY)
    hold = await store.reserve([tokens, money], Amounts(300, 100), NOW)
    assert isinstance(hold, Hold)
    assert await used(store, tokens, money) == [100, 300]
    await store.settle(hold, Amounts(120, 40), None)
    assert await used(store, tokens, money) == [40, 120]


async def test_what_has_no_room_in_one_meter_takes_nothing_of_any(store: AccountStore) -> None:
    wide, narrow, way = meter(1000, name="wide"), meter(50, name="narrow"), meter(5, under_way=True, name="w")
    refusal = await reserve(store, [way, wide, narrow], 60)
    assert isinstance(refusal, Refusal)
    assert (refusal.meter, refusal.wanted, refusal.retry_after) == (narrow, 60, None)
    assert await used(store, way, wide, narrow) == [0, 0, 0]


async def test_the_first_meter_without_room_is_the_one_that_is_told(store: AccountStore) -> None:
    first, second = meter(10, name="first"), meter(5, name="second")
    refusal = await reserve(store, [first, second], 11)
    assert isinstance(refusal, Refusal)
    assert refusal.meter is first


async def test_a_refusal_tells_when_there_is_room_again(store: AccountStore) -> None:
    hourly, daily = meter(100, name="hourly"), meter(100, name="daily", frame=DAILY)
    await reserve(store, [hourly, daily], 60)
    await reserve(store, [hourly, daily], 40, NOW + 600)
    early = await reserve(store, [hourly], 50, NOW + 1200)
    late = await reserve(store, [hourly], 100, NOW + 1200)
    midnight = await reserve(store, [daily], 1, NOW + 1200)
    assert isinstance(early, Refusal)
    assert isinstance(late, Refusal)
    assert isinstance(midnight, Refusal)
    assert (early.retry_after, late.retry_after) == (3660 - 1200, 3660 - 600)
    assert midnight.retry_after == 15 * 3600 - 1200  # it is 9 o'clock in Berlin
    assert isinstance(await reserve(store, [hourly], 50, NOW + 3660), Hold)


async def test_a_release_is_as_if_nothing_had_been(store: AccountStore) -> None:
    meters = [meter(100), meter(3, unit=Unit.REQUESTS, name="r"), meter(1, under_way=True, name="w")]
    hold = await reserve(store, meters, 100)
    assert isinstance(hold, Hold)
    await store.release(hold)
    assert await used(store, *meters) == [0, 0, 0]


async def test_a_second_settlement_or_release_does_nothing(store: AccountStore) -> None:
    meters = [meter(100), meter(2, under_way=True, name="w")]
    first, second = await reserve(store, meters, 10), await reserve(store, meters, 10)
    assert isinstance(first, Hold)
    assert isinstance(second, Hold)
    for _ in range(2):
        await store.settle(first, Amounts(5, 5), None)
        await store.release(first)
    assert await used(store, *meters) == [15, 1]


async def test_more_than_was_reserved_is_counted_all_the_same(store: AccountStore) -> None:
    hold = await reserve(store, [one := meter(100)], 90)
    assert isinstance(hold, Hold)
    await store.settle(hold, Amounts(150, 150), None)
    assert await used(store, one) == [150]
    assert isinstance(await reserve(store, [one], 1), Refusal)


async def test_what_costs_nothing_fits_a_full_budget(store: AccountStore) -> None:
    await reserve(store, [one := meter(100)], 100)
    assert isinstance(await reserve(store, [one], 0), Hold)


async def test_what_is_under_way_is_free_again_when_it_ends(store: AccountStore) -> None:
    one = meter(1, under_way=True)
    hold = await reserve(store, [one], 5)
    refusal = await reserve(store, [one], 5)
    assert isinstance(hold, Hold)
    assert isinstance(refusal, Refusal)
    assert refusal.retry_after == 1
    await store.settle(hold, Amounts(5, 5), None)
    assert isinstance(await reserve(store, [one], 5), Hold)


async def test_a_call_that_moves_takes_its_claims_along(store: AccountStore) -> None:
    key, openai, claude = meter(100, name="key"), meter(100, name="openai"), meter(100, name="claude")
    way = meter(1, under_way=True, name="way")
    hold = await reserve(store, [way, key, openai], 80)
    assert isinstance(hold, Hold)
    moved = await store.reserve([way, key, claude], Amounts(0, 90), NOW, instead=hold)
    assert isinstance(moved, Hold)
    assert await used(store, way, key, openai, claude) == [1, 90, 0, 90]
    await store.settle(hold, Amounts(0, 50), None)  # is no more
    await store.settle(moved, Amounts(0, 70), None)
    assert await used(store, way, key, openai, claude) == [0, 70, 0, 70]


async def test_a_move_that_is_refused_leaves_everything(store: AccountStore) -> None:
    key, openai, claude = meter(100, name="key"), meter(100, name="openai"), meter(10, name="claude")
    hold = await reserve(store, [key, openai], 80)
    assert isinstance(hold, Hold)
    refusal = await store.reserve([key, claude], Amounts(0, 90), NOW, instead=hold)
    assert isinstance(refusal, Refusal)
    assert await used(store, key, openai, claude) == [80, 80, 0]
    await store.settle(hold, Amounts(0, 70), None)
    assert await used(store, key, openai) == [70, 70]


async def test_windows_go_by(store: AccountStore) -> None:
    minute = meter(100, frame=window(Per.MINUTE), name="minute")
    daily = meter(100, frame=DAILY, name="daily")
    await reserve(store, [minute, daily], 100)
    assert await used(store, minute, daily, now=NOW + 60.5) == [100, 100]
    assert await used(store, minute, daily, now=NOW + 61) == [0, 100]
    assert await used(store, minute, daily, now=NOW + 15 * 3600 - 1) == [0, 100]
    assert await used(store, minute, daily, now=NOW + 15 * 3600) == [0, 0]
    assert isinstance(await reserve(store, [minute, daily], 100, NOW + 15 * 3600), Hold)


async def test_a_clock_that_is_set_back_gives_nothing_back(store: AccountStore) -> None:
    for frame, forward in ((window(Per.HOUR), 5400), (DAILY, 86_400)):
        one = meter(100, frame=frame, name=str(forward))
        await reserve(store, [one], 30, NOW)
        await reserve(store, [one], 50, NOW + forward)  # set forward, spent there, and back again
        assert isinstance(await reserve(store, [one], 21, NOW + 60), Refusal)
        hold = await reserve(store, [one], 20, NOW + 60)
        assert isinstance(hold, Hold)
        assert await used(store, one, now=NOW + 61) == [100]
        await store.settle(hold, Amounts(5, 5), None)
        assert await used(store, one, now=NOW + 62) == [85]


async def test_a_settlement_belongs_to_the_window_in_which_its_call_began(store: AccountStore) -> None:
    hold = await reserve(store, [daily := meter(100, frame=DAILY)], 50)
    tomorrow = NOW + 86_400
    assert isinstance(hold, Hold)
    await reserve(store, [daily], 10, tomorrow)
    await store.settle(hold, Amounts(60, 60), None)
    assert await used(store, daily, now=tomorrow) == [10]


async def test_another_limit_goes_on_with_what_was_used(store: AccountStore) -> None:
    await reserve(store, [meter(100)], 60)
    assert await used(store, meter(50)) == [60]
    assert isinstance(await reserve(store, [meter(50)], 1), Refusal)
    assert isinstance(await reserve(store, [meter(200)], 140), Hold)


async def test_a_history_is_kept_by_key_day_and_model(store: AccountStore) -> None:
    for key, model, cost in (("a", "x/m", 3), ("a", "x/m", 4), ("a", "x/n", 5), ("b", "x/m", 6)):
        hold = await reserve(store, [meter(10**6)], 10)
        assert isinstance(hold, Hold)
        await store.settle(hold, Amounts(cost, 3), Use(key, TODAY, model, 1, 2, 1, cost, 0))
    free = await reserve(store, [], 0)
    assert isinstance(free, Hold)
    await store.settle(free, Amounts(0, 0), Use("a", TODAY - 1, "x/m", 1, 7, 0, 0, 1))
    assert list(await store.history("a", TODAY - 29)) == [
        Use("a", TODAY - 1, "x/m", 1, 7, 0, 0, 1),
        Use("a", TODAY, "x/m", 2, 4, 2, 7, 0),
        Use("a", TODAY, "x/n", 1, 2, 1, 5, 0),
    ]
    assert list(await store.history("c", TODAY - 29)) == []


async def test_fifty_at_once_never_pass_a_limit_and_nothing_is_lost(store: AccountStore) -> None:
    chance = random.Random(7)
    customer = meter(1500, name="customer")
    ways = meter(20, under_way=True, name="ways")
    keys = [meter(400, name=f"key{number}", frame=DAILY) for number in range(5)]
    spent = dict.fromkeys(("customer", *(key.name for key in keys)), 0)
    most = 0

    async def client(number: int) -> None:
        nonlocal most
        key = keys[number % len(keys)]
        for _ in range(3):
            worst, real = chance.randint(1, 60), chance.randint(0, 60)
            answer = await reserve(store, [ways, customer, key], worst)
            if isinstance(answer, Refusal):
                continue
            most = max(most, (await used(store, ways))[0])
            assert max(await used(store, customer)) <= customer.limit
            assert max(await used(store, key)) <= key.limit
            await asyncio.sleep(0)
            if real > worst:
                await store.release(answer)
                continue
            await store.settle(answer, Amounts(real, real), None)
            spent["customer"] += real
            spent[key.name] += real

    await asyncio.gather(*(client(number) for number in range(50)))
    assert await used(store, customer, *keys) == list(spent.values())
    assert await used(store, ways) == [0]
    assert 0 < most <= 20
