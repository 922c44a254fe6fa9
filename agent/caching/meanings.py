"""The vectors of stored questions, by bucket, in memory: loaded when a bucket is first asked about."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable

from agent.caching.ports import MOST_COMPARED, Store
from agent.caching.sealing import Sealer
from agent.caching.vectors import Neighbours, Vector, packed, unpacked

MOST_VECTORS = 20_000
"""In memory, of all buckets: 40 MB at 384 numbers each."""
_REFRESH_SECONDS = 10.0  # after which others' entries are looked for in a shared store
_BATCH = 250  # vectors that are unsealed before others have their turn


class _Bucket:
    def __init__(self) -> None:
        self.neighbours = Neighbours(MOST_COMPARED)
        self.lock = asyncio.Lock()
        self.loaded_at: float | None = None


class Meanings:
    """For one event loop. `clock` is monotonic or not, in seconds."""

    def __init__(
        self, store: Store, sealer: Sealer, *, clock: Callable[[], float], most: int = MOST_VECTORS
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._clock = clock
        self._most = most
        self._buckets: OrderedDict[bytes, _Bucket] = OrderedDict()

    async def neighbours(self, bucket: bytes) -> Neighbours:
        """The vectors of `bucket`. Raises CacheError."""
        entry = self._buckets.get(bucket)
        if entry is None:
            entry = self._buckets[bucket] = _Bucket()
        self._buckets.move_to_end(bucket)
        async with entry.lock:
            if self._is_old(entry):
                await self._load(bucket, entry.neighbours)
                entry.loaded_at = self._clock()
                self._bound()
        return entry.neighbours

    def seal(self, key: bytes, vector: Vector) -> bytes:
        """The vector as it is stored."""
        return self._sealer.seal(packed(vector), b"vector" + key)

    def add(self, bucket: bytes, key: bytes, vector: Vector) -> None:
        """A question was stored."""
        if (entry := self._buckets.get(bucket)) is not None:
            entry.neighbours.add(key, vector)
            self._bound()

    def remove(self, bucket: bytes, key: bytes) -> None:
        """A question is no longer stored."""
        if (entry := self._buckets.get(bucket)) is not None:
            entry.neighbours.remove(key)

    def _is_old(self, entry: _Bucket) -> bool:
        if entry.loaded_at is None:
            return True
        return self._store.shared and not 0 <= self._clock() - entry.loaded_at < _REFRESH_SECONDS

    async def _load(self, bucket: bytes, neighbours: Neighbours) -> None:
        members = await self._store.members(bucket)
        there = frozenset(members)
        for key in neighbours.keys - there:
            neighbours.remove(key)
        missing = [key for key in members if key not in neighbours]
        for start in range(0, len(missing), _BATCH):
            some = missing[start : start + _BATCH]
            for key, sealed in (await self._store.vectors(bucket, some)).items():
                data = self._sealer.unseal(sealed, b"vector" + key)
                found = None if data is None else unpacked(data)
                if found is not None:
                    neighbours.add(key, *found)
            await asyncio.sleep(0)

    def _bound(self) -> None:
        """Let buckets go that were not asked about for longest; they are loaded again when they are."""
        total = sum(len(each.neighbours) for each in self._buckets.values())
        for bucket, entry in list(self._buckets.items())[:-1]:
            if total <= self._most and len(self._buckets) <= self._most:
                return
            if not entry.lock.locked():
                total -= len(entry.neighbours)
                del self._buckets[bucket]
