"""The journal: who settles waits, who opens does not, and a disk that fails stops nobody."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from agent.accounts.journal import OPEN_SECONDS, Journal
from agent.accounts.ledgerfile import Batch, LedgerFile
from agent.accounts.store import DAY_SECONDS, Use
from agent.accounts.tally import NO_CLAIMS
from agent.errors import HostError
from tests.fakes.accounts import NOW

TODAY = int(NOW) // DAY_SECONDS


class Written:
    """Remembers what the file was told, and fails as often as it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.batches: list[Batch] = []
        self.failures: list[Exception] = []
        write = LedgerFile.write

        def noted(file: LedgerFile, batch: Batch) -> None:
            if self.failures:
                raise self.failures.pop()
            if not batch.empty:
                self.batches.append(batch)
            write(file, batch)

        monkeypatch.setattr(LedgerFile, "write", noted)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Written:
    return Written(monkeypatch)


async def opened(path: Path) -> Journal:
    journal = Journal(path, lambda: NOW)
    await journal.open()
    return journal


async def test_those_who_settle_together_share_a_batch(tmp_path: Path, written: Written) -> None:
    journal = await opened(tmp_path / "a.db")

    async def settle(hold: int) -> None:
        journal.opened(hold, NO_CLAIMS, None)
        journal.settled(hold).add("m", 1, 1, int(NOW) + 9)
        await journal.durable()

    await asyncio.gather(*(settle(hold) for hold in range(50)))
    await journal.close()
    assert [(batch.usage, batch.closed) for batch in written.batches] == [
        ({("m", 1): [50, int(NOW) + 9]}, [])
    ]


async def test_a_reservation_is_written_soon_though_nobody_waits(tmp_path: Path, written: Written) -> None:
    journal = await opened(tmp_path / "a.db")
    journal.opened(1, NO_CLAIMS, None)
    journal.opened(2, NO_CLAIMS, None)
    journal.closed(2)
    await asyncio.sleep(OPEN_SECONDS + 0.03)
    assert [list(batch.opened) for batch in written.batches] == [[1]]
    journal.closed(1)
    await journal.close()
    assert written.batches[-1].closed == [1]


@pytest.mark.parametrize("failure", [HostError("cannot write: no room"), RuntimeError("a bug")])
async def test_what_the_disk_refuses_is_written_later(
    tmp_path: Path, written: Written, failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    journal = await opened(tmp_path / "a.db")
    written.failures = [failure]
    journal.settled(1).add("m", 1, 5, int(NOW) + 9)
    with caplog.at_level(logging.WARNING):
        await journal.durable()  # returns all the same
    assert "kept in memory" in caplog.text
    journal.settled(2).add("m", 1, 6, int(NOW) + 9)
    await journal.close()
    assert [batch.usage for batch in written.batches] == [{("m", 1): [11, int(NOW) + 9]}]


async def test_a_history_holds_what_was_just_settled(tmp_path: Path) -> None:
    journal = await opened(tmp_path / "a.db")
    journal.settled(1).note(use := Use("k", TODAY, "m", 1, 2, 3, 4, 0))
    assert await journal.history("k", TODAY) == [use]
    await journal.close()
    assert await journal.history("k", TODAY) == []


async def test_a_file_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.db").mkdir()
    with pytest.raises(HostError, match="cannot open the accounts"):
        await opened(tmp_path / "a.db")


async def test_a_history_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(file: LedgerFile, key: str, since_day: int) -> list[Use]:
        raise HostError("cannot read the accounts")

    monkeypatch.setattr(LedgerFile, "history", fails)
    journal = await opened(tmp_path / "a.db")
    with pytest.raises(HostError):
        await journal.history("k", 0)
    await journal.close()


async def test_a_reservation_that_came_to_nothing_is_soon_forgotten(tmp_path: Path, written: Written) -> None:
    journal = await opened(tmp_path / "a.db")
    journal.opened(1, NO_CLAIMS, None)
    await journal.durable()
    written.batches.clear()
    journal.closed(1)
    await asyncio.sleep(OPEN_SECONDS * 5)
    assert [batch.closed[0] for batch in written.batches] == [1]
    await journal.close()
