"""The store of one machine: the contract, and that it is private, bounded, and survives."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.caching.ports import Store
from agent.caching.sqlite import SqliteStore
from agent.errors import CacheError
from tests.fakes.answer_stores import Clock, StoreContract, name, record

MIB = 1024 * 1024


def made(path: Path, clock: Clock, *, max_bytes: int = MIB, max_entries: int = 3) -> SqliteStore:
    return SqliteStore(path, max_entries=max_entries, max_bytes=max_bytes, clock=clock)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "answers.db"


class TestSqlite(StoreContract):
    @pytest.fixture
    async def store(self, path: Path, clock: Clock) -> AsyncIterator[Store]:  # type: ignore[override]
        store = made(path, clock)
        await store.open()
        yield store
        await store.close()


async def test_entries_survive_a_restart(path: Path) -> None:
    clock = Clock()
    first = made(path, clock)
    await first.open()
    await first.put(record("a", bucket="x"))
    await first.close()
    second = made(path, clock)
    await second.open()
    assert await second.get(name("a")) is not None
    assert await second.members(name("x")) == (name("a"),)
    await second.close()
    await second.close()


async def test_it_is_bounded_by_bytes(path: Path) -> None:
    clock = Clock()
    store = made(path, clock, max_bytes=1000, max_entries=100)
    await store.open()
    for number in range(10):
        clock.now += 1
        await store.put(record(str(number), body=b"x" * 300, at=clock.now))
    stats = await store.stats()
    assert stats.entries == 2
    assert stats.size <= 1000
    await store.close()


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")
async def test_its_files_are_private(path: Path) -> None:
    store = made(path, Clock())
    await store.open()
    await store.put(record("a"))
    modes = {each.name: each.stat().st_mode & 0o777 for each in path.parent.iterdir()}
    assert set(modes.values()) == {0o600}
    assert path.parent.stat().st_mode & 0o777 == 0o700
    await store.close()


async def test_a_damaged_file_is_made_anew(path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    path.write_bytes(b"this is no database" * 100)
    store = made(path, Clock())
    await store.open()
    await store.put(record("a"))
    assert (await store.stats()).entries == 1
    await store.close()


async def test_a_file_of_another_version_is_made_anew(path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE entry (key TEXT); PRAGMA user_version = 99;")
    store = made(path, Clock())
    await store.open()
    assert (await store.stats()).entries == 0
    await store.close()


async def test_what_another_process_cleared_is_soon_gone(path: Path) -> None:
    clock = Clock()
    store = made(path, clock)
    await store.open()
    await store.put(record("a"))
    assert await store.get(name("a")) is not None
    other = made(path, clock)
    await other.open()
    await other.clear()
    await other.close()
    clock.now += 1
    assert await store.get(name("a")) is None
    await store.close()


async def test_a_store_that_is_not_open_or_cannot_be_says_so(path: Path) -> None:
    with pytest.raises(CacheError, match="not open"):
        await made(path, Clock()).get(name("a"))
    path.mkdir(parents=True)
    store = made(path, Clock())
    with pytest.raises(CacheError, match="cannot be used") as caught:
        await store.open()
    assert caught.value.hint()
    await store.close()
