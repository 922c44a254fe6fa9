"""The local store: what is settled is on the disk, and a process that is killed loses no spend."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agent.accounts.ledgerfile import read_ledger
from agent.accounts.local import LocalStore
from agent.accounts.meters import Amounts, Unit
from agent.accounts.store import Hold
from agent.accounts.tally import Refusal
from tests.fakes.accounts import NOW, meter

USD = meter(10**9, name="usd", unit=Unit.NANO_USD)
TOKENS = meter(10**9, name="tokens")

VICTIM = """
import asyncio, sys
from pathlib import Path
from agent.accounts.local import LocalStore
from agent.accounts.meters import Amounts, Unit
from tests.fakes.accounts import NOW, meter

async def main():
    meters = [meter(10**9, name="usd", unit=Unit.NANO_USD), meter(10**9, name="tokens")]
    store = LocalStore(Path(sys.argv[1]), clock=lambda: NOW)
    await store.open()
    for _ in range(3):
        await store.reserve(meters, Amounts(1000, 100), NOW)  # is never settled
    async def client(number):
        while True:
            hold = await store.reserve(meters, Amounts(500, 50), NOW)
            await asyncio.sleep(0.001)
            await store.settle(hold, Amounts(7, 1), None)
            print(1, flush=True)
    await asyncio.gather(*(client(number) for number in range(20)))

asyncio.run(main())
"""


async def opened(path: Path) -> LocalStore:
    store = LocalStore(path, clock=lambda: NOW)
    await store.open()
    return store


async def used(store: LocalStore) -> list[int]:
    return [each.used for each in await store.read([USD, TOKENS], NOW)]


async def test_what_was_settled_is_there_the_next_time(tmp_path: Path) -> None:
    path = tmp_path / "accounts.db"
    store = await opened(path)
    for _ in range(3):
        hold = await store.reserve([USD, TOKENS], Amounts(100, 10), NOW)
        assert isinstance(hold, Hold)
        await store.settle(hold, Amounts(70, 7), None)
    released = await store.reserve([USD, TOKENS], Amounts(100, 10), NOW)
    assert isinstance(released, Hold)
    await store.release(released)
    await store.close()
    store = await opened(path)
    assert await used(store) == [210, 21]
    await store.close()


async def test_a_settlement_is_on_the_disk_when_it_returns(tmp_path: Path) -> None:
    store = await opened(path := tmp_path / "accounts.db")
    hold = await store.reserve([TOKENS], Amounts(100, 10), NOW)
    assert isinstance(hold, Hold)
    await store.settle(hold, Amounts(70, 7), None)

    def on_disk() -> list[int]:
        with read_ledger(path) as file:
            return list(file.slots()["tokens"].values())

    assert await asyncio.to_thread(on_disk) == [7]
    await store.close()


async def test_who_is_cancelled_while_settling_has_settled(tmp_path: Path) -> None:
    store = await opened(tmp_path / "accounts.db")
    hold = await store.reserve([TOKENS], Amounts(100, 10), NOW)
    assert isinstance(hold, Hold)
    task = asyncio.create_task(store.settle(hold, Amounts(70, 7), None))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await used(store) == [0, 7]
    await store.close()
    store = await opened(tmp_path / "accounts.db")
    assert await used(store) == [0, 7]
    await store.close()


async def test_a_move_leaves_one_reservation_on_the_disk(tmp_path: Path) -> None:
    store = await opened(path := tmp_path / "accounts.db")
    hold = await store.reserve([TOKENS], Amounts(100, 10), NOW)
    assert isinstance(hold, Hold)
    await asyncio.sleep(0.03)  # the first is written down
    await store.reserve([USD], Amounts(500, 50), NOW, instead=hold)
    await store.close()  # without a settlement, as if killed
    store = await opened(path)
    assert await used(store) == [500, 0]
    await store.close()


async def test_a_store_that_is_closed_or_never_opened_still_counts(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "accounts.db")
    small = meter(10)
    hold = await store.reserve([small], Amounts(0, 10), NOW)
    assert isinstance(hold, Hold)
    assert isinstance(await store.reserve([small], Amounts(0, 1), NOW), Refusal)
    await store.release(hold)
    assert list(await store.history("k", 0)) == []
    await store.close()
    await store.close()


def test_a_process_that_is_killed_loses_no_spend(tmp_path: Path) -> None:
    path = tmp_path / "accounts.db"
    settled = 0
    with subprocess.Popen(
        [sys.executable, "-c", VICTIM, str(path)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]
    ) as process:
        assert process.stdout is not None
        for _ in process.stdout:
            settled += 1
            if settled == 300:
                process.send_signal(signal.SIGKILL)
                break
        settled += len(process.stdout.read().splitlines())
    with read_ledger(path) as file:
        before = [sum(file.slots()["usd"].values()), sum(file.slots()["tokens"].values())]
    assert before[0] >= 7 * settled  # what was told is there; what was not yet told may be

    async def after() -> list[int]:
        store = await opened(path)
        found = await used(store)
        await store.close()
        return found

    usd, tokens = asyncio.run(after())
    opened_usd, opened_tokens = usd - before[0], tokens - before[1]
    assert opened_usd >= 3000  # what was under way is charged at its worst
    assert (opened_usd - 3000) % 500 == 0
    assert opened_tokens == opened_usd // 10
