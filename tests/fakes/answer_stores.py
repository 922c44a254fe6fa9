"""What every store of the cache must do, whatever it is built on: subclasses say how one is made."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping

import pytest

from agent.caching.ports import Record, Store, StoreStats
from agent.errors import CacheError

NOW = 4_000_000_000.0  # servers have clocks of their own: nothing expires by those


class Clock:
    """Unix seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def name(text: str) -> bytes:
    """32 bytes, as keys and buckets have."""
    return hashlib.sha256(text.encode()).digest()


def record(
    key: str, *, bucket: str = "", owner: str = "", body: bytes = b"body", lives: float = 60, at: float = NOW
) -> Record:
    return Record(
        key=name(key),
        body=body,
        bucket=name(bucket) if bucket else b"",
        vector=b"v-" + key.encode() if bucket else b"",
        owner=owner,
        stored_at=at,
        expires_at=at + lives,
    )


class MemoryStore:
    """Implements `Store` in memory, without bounds. `down`: it can do nothing."""

    shared = False

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.records: dict[bytes, Record] = {}
        self.down = False

    def _live(self) -> dict[bytes, Record]:
        if self.down:
            raise CacheError("the store is away")
        return {key: each for key, each in self.records.items() if each.expires_at > self.clock()}

    async def open(self) -> None:
        self._live()

    async def get(self, key: bytes) -> Record | None:
        return self._live().get(key)

    async def put(self, record: Record) -> None:
        self.records = {**self._live(), record.key: record}

    async def drop(self, key: bytes) -> None:
        self.records = {each: record for each, record in self._live().items() if each != key}

    async def members(self, bucket: bytes) -> tuple[bytes, ...]:
        return tuple(key for key, each in self._live().items() if bucket and each.bucket == bucket)

    async def vectors(self, bucket: bytes, keys: Collection[bytes]) -> Mapping[bytes, bytes]:
        live = self._live()
        return {key: live[key].vector for key in keys if key in live}

    async def clear(self, owner: str | None = None) -> int:
        gone = [key for key, each in self._live().items() if owner in (None, each.owner)]
        for key in gone:
            del self.records[key]
        return len(gone)

    async def stats(self) -> StoreStats:
        return StoreStats(entries=len(self._live()))

    async def close(self) -> None:
        pass


class StoreContract:
    """Tests of one kind of store. Holds three entries."""

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def store(self, clock: Clock) -> Store:
        """A store that is open; subclasses make it."""
        raise NotImplementedError

    async def test_what_was_put_is_got(self, store: Store) -> None:
        await store.put(record("a", owner="vk", body=bytes(range(256))))
        got = await store.get(name("a"))
        assert got is not None
        assert (got.body, got.owner, got.stored_at) == (bytes(range(256)), "vk", NOW)
        assert await store.get(name("b")) is None

    async def test_a_newer_record_takes_the_place_of_an_older(self, store: Store) -> None:
        await store.put(record("a", bucket="x"))
        await store.put(record("a", body=b"newer"))
        got = await store.get(name("a"))
        assert got is not None
        assert got.body == b"newer"
        assert (await store.stats()).entries == 1

    async def test_records_expire(self, store: Store, clock: Clock) -> None:
        await store.put(record("a", bucket="x", lives=10))
        await store.put(record("b", lives=30))
        clock.now += 10
        assert await store.get(name("a")) is None
        assert await store.get(name("b")) is not None
        assert await store.members(name("x")) == ()
        await store.put(record("c", at=clock.now))
        assert (await store.stats()).entries == 2

    async def test_there_is_room_for_so_many(self, store: Store, clock: Clock) -> None:
        for number, key in enumerate("abcd"):
            clock.now = NOW + number
            await store.put(record(key, at=clock.now))
        there = [key for key in "abcd" if await store.get(name(key)) is not None]
        assert there == ["b", "c", "d"]

    async def test_a_bucket_has_members_and_their_vectors(self, store: Store, clock: Clock) -> None:
        for key, bucket in (("a", "x"), ("b", "y"), ("c", "x")):
            clock.now += 1
            await store.put(record(key, bucket=bucket, at=clock.now))
        assert await store.members(name("x")) == (name("a"), name("c"))
        assert await store.members(name("z")) == ()
        assert dict(await store.vectors(name("x"), [name("a"), name("?")])) == {name("a"): b"v-a"}

    async def test_dropped_records_leave_their_bucket(self, store: Store) -> None:
        await store.put(record("a", bucket="x"))
        await store.drop(name("a"))
        await store.drop(name("a"))
        assert await store.get(name("a")) is None
        assert await store.members(name("x")) == ()

    async def test_records_of_one_owner_are_cleared(self, store: Store) -> None:
        await store.put(record("a", owner="vk-1", bucket="x"))
        await store.put(record("b", owner="vk-2", bucket="x"))
        assert await store.clear("vk-1") == 1
        assert await store.clear("vk-1") == 0
        assert await store.members(name("x")) == (name("b"),)
        assert await store.get(name("a")) is None

    async def test_everything_is_cleared(self, store: Store) -> None:
        await store.put(record("a", owner="vk-1", bucket="x"))
        await store.put(record("b"))
        assert await store.clear() == 2
        assert (await store.stats()).entries == 0
        assert await store.get(name("b")) is None
