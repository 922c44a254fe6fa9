"""The file of the local store."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from agent.accounts.ledgerfile import MAX_MODELS, OTHER_MODEL, Batch, open_ledger, read_ledger
from agent.accounts.meters import Amounts, Unit
from agent.accounts.store import DAY_SECONDS, Use
from agent.accounts.tally import Claims, Tally
from agent.accounts.windows import window
from agent.errors import HostError
from agent.policy.accounts import Per
from tests.fakes.accounts import NOW, meter

METERS = (
    meter(1000, name="tokens"),
    meter(1000, name="usd", unit=Unit.NANO_USD, frame=window(Per.MINUTE)),
    meter(10, name="fast", unit=Unit.REQUESTS, frame=window(Per.MINUTE), budget=False),
    meter(10, name="ways", under_way=True),
)
TODAY = int(NOW) // DAY_SECONDS
USE = Use("k", TODAY, "x/m", 1, 20, 10, 7, 0)


def claims(nano_usd: int, tokens: int) -> Claims:
    found = Tally().reserve(METERS, Amounts(nano_usd, tokens), NOW)
    assert isinstance(found, Claims)
    return found


def test_usage_adds_up_and_what_is_gone_in_a_minute_is_not_written(tmp_path: Path) -> None:
    with open_ledger(path := tmp_path / "a" / "a.db", NOW) as file:
        for _ in range(2):
            batch = Batch()
            batch.charge(claims(3, 5), Amounts(2, 4))
            batch.note(USE)
            batch.note(USE)
            file.write(batch)
        file.write(Batch())
    with open_ledger(path, NOW) as file:
        assert {name: list(slots.values()) for name, slots in file.slots().items()} == {
            "tokens": [8],
            "usd": [4],
        }
        assert file.history("k", 0) == [Use("k", TODAY, "x/m", 4, 80, 40, 28, 0)]
        assert file.history("k", TODAY + 1) == []


def test_what_was_under_way_is_charged_in_full_once(tmp_path: Path) -> None:
    with open_ledger(path := tmp_path / "a.db", NOW) as file:
        batch = Batch()
        batch.opened = {1: (claims(3, 5), USE), 2: (claims(30, 50), None), 3: (claims(7, 7), USE)}
        file.write(batch)
        batch = Batch()
        batch.close(3)
        file.write(batch)
    for _ in range(2):
        with open_ledger(path, NOW) as file:
            assert {name: list(each.values()) for name, each in file.slots().items()} == {
                "tokens": [55],
                "usd": [33],
            }
            assert file.history("k", 0) == [USE]


def test_many_rows_are_written_in_chunks(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "a.db", NOW) as file:
        batch = Batch()
        for number in range(333):
            batch.add("m", number, number, int(NOW) + 10)
        batch.closed = list(range(150))
        file.write(batch)
        assert file.slots()["m"] == {number: number for number in range(333)}


def test_batches_become_one() -> None:
    first, second = Batch(), Batch()
    assert first.empty
    first.opened[1] = (claims(1, 1), None)
    first.add("m", 1, 5, 9)
    first.note(USE)
    second.close(1)
    second.opened[2] = (claims(1, 1), None)
    second.add("m", 1, 6, 9)
    second.note(USE)
    first.absorb(second)
    assert (list(first.opened), first.closed, first.usage) == ([2], [], {("m", 1): [11, 9]})
    assert first.history == {("k", TODAY, "x/m"): [2, 40, 20, 14, 0]}


def test_models_of_a_day_are_bounded(tmp_path: Path) -> None:
    with open_ledger(path := tmp_path / "a.db", NOW) as file:
        batch = Batch()
        for number in range(MAX_MODELS + 5):
            batch.note(USE._replace(model=f"x/{number}"))
        file.write(batch)
    with open_ledger(path, NOW) as file:
        batch = Batch()
        batch.note(USE._replace(model="x/one-more"))
        batch.note(USE._replace(model="x/3"))
        file.write(batch)
        found = {use.model: use.requests for use in file.history("k", 0)}
    assert len(found) == MAX_MODELS + 1
    assert (found[OTHER_MODEL], found["x/3"]) == (6, 2)


def test_what_is_too_old_is_dropped(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "a.db", NOW) as file:
        batch = Batch()
        batch.add("old", 1, 5, int(NOW) + 100)
        batch.add("new", 1, 5, int(NOW) + 10_000)
        batch.note(USE._replace(day=5))
        file.write(batch)
        file.tend(NOW + 50)  # not yet time to look
        assert set(file.slots()) == {"old", "new"}
        file.tend(NOW + 4000)
        assert set(file.slots()) == {"new"}
        assert file.history("k", 0) == []  # of 1970


def test_the_file_is_private_and_can_be_read_beside_the_writer(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="no accounts"), read_ledger(tmp_path / "a.db"):
        pass
    with open_ledger(path := tmp_path / "a.db", NOW) as file:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        batch = Batch()
        batch.add("m", 1, 5, int(NOW) + 100)
        file.write(batch)
        with read_ledger(path) as other:
            assert other.slots() == {"m": {1: 5}}
            with pytest.raises(HostError):
                other.write(batch)


def test_a_file_that_is_damaged_is_kept_and_everything_counts_from_zero(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_text("x" * 5000)
    with open_ledger(path, NOW) as file:
        assert (tmp_path / file.damaged).read_text() == "x" * 5000
        assert file.slots() == {}
        batch = Batch()
        for slot in range(400):
            batch.add("m", slot, 5, int(NOW) + 100)
        file.write(batch)
    with open_ledger(path, NOW) as file:
        assert file.damaged == ""
        assert len(file.slots()["m"]) == 400
    with path.open("r+b") as raw:  # a page within
        raw.seek(4096)
        raw.write(b"\xff" * (path.stat().st_size - 4096))
    with open_ledger(path, NOW) as file:
        assert file.damaged
        assert file.slots() == {}


def test_a_file_that_is_newer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.db").touch()
    connection = sqlite3.connect(tmp_path / "b.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(HostError, match="newer version"), open_ledger(tmp_path / "b.db", NOW):
        pass
    with pytest.raises(HostError, match="is not a directory"), open_ledger(tmp_path / "a.db" / "c", NOW):
        pass
