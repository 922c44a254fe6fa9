"""The store of many machines: a Valkey or Redis server, by plain commands that every version and fork has.

    {prefix}e:{key}     hash: body, bucket, owner, stored_at, expires_at; expires by itself
    {prefix}b:{bucket}  hash: key -> sealed vector, of the bucket's records
    {prefix}o:{owner}   set of keys, by which a virtual key's records are cleared
    {prefix}all         sorted set: key by the time it expires, by which records are counted and bounded

Vectors are compared here, not there: the server would need a module for it (vector sets are only in Redis 8), and would
have to see them unsealed. Its memory is bounded by its own `maxmemory`; entries by `max_entries`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from agent.caching.ports import KEY_BYTES, MOST_COMPARED, Record, StoreStats
from agent.errors import CacheError

PREFIX = b"drawbridge:cache:1:"
_TIMEOUT_SECONDS = 1.0
_BUCKET_SECONDS = 31 * 86_400  # buckets outlive every entry in them
_BATCH = 500


class ValkeyStore:
    """Implements `Store`."""

    shared = True

    def __init__(
        self,
        server: Redis,
        *,
        max_entries: int,
        prefix: bytes = PREFIX,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Owns `server`: closes it. See `connect`."""
        self._server: Any = server
        self._max_entries = max_entries
        self._prefix = prefix
        self._clock = clock

    async def open(self) -> None:
        """See `Store`."""
        with _server_errors():
            await self._server.ping()

    async def get(self, key: bytes) -> Record | None:
        """See `Store`."""
        with _server_errors():
            found = await self._server.hgetall(self._entry(key))
        record = _record(key, found)
        return record if record is not None and record.expires_at > self._clock() else None

    async def put(self, record: Record) -> None:
        """See `Store`."""
        await self._make_room(record.key)
        async with self._pipeline() as pipe:
            entry = self._entry(record.key)
            pipe.delete(entry)
            pipe.hset(
                entry,
                mapping={
                    b"body": record.body,
                    b"bucket": record.bucket,
                    b"owner": record.owner.encode(),
                    b"stored_at": repr(record.stored_at),
                    b"expires_at": repr(record.expires_at),
                },
            )
            pipe.pexpireat(entry, int(record.expires_at * 1000))
            pipe.zadd(self._all, {record.key: record.expires_at})
            if record.bucket:
                pipe.hset(self._bucket(record.bucket), record.key, record.vector)
                pipe.expire(self._bucket(record.bucket), _BUCKET_SECONDS)
            if record.owner:
                pipe.sadd(self._owner(record.owner), record.key)
                pipe.expire(self._owner(record.owner), _BUCKET_SECONDS)
            with _server_errors():
                await pipe.execute()

    async def drop(self, key: bytes) -> None:
        """See `Store`."""
        await self._drop([key])

    async def members(self, bucket: bytes) -> tuple[bytes, ...]:
        """See `Store`. Those whose record is gone are dropped from the bucket on the way."""
        with _server_errors():
            keys: list[bytes] = await self._server.hkeys(self._bucket(bucket))
            if not keys:
                return ()
            times: list[float | None] = await self._server.zmscore(self._all, keys)
            now = self._clock()
            live = [
                (expires, key)
                for key, expires in zip(keys, times, strict=True)
                if expires is not None and expires > now
            ]
            if len(live) < len(keys):
                there = {key for _, key in live}
                await self._server.hdel(self._bucket(bucket), *(key for key in keys if key not in there))
        live.sort()
        return tuple(key for _, key in live[-MOST_COMPARED:])

    async def vectors(self, bucket: bytes, keys: Collection[bytes]) -> Mapping[bytes, bytes]:
        """See `Store`."""
        asked, found = list(keys), dict[bytes, bytes]()
        with _server_errors():
            for start in range(0, len(asked), _BATCH):
                some = asked[start : start + _BATCH]
                got = await self._server.hmget(self._bucket(bucket), some)
                found |= {key: vector for key, vector in zip(some, got, strict=True) if vector is not None}
        return found

    async def clear(self, owner: str | None = None) -> int:
        """See `Store`."""
        with _server_errors():
            if owner is not None:
                keys = [bytes(key) for key in await self._server.smembers(self._owner(owner))]
                count = await self._drop(keys)
                await self._server.delete(self._owner(owner))
                return count
            count = 0
            async for name in self._server.scan_iter(match=_literal(self._prefix) + b"*", count=_BATCH):
                count += name.startswith(self._prefix + b"e:")
                await self._server.unlink(name)
            return count

    async def stats(self) -> StoreStats:
        """See `Store`."""
        with _server_errors():
            now = self._clock()
            entries: int = await self._server.zcard(self._all)
            expired: int = await self._server.zcount(self._all, "-inf", now)
        return StoreStats(entries=entries, expired=expired)

    async def close(self) -> None:
        """See `Store`."""
        with _server_errors():
            await self._server.aclose()

    async def _make_room(self, key: bytes) -> None:
        with _server_errors():
            now = self._clock()
            expired = [
                bytes(each) for each in await self._server.zrange(self._all, "-inf", now, byscore=True)
            ]
            gone = expired[: 2 * _BATCH]
            entries: int = await self._server.zcard(self._all)
            over = entries - len(gone) + 1 - self._max_entries
            if over > 0 and await self._server.zscore(self._all, key) is None:
                gone += [
                    bytes(each)
                    for each in await self._server.zrange(self._all, len(gone), len(gone) + over - 1)
                ]
            if gone:
                await self._drop(gone)

    async def _drop(self, keys: list[bytes]) -> int:
        """Forget records, and where they are noted; how many were there."""
        if not keys:
            return 0
        with _server_errors():
            async with self._pipeline() as pipe:
                for key in keys:
                    pipe.hmget(self._entry(key), b"bucket", b"owner")
                noted: list[list[bytes | None]] = await pipe.execute()
            async with self._pipeline() as pipe:
                for key, (bucket, owner) in zip(keys, noted, strict=True):
                    pipe.unlink(self._entry(key))
                    if bucket:
                        pipe.hdel(self._bucket(bucket), key)
                    if owner:
                        pipe.srem(self._owner(owner.decode()), key)
                pipe.zrem(self._all, *keys)
                await pipe.execute()
        return sum(bucket is not None for bucket, _ in noted)

    def _pipeline(self) -> Any:
        return self._server.pipeline(transaction=True)

    @property
    def _all(self) -> bytes:
        return self._prefix + b"all"

    def _entry(self, key: bytes) -> bytes:
        return self._prefix + b"e:" + key

    def _bucket(self, bucket: bytes) -> bytes:
        return self._prefix + b"b:" + bucket

    def _owner(self, owner: str) -> bytes:
        return self._prefix + b"o:" + owner.encode()


def connect(url: str, *, username: str | None, password: str | None) -> Redis:
    """A client of the server at `url`, which is as a policy gives it. Connects when it is first used."""
    return Redis.from_url(
        url,
        username=username,
        password=password,
        socket_timeout=_TIMEOUT_SECONDS,
        socket_connect_timeout=_TIMEOUT_SECONDS,
        health_check_interval=30,
        driver_info=None,  # else every new connection reads the package's metadata from the disk
    )


def _record(key: bytes, found: Mapping[bytes, bytes]) -> Record | None:
    try:
        if len(key) != KEY_BYTES and not found:
            return None
        return Record(
            key=key,
            body=found[b"body"],
            bucket=found[b"bucket"],
            owner=found[b"owner"].decode(),
            stored_at=float(found[b"stored_at"]),
            expires_at=float(found[b"expires_at"]),
        )
    except (KeyError, ValueError):
        return None


def _literal(text: bytes) -> bytes:
    """`text` in a glob of the server's."""
    return b"".join(b"\\" + bytes([each]) if each in b"*?[]\\^" else bytes([each]) for each in text)


@contextmanager
def _server_errors() -> Iterator[None]:
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        # its words may repeat a command's arguments
        raise CacheError(
            f"the server of the cache cannot be used ({type(error).__name__})",
            hint="Check cache.store in the policy, and the server.",
        ) from error
