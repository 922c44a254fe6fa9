"""Which programs were seen asking models, kept over restarts: a private SQLite file in the state directory.

One process writes, any number read beside it. Holds names of programs, surfaces and accounts of this machine, no
content. Everything here blocks.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import orjson

from agent.errors import HostError
from agent.host.files import PRIVATE_FILE
from agent.model.app import Evidence
from agent.model.appearance import MAX_ACCOUNTS, Appearance
from agent.model.login import Login, LoginKind, Tenancy

MAX_KEPT = 4096
"""Rows. A program that changes its name all the time fills the list, not the disk."""

_BUSY_SECONDS = 2.0
_COLUMNS = "app, program, surface, user, host, first_ms, last_ms, requests, blocked, evidence, accounts"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS appearance (
    app TEXT NOT NULL,
    program TEXT NOT NULL,
    surface TEXT NOT NULL,
    user TEXT NOT NULL,
    host TEXT NOT NULL,
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    blocked INTEGER NOT NULL,
    evidence TEXT NOT NULL,
    accounts TEXT NOT NULL,
    PRIMARY KEY (app, program, surface, user)
) STRICT
"""


class AppearanceFile:
    """Reads and writes the file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> tuple[Appearance, ...]:
        """What was seen, the newest first; nothing where there is no file. Raises HostError."""
        if not self.path.exists():
            return ()
        with _errors(f"read {self.path}"):
            location = f"{self.path.resolve().as_uri()}?mode=ro"
            with closing(sqlite3.connect(location, uri=True, timeout=_BUSY_SECONDS)) as connection:
                rows = connection.execute(
                    f"SELECT {_COLUMNS} FROM appearance ORDER BY last_ms DESC LIMIT {MAX_KEPT}"  # noqa: S608 - our own names
                )
                return tuple(map(_appearance, rows))

    def write(self, seen: Iterable[Appearance], gone: Iterable[Appearance] = ()) -> None:
        """Put `seen` in the place of what is known of them, and forget `gone`; both or neither. When this returns it is
        on the disk. Raises HostError."""
        with _errors(f"write {self.path}"):
            _make_private(self.path)
            with closing(
                sqlite3.connect(self.path, isolation_level=None, timeout=_BUSY_SECONDS)
            ) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA secure_delete = ON")
                connection.execute("BEGIN IMMEDIATE")
                connection.execute(_SCHEMA)
                connection.executemany(
                    "DELETE FROM appearance WHERE app = ? AND program = ? AND surface = ? AND user = ?",
                    [each.key for each in gone],
                )
                connection.executemany(
                    f"INSERT OR REPLACE INTO appearance ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?)",  # noqa: S608 - our own names
                    map(_row, seen),
                )
                connection.execute("COMMIT")


def _row(seen: Appearance) -> tuple[object, ...]:
    accounts = [[each.kind, each.tenancy, each.plan] for each in seen.accounts]
    return (
        *seen.key,
        seen.host,
        int(seen.first_seen * 1000),
        int(seen.last_seen * 1000),
        seen.requests,
        seen.blocked,
        seen.evidence,
        orjson.dumps(accounts).decode(),
    )


def _appearance(row: tuple[str, str, str, str, str, int, int, int, int, str, str]) -> Appearance:
    app, program, surface, user, host, first, last, requests, blocked, evidence, accounts = row
    return Appearance(
        app=app,
        program=program,
        surface=surface,
        user=user,
        host=host,
        first_seen=first / 1000,
        last_seen=last / 1000,
        requests=requests,
        blocked=blocked,
        evidence=Evidence(evidence) if evidence in set(Evidence) else Evidence.NONE,
        accounts=tuple(_logins(accounts)),
    )


def _logins(text: str) -> Iterator[Login]:
    """The accounts of a row. What another version wrote and this one does not know is left out."""
    try:
        rows = orjson.loads(text)
    except orjson.JSONDecodeError:
        return
    for row in rows[-MAX_ACCOUNTS:] if isinstance(rows, list) else ():
        match row:
            case [str(kind), str(tenancy), str(plan)] if kind in set(LoginKind) and tenancy in set(Tenancy):
                yield Login(kind=LoginKind(kind), tenancy=Tenancy(tenancy), plan=plan)


def _make_private(path: Path) -> None:
    """The file, 0600 from its first moment; SQLite gives its other files the same mode."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE))
    except FileExistsError:
        return
    if sys.platform != "win32":
        path.chmod(PRIVATE_FILE)


@contextmanager
def _errors(action: str) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise HostError(
            f"cannot {action}: {error}", hint="Remove the file: programs are then reported as new once more."
        ) from error
