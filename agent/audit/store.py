"""The audit trail's file: where it is, what its tables are, how it is opened. SQLite in WAL mode, private files.

One process writes (`open_for_writing` holds a lock for as long as the connection lives), any number read beside it.
Migrations only go forward: `_MIGRATIONS` gains an entry, none is ever changed.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from agent.audit.chain import Head
from agent.errors import AuditError, HostError
from agent.host.damage import is_damage, set_aside
from agent.host.files import PRIVATE_FILE, make_private_directory, read_private, write_atomically
from agent.host.paths import StatePaths

log = logging.getLogger(__name__)

BUSY_SECONDS = 5.0
_HEAD_LIMIT = 4096  # bytes

_MIGRATIONS = (
    """
    CREATE TABLE chain (uid TEXT NOT NULL) STRICT;
    CREATE TABLE event (
        seq INTEGER PRIMARY KEY,
        uid TEXT NOT NULL,
        time_ms INTEGER NOT NULL,
        kind TEXT NOT NULL,
        host TEXT NOT NULL,
        model TEXT NOT NULL,
        decision TEXT NOT NULL,
        outcome TEXT NOT NULL,
        surface TEXT NOT NULL,
        app TEXT NOT NULL,
        keep INTEGER NOT NULL,      -- agent.audit.index.Keep
        previous BLOB NOT NULL,     -- fingerprint of the event before
        fingerprint BLOB NOT NULL,
        body BLOB NOT NULL          -- canonical JSON without attestation
    ) STRICT;
    CREATE INDEX event_kept ON event (keep, seq) WHERE keep > 0;  -- costs the plain majority nothing
    """,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """An open store."""

    connection: sqlite3.Connection
    chain_uid: str


@contextmanager
def storage_errors(action: str) -> Iterator[None]:
    """Turn what SQLite and the file system raise into AuditError."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise AuditError(f"cannot {action}: {error}", hint=_hint(error)) from error
    except (OSError, HostError) as error:
        hint = error.hint() if isinstance(error, HostError) else "Check the disk and the permissions."
        raise AuditError(f"cannot {action}: {error}", hint=hint) from error


@contextmanager
def open_for_writing(paths: StatePaths, *, device_id: str) -> Iterator[Store]:
    """The one writer's store, made or migrated where needed. Blocks. Raises AuditError, also for a second writer."""
    with storage_errors(f"open the audit trail {paths.spool}"):
        make_private_directory(paths.audit)
    opening = f"open the audit trail {paths.spool}"
    with closing(_lock(paths)):
        with storage_errors(opening):
            if _is_damaged(paths.spool):
                set_aside(
                    paths.spool
                )  # the head record stays: the new chain begins with an event that names it
            connection = _connect_writer(paths.spool)
        with closing(connection):
            with storage_errors(opening):
                chain_uid = _prepare(connection, paths.spool, device_id)
            yield Store(connection=connection, chain_uid=chain_uid)


@contextmanager
def open_for_reading(paths: StatePaths) -> Iterator[Store]:
    """A snapshot of the store, with or without a writer beside it. Blocks. Raises AuditError."""
    if not paths.spool.exists():
        raise AuditError(
            f"there is no audit trail at {paths.spool}", hint="Start the agent once: `drawbridge up`."
        )
    with storage_errors(f"read the audit trail {paths.spool}"):
        location = f"{paths.spool.resolve().as_uri()}?mode=ro"
        with closing(
            sqlite3.connect(location, uri=True, isolation_level=None, timeout=BUSY_SECONDS)
        ) as connection:
            _check_version(connection, paths.spool)
            connection.execute("BEGIN")
            yield Store(connection=connection, chain_uid=_chain_uid(connection, paths.spool))


def read_head(paths: StatePaths) -> Head | None:
    """The head record, None where there is none or a crash left it unreadable. Blocks. Raises AuditError."""
    with storage_errors("read the audit trail's head record"):
        data = read_private(paths.audit_head, limit=_HEAD_LIMIT)
    try:
        facts = orjson.loads(data or b"")
        return Head(
            chain_uid=str(facts["chain_uid"]),
            seq=int(facts["seq"]),
            fingerprint=bytes.fromhex(facts["fingerprint"]),
        )
    except (ValueError, KeyError, TypeError):
        return None


def write_head(paths: StatePaths, head: Head) -> None:
    """Replace the head record, durably. Blocks. Raises AuditError."""
    facts = {"chain_uid": head.chain_uid, "seq": head.seq, "fingerprint": head.fingerprint.hex()}
    with storage_errors("write the audit trail's head record"):
        write_atomically(paths.audit_head, orjson.dumps(facts) + b"\n")


def _lock(paths: StatePaths) -> sqlite3.Connection:
    """SQLite's own file lock on an empty file: the same on every platform, and gone with the process."""
    path = paths.spool.with_suffix(".lock")
    with storage_errors(f"lock the audit trail {paths.spool}"):
        _make_private(path)
        lock = sqlite3.connect(path, isolation_level=None, timeout=0)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.DatabaseError as error:
        lock.close()
        raise AuditError(
            f"the audit trail {paths.spool} is being written by another process",
            hint="Only one agent may run on a state directory: stop the other one, or choose another --state-dir.",
        ) from error
    return lock


def _is_damaged(path: Path) -> bool:
    """Whether SQLite cannot read what is there. A whole check would take minutes of a large trail: damage further
    inside is found by `drawbridge audit verify`."""
    if not path.exists():
        return False
    try:
        with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
            connection.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()
    except sqlite3.DatabaseError as error:
        return is_damage(error)
    return False


def _connect_writer(path: Path) -> sqlite3.Connection:
    _make_private(path)
    return sqlite3.connect(path, isolation_level=None, timeout=BUSY_SECONDS)


def _prepare(connection: sqlite3.Connection, path: Path, device_id: str) -> str:
    for pragma in (
        "page_size = 8192",  # three events of the usual 2.5 kB; 4096 would hold one
        "auto_vacuum = INCREMENTAL",  # before the first table; lets retention give space back
        "journal_mode = WAL",
        "synchronous = FULL",  # a commit that returned survives a power cut
        "wal_autocheckpoint = 0",  # checkpoints wait until nobody waits for a commit
        "journal_size_limit = 16777216",
        "secure_delete = ON",  # what retention dropped is gone
    ):
        connection.execute(f"PRAGMA {pragma}")
    version = _check_version(connection, path)
    for number, script in enumerate(_MIGRATIONS[version:], start=version + 1):
        connection.executescript(f"BEGIN IMMEDIATE;{script};PRAGMA user_version = {number};COMMIT;")
    connection.execute(
        "INSERT INTO chain SELECT ? WHERE NOT EXISTS (SELECT 1 FROM chain)", (f"{device_id}/{uuid.uuid4()}",)
    )
    return _chain_uid(connection, path)


def _chain_uid(connection: sqlite3.Connection, path: Path) -> str:
    row = connection.execute("SELECT uid FROM chain").fetchone()
    if row is None:
        raise AuditError(
            f"the audit trail {path} has lost its name", hint="Move it away and keep it as evidence."
        )
    return str(row[0])


def _check_version(connection: sqlite3.Connection, path: Path) -> int:
    [version] = connection.execute("PRAGMA user_version").fetchone()
    if version > len(_MIGRATIONS):
        raise AuditError(
            f"the audit trail {path} was written by a newer version of Drawbridge",
            hint="Install that version again, or choose another --state-dir.",
        )
    return int(version)


def _make_private(path: Path) -> None:
    """Make an empty file before SQLite does: SQLite gives -wal and -shm the mode it finds here."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    os.close(os.open(path, flags, PRIVATE_FILE))
    path.chmod(PRIVATE_FILE)


def _hint(error: sqlite3.DatabaseError) -> str:
    match getattr(error, "sqlite_errorcode", None):
        case sqlite3.SQLITE_FULL:
            return "The disk is full: make room."
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return "Another program holds the file locked: try again."
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return "The file is damaged: move it away (with its -wal and -shm) and keep it as evidence."
        case _:
            return "Check the disk and the permissions of the state directory."
