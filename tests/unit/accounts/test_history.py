"""Usage reaches the history in batches; a database that is away stops nothing and costs a bounded amount of memory."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.accounts.history import BATCH_ROWS, History, HistoryStore
from agent.accounts.local import LocalStore
from agent.accounts.meters import Amounts
from agent.accounts.store import Hold, Use
from agent.errors import UpstreamError
from tests.fakes.accounts import NOW, meter
from tests.fakes.database import MemoryUsage

DAY = 20_000


def use(key: str = "k", *, model: str = "openai/m", tokens: int = 5) -> Use:
    return Use(key, DAY, model, 1, tokens, tokens, 7, 0)


@pytest.fixture
def database() -> MemoryUsage:
    return MemoryUsage()


@pytest.fixture
def history(database: MemoryUsage) -> History:
    return History(database, flush_seconds=0.005)


async def test_what_is_used_of_one_model_on_one_day_is_one_row(
    history: History, database: MemoryUsage
) -> None:
    for _ in range(3):
        history.note(use())
    history.note(use("other"))
    assert history.waiting == 2
    await history.flush()
    assert database.uses == [Use("k", DAY, "openai/m", 3, 15, 15, 21, 0), use("other")]
    assert history.waiting == 0


async def test_batches_are_bounded(history: History, database: MemoryUsage) -> None:
    for number in range(BATCH_ROWS + 1):
        history.note(use(f"k{number}"))
    await history.flush()
    assert (len(database.uses), history.waiting) == (BATCH_ROWS, 1)


async def test_a_failed_batch_is_written_again_under_its_number(
    history: History, database: MemoryUsage
) -> None:
    database.deaf = True
    history.note(use())
    with pytest.raises(UpstreamError):
        await history.flush()
    history.note(use())  # not of that batch: nobody knows whether that is in
    database.deaf = False
    await history.flush()
    await history.flush()
    assert database.batches == {1: (use(),), 2: (use(),)}


async def test_a_database_that_is_away_costs_bounded_memory_and_what_is_lost_is_counted(
    database: MemoryUsage,
) -> None:
    history = History(database, most_rows=3)
    for number in range(5):
        history.note(use(f"k{number}"))
    history.note(use("k0"))  # there already: no further row
    assert (history.waiting, history.dropped) == (3, 2)


async def test_it_writes_by_itself_and_catches_up_when_the_database_is_back(
    history: History, database: MemoryUsage, caplog: pytest.LogCaptureFixture
) -> None:
    database.away = True
    history.start()
    history.note(use())
    await eventually(lambda: database.calls > 1)
    database.away = False
    await eventually(lambda: history.waiting == 0)
    await history.close()
    assert database.uses == [use()]
    assert [each.message for each in caplog.records if "waits" in each.message] == [
        "the history of usage waits: away"
    ]


async def test_what_is_left_is_written_at_the_end(history: History, database: MemoryUsage) -> None:
    history.start()
    history.note(use())
    await history.close()
    assert database.uses == [use()]
    assert database.closed


async def test_an_end_without_the_database_is_an_end(history: History, database: MemoryUsage) -> None:
    database.away = True
    history.start()
    history.note(use())
    await history.close()
    assert (history.waiting, database.uses) == (0, [])


async def test_the_store_settles_into_the_history_and_is_read_from_there(
    history: History, database: MemoryUsage, tmp_path: Path
) -> None:
    store = HistoryStore(LocalStore(tmp_path / "a" / "accounts.db"), history)
    await store.open()
    hold = await store.reserve([meter(100)], Amounts(0, 20), NOW)
    assert isinstance(hold, Hold)
    await store.settle(hold, Amounts(0, 10), use())
    released = await store.reserve([meter(100)], Amounts(0, 20), NOW)
    assert isinstance(released, Hold)
    await store.release(released)
    assert [each.used for each in await store.read([meter(100)], NOW)] == [10]
    assert await store.reachable()
    await eventually(lambda: database.uses == [use()])
    assert await store.history("k", DAY) == [use()]
    database.away = True
    assert await store.history("k", DAY) == [use()]  # from the counters' own store
    assert store.kept is history
    database.away = False
    await store.close()


async def eventually(reached: object) -> None:
    assert callable(reached)
    async with asyncio.timeout(5):
        while not reached():
            await asyncio.sleep(0.005)
