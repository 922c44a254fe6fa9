"""The store of one machine: a private SQLite file (WAL), one thread that talks to it, and the last records in memory.

Nothing here need survive a power cut: a lost entry is asked for again. A file that is damaged or of another version is
therefore thrown away and made anew.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent.caching.ports import MOST_COMPARED, Record, StoreStats
from agent.errors import CacheError, HostError
from agent.host.files import PRIVATE_FILE, make_private_directory

_VERSION = 1
_BUSY_SECONDS = 2.0
_FRONT_BYTES = 8 * 1024 * 1024
_LOOK_SECONDS = 1.0  # after which it is looked whether somebody else cleared the file
_USED_SECONDS = 60.0  # a hit is noted no more often
_MANY = 500  # variables of one statement
_TABLES = """
CREATE TABLE entry (
    key BLOB PRIMARY KEY,
    bucket BLOB NOT NULL,
    owner TEXT NOT NULL,
    stored_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    used_at REAL NOT NULL,
    size INTEGER NOT NULL,
    body BLOB NOT NULL,
    vector BLOB NOT NULL
) STRICT;
CREATE INDEX entry_bucket ON entry (bucket, stored_at) WHERE bucket != x'';
CREATE INDEX entry_expires ON entry (expires_at);
CREATE INDEX entry_used ON entry (used_at);
"""
_COLUMNS = "key, bucket, owner, stored_at, expires_at, body, vector"


class SqliteStore:
    """Implements `Store`. Built without touching the disk; `open` does."""

    shared = False

    def __init__(
        self, path: Path, *, max_entries: int, max_bytes: int, clock: Callable[[], float] = time.time
    ) -> None:
        """`clock` gives Unix seconds."""
        self._path = path
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._clock = clock
        self._executor: ThreadPoolExecutor | None = None
        self._connection: sqlite3.Connection | None = None
        self._front: OrderedDict[bytes, Record] = OrderedDict()
        self._front_bytes = 0
        self._looked_at = 0.0
        self._seen_version = 0
        self._entries = 0
        self._size = 0

    async def open(self) -> None:
        """See `Store`."""
        if self._executor is None:
            self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="answer-cache")
            await self._run(self._open)

    async def get(self, key: bytes) -> Record | None:
        """See `Store`. A record that another process cleared may be given for another second."""
        now = self._clock()
        if not 0 <= now - self._looked_at < _LOOK_SECONDS:
            self._looked_at = now
            if await self._run(self._was_changed_elsewhere):
                self._forget_front()
        record = self._front.get(key)
        if record is None:
            record = await self._run(self._get, key, now)
            if record is not None:
                self._keep_in_front(record)
        elif record.expires_at <= now:
            self._drop_from_front(key)
            return None
        else:
            self._front.move_to_end(key)
        return record

    async def put(self, record: Record) -> None:
        """See `Store`."""
        gone = await self._run(self._put, record, self._clock())
        for key in gone:
            self._drop_from_front(key)
        self._keep_in_front(record)

    async def drop(self, key: bytes) -> None:
        """See `Store`."""
        self._drop_from_front(key)
        await self._run(self._delete, (key,))

    async def members(self, bucket: bytes) -> tuple[bytes, ...]:
        """See `Store`."""
        return await self._run(self._members, bucket, self._clock())

    async def vectors(self, bucket: bytes, keys: Collection[bytes]) -> Mapping[bytes, bytes]:
        """See `Store`."""
        del bucket
        return await self._run(self._vectors, tuple(keys))

    async def clear(self, owner: str | None = None) -> int:
        """See `Store`."""
        self._forget_front()
        return await self._run(self._clear, owner)

    async def stats(self) -> StoreStats:
        """See `Store`."""
        return await self._run(self._stats, self._clock())

    async def close(self) -> None:
        """See `Store`."""
        executor, self._executor = self._executor, None
        if executor is not None:
            await asyncio.get_running_loop().run_in_executor(executor, self._close)
            executor.shutdown(wait=False)
            self._forget_front()

    async def _run[**P, T](self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._executor is None:
            raise CacheError("the store of the cache is not open")

        def guarded() -> T:
            with _storage_errors(self._path):
                return work(*args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._executor, guarded)

    # The memory in front, on the event loop.

    def _keep_in_front(self, record: Record) -> None:
        self._drop_from_front(record.key)
        self._front[record.key] = record
        self._front_bytes += record.size
        while self._front_bytes > _FRONT_BYTES:
            self._drop_from_front(next(iter(self._front)))

    def _drop_from_front(self, key: bytes) -> None:
        record = self._front.pop(key, None)
        if record is not None:
            self._front_bytes -= record.size

    def _forget_front(self) -> None:
        self._front.clear()
        self._front_bytes = 0

    # The rest runs in the store's thread.

    @property
    def _database(self) -> sqlite3.Connection:
        if self._connection is None:
            raise CacheError("the store of the cache is not open")
        return self._connection

    def _open(self) -> None:
        make_private_directory(self._path.parent)
        try:
            self._connection = _prepared(self._path)
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", None) not in (
                sqlite3.SQLITE_CORRUPT,
                sqlite3.SQLITE_NOTADB,
            ):
                raise
            for suffix in ("", "-wal", "-shm"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
            self._connection = _prepared(self._path)
        self._count()

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _count(self) -> None:
        row = self._database.execute("SELECT COUNT(*), COALESCE(SUM(size), 0) FROM entry").fetchone()
        self._entries, self._size = row

    def _was_changed_elsewhere(self) -> bool:
        [version] = self._database.execute("PRAGMA data_version").fetchone()
        changed = version != self._seen_version
        if changed:
            self._seen_version = version
            self._count()
        return bool(changed)

    def _get(self, key: bytes, now: float) -> Record | None:
        row = self._database.execute(
            f"SELECT {_COLUMNS}, used_at FROM entry WHERE key = ? AND expires_at > ?",  # noqa: S608
            (key, now),
        ).fetchone()
        if row is None:
            return None
        if now - row[-1] > _USED_SECONDS:
            self._database.execute("UPDATE entry SET used_at = ? WHERE key = ?", (now, key))
        return _record(row)

    def _put(self, record: Record, now: float) -> tuple[bytes, ...]:
        """Store `record`; the keys of those that had to go."""
        database = self._database
        database.execute("BEGIN IMMEDIATE")
        try:
            self._remove("key = ?", (record.key,))
            gone = self._remove("expires_at <= ?", (now,))
            while self._entries and (
                self._entries + 1 > self._max_entries or self._size + record.size > self._max_bytes
            ):
                least = "key IN (SELECT key FROM entry ORDER BY used_at LIMIT ?)"
                gone += self._remove(least, (max(1, self._max_entries // 100),))
            database.execute(
                "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    record.key,
                    record.bucket,
                    record.owner,
                    record.stored_at,
                    record.expires_at,
                    now,
                    record.size,
                    record.body,
                    record.vector,
                ),
            )
            database.execute("COMMIT")
        except sqlite3.DatabaseError:
            if database.in_transaction:
                database.execute("ROLLBACK")
            self._count()
            raise
        self._entries += 1
        self._size += record.size
        return tuple(gone)

    def _remove(self, condition: str, values: tuple[object, ...]) -> list[bytes]:
        rows = self._database.execute(
            f"DELETE FROM entry WHERE {condition} RETURNING key, size",  # noqa: S608  our own conditions
            values,
        ).fetchall()
        self._entries -= len(rows)
        self._size -= sum(size for _, size in rows)
        return [key for key, _ in rows]

    def _delete(self, keys: tuple[bytes, ...]) -> None:
        for key in keys:
            self._remove("key = ?", (key,))

    def _members(self, bucket: bytes, now: float) -> tuple[bytes, ...]:
        rows = self._database.execute(
            "SELECT key FROM entry WHERE bucket = ? AND bucket != x'' AND expires_at > ?"
            " ORDER BY stored_at DESC LIMIT ?",
            (bucket, now, MOST_COMPARED),
        ).fetchall()
        return tuple(key for (key,) in reversed(rows))

    def _vectors(self, keys: tuple[bytes, ...]) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        for start in range(0, len(keys), _MANY):
            some = keys[start : start + _MANY]
            marks = ",".join("?" * len(some))
            rows = self._database.execute(
                f"SELECT key, vector FROM entry WHERE key IN ({marks})",  # noqa: S608  question marks only
                some,
            )
            found |= dict(rows.fetchall())
        return found

    def _clear(self, owner: str | None) -> int:
        gone = self._remove("1", ()) if owner is None else self._remove("owner = ?", (owner,))
        self._database.execute("PRAGMA incremental_vacuum").fetchall()
        self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return len(gone)

    def _stats(self, now: float) -> StoreStats:
        self._count()
        [expired, oldest] = self._database.execute(
            "SELECT COUNT(*) FILTER (WHERE expires_at <= ?), MIN(stored_at) FROM entry", (now,)
        ).fetchone()
        return StoreStats(entries=self._entries, size=self._size, expired=expired, oldest_at=oldest)


def _prepared(path: Path) -> sqlite3.Connection:
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    os.close(os.open(path, flags, PRIVATE_FILE))  # SQLite gives -wal and -shm the mode it finds here
    path.chmod(PRIVATE_FILE)
    connection = sqlite3.connect(path, isolation_level=None, timeout=_BUSY_SECONDS)
    try:
        for pragma in (
            "auto_vacuum = INCREMENTAL",
            "journal_mode = WAL",
            "synchronous = NORMAL",  # what a power cut takes is asked for again
            "secure_delete = ON",
            "journal_size_limit = 16777216",
        ):
            connection.execute(f"PRAGMA {pragma}")
        [version] = connection.execute("PRAGMA user_version").fetchone()
        if version != _VERSION:
            connection.executescript(
                f"BEGIN IMMEDIATE; DROP TABLE IF EXISTS entry; {_TABLES} PRAGMA user_version = {_VERSION}; COMMIT;"
            )
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def _record(row: tuple[Any, ...]) -> Record:
    key, bucket, owner, stored_at, expires_at, body, vector, *_ = row
    return Record(
        key=key,
        bucket=bucket,
        owner=owner,
        stored_at=stored_at,
        expires_at=expires_at,
        body=body,
        vector=vector,
    )


@contextmanager
def _storage_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise CacheError(
            f"the store of the cache {path} cannot be used: {error}",
            hint="Check the disk, or remove the file.",
        ) from error
    except (OSError, HostError) as error:
        hint = error.hint() if isinstance(error, HostError) else "Check the disk and the permissions."
        raise CacheError(f"the store of the cache {path} cannot be used: {error}", hint=hint) from error
