"""The file of the local store: SQLite in WAL mode, for the journal's one thread; others may read beside it. Blocks.

`usage` holds what was used by meter and slot, `history` by key, day and model, `open` what reservations may yet use.
What is still in `open` when the file is opened was under way when the process died: it is charged in full, since the
provider may have gone on answering, and nobody knows how far.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import orjson

from agent.accounts.counter import Slots
from agent.accounts.meters import Amounts
from agent.accounts.store import DAY_SECONDS, HISTORY_DAYS, Use
from agent.accounts.tally import Claims
from agent.errors import HostError
from agent.host.damage import is_damage, set_aside
from agent.host.files import PRIVATE_FILE, make_private_directory

MAX_MODELS = 200
"""Models of a key and day that are told apart in the history; a client may name any."""
OTHER_MODEL = "(other)"

_CHUNK = 64  # rows of a statement
_TEND_SECONDS = 3600.0
_MIGRATIONS = (
    """
    CREATE TABLE usage (
        meter TEXT NOT NULL, slot INTEGER NOT NULL, amount INTEGER NOT NULL,
        kept_until INTEGER NOT NULL,
        PRIMARY KEY (meter, slot)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE history (
        key TEXT NOT NULL, day INTEGER NOT NULL, model TEXT NOT NULL,
        requests INTEGER NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
        nano_usd INTEGER NOT NULL, unpriced INTEGER NOT NULL,
        PRIMARY KEY (key, day, model)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE open (hold INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
    """,
)

type _Place = tuple[str, int]
type _Figures = list[int]


class Batch:
    """Changes that are written together. Like goes to like, so that it stays small."""

    __slots__ = ("closed", "history", "opened", "usage")

    def __init__(self) -> None:
        self.opened: dict[int, tuple[Claims, Use | None]] = {}
        self.closed: list[int] = []
        self.usage: dict[_Place, _Figures] = {}  # amount, kept until
        self.history: dict[tuple[str, int, str], _Figures] = {}

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.opened or self.closed or self.usage or self.history)

    def close(self, hold: int) -> None:
        """A reservation is open no more."""
        if self.opened.pop(hold, None) is None:
            self.closed.append(hold)

    def charge(self, claims: Claims, used: Amounts) -> None:
        """Something was used of the meters of claims."""
        usage = self.usage
        for meter, slot in zip(claims.meters, claims.slots, strict=True):
            if not meter.lasting or not (amount := used[meter.column]):
                continue
            if (found := usage.get((meter.id, slot))) is None:
                assert meter.window is not None
                usage[meter.id, slot] = [amount, meter.window.kept_until(slot)]
            else:
                found[0] += amount

    def add(self, meter: str, slot: int, amount: int, kept_until: int) -> None:
        """Something was used of one meter."""
        if (found := self.usage.get((meter, slot))) is None:
            self.usage[meter, slot] = [amount, kept_until]
        else:
            found[0] += amount

    def note(self, use: Use) -> None:
        """For the history."""
        self.add_history(use[:3], list(use[3:]))

    def add_history(self, place: tuple[str, int, str], figures: _Figures) -> None:
        """For the history, as figures."""
        found = self.history.get(place)
        if found is None:
            self.history[place] = figures
        else:
            for column, more in enumerate(figures):
                found[column] += more

    def absorb(self, newer: Batch) -> None:
        """Take over what came later."""
        for hold in newer.closed:
            self.close(hold)
        self.opened.update(newer.opened)
        for (meter, slot), (amount, kept_until) in newer.usage.items():
            self.add(meter, slot, amount, kept_until)
        for place, figures in newer.history.items():
            self.add_history(place, figures)


class LedgerFile:
    """The open file. Every method blocks and raises HostError."""

    def __init__(self, connection: sqlite3.Connection, *, damaged: str = "") -> None:
        """`damaged` is the name under which the file before this one is kept, because it could not be read."""
        self._connection = connection
        self.damaged = damaged
        self._tended = 0.0
        self._models: dict[tuple[str, int], set[str]] = {}

    def slots(self) -> dict[str, Slots]:
        """What was used, by meter and slot."""
        found: dict[str, Slots] = {}
        with _storage_errors("read the accounts"):
            for meter, slot, amount in self._connection.execute("SELECT meter, slot, amount FROM usage"):
                found.setdefault(meter, {})[slot] = amount
        return found

    def history(self, key: str, since_day: int) -> list[Use]:
        """What a key used from a day on, oldest first."""
        with _storage_errors("read the accounts"):
            rows = self._connection.execute(
                "SELECT day, model, requests, input_tokens, output_tokens, nano_usd, unpriced FROM history"
                " WHERE key = ? AND day >= ? ORDER BY day, model",
                (key, since_day),
            ).fetchall()
        return [Use(key, *row) for row in rows]

    def write(self, batch: Batch) -> None:
        """Commit a batch, durably."""
        if batch.empty:
            return
        with _storage_errors("write to the accounts"), _transaction(self._connection) as connection:
            _insert(connection, "INSERT OR REPLACE INTO open VALUES ", "", _opened(batch))
            for start in range(0, len(batch.closed), _CHUNK):
                some = batch.closed[start : start + _CHUNK]
                some += some[-1:] * (_CHUNK - len(some))  # always the same statement
                connection.execute(f"DELETE FROM open WHERE hold IN ({_marks(_CHUNK)})", some)  # noqa: S608 - marks
            _insert(
                connection,
                "INSERT INTO usage VALUES ",
                " ON CONFLICT DO UPDATE SET amount = amount + excluded.amount",
                [(*place, *figures) for place, figures in batch.usage.items()],
            )
            _insert(
                connection,
                "INSERT INTO history VALUES ",
                " ON CONFLICT DO UPDATE SET requests = requests + excluded.requests,"
                " input_tokens = input_tokens + excluded.input_tokens,"
                " output_tokens = output_tokens + excluded.output_tokens,"
                " nano_usd = nano_usd + excluded.nano_usd, unpriced = unpriced + excluded.unpriced",
                self._history_rows(batch),
            )

    def charge_open(self) -> int:
        """Charge what was under way when the process died. Returns how much that was, in reservations."""
        with _storage_errors("read the accounts"):
            rows = self._connection.execute("SELECT hold, body FROM open").fetchall()
        batch = Batch()
        for hold, body in rows:
            batch.close(hold)
            claims, use = orjson.loads(body)
            for meter, slot, amount, kept_until in claims:
                batch.add(meter, slot, amount, kept_until)
            if use is not None:
                batch.note(Use(*use))
        self.write(batch)
        return len(rows)

    def tend(self, now: float) -> None:
        """Drop what is too old to matter, from time to time."""
        if abs(now - self._tended) < _TEND_SECONDS:
            return
        self._tended = now
        self._models.clear()
        with suppress(HostError), _storage_errors("tidy the accounts"):
            self._connection.execute("DELETE FROM usage WHERE kept_until < ?", (int(now),))
            oldest = int(now) // DAY_SECONDS - 2 * HISTORY_DAYS
            self._connection.execute("DELETE FROM history WHERE day < ?", (oldest,))

    def _history_rows(self, batch: Batch) -> list[tuple[object, ...]]:
        rows: dict[tuple[str, int, str], _Figures] = {}
        for (key, day, model), figures in batch.history.items():
            models = self._models.get((key, day))
            if models is None:
                found = self._connection.execute(
                    "SELECT model FROM history WHERE key = ? AND day = ?", (key, day)
                )
                models = self._models[key, day] = {row[0] for row in found}
            if model not in models:
                model = model if len(models) < MAX_MODELS else OTHER_MODEL
                models.add(model)
            place = (key, day, model)
            old = rows.get(place, [0] * len(figures))
            rows[place] = [one + other for one, other in zip(old, figures, strict=True)]
        return [(*place, *figures) for place, figures in rows.items()]


@contextmanager
def open_ledger(path: Path, now: float) -> Iterator[LedgerFile]:
    """The file for its one writer, made or migrated where needed; what was under way is charged. One that is damaged is
    kept as evidence, and another begun. Raises HostError."""
    with ExitStack() as held:
        try:
            file = held.enter_context(_opened_ledger(path, now))
        except HostError as error:
            if not is_damage(error.__cause__):
                raise
            with _storage_errors(f"put the damaged accounts {path} aside"):
                damaged = set_aside(path)
            file = held.enter_context(_opened_ledger(path, now, damaged))
        yield file


@contextmanager
def _opened_ledger(path: Path, now: float, damaged: str = "") -> Iterator[LedgerFile]:
    with _storage_errors(f"open the accounts {path}"):
        make_private_directory(path.parent)
        # before SQLite does it: SQLite gives -wal and -shm the mode it finds here
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        os.close(os.open(path, flags, PRIVATE_FILE))
        connection = sqlite3.connect(path, isolation_level=None, timeout=5.0)
    with closing(connection):
        with _storage_errors(f"open the accounts {path}"):
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "journal_size_limit = 4194304"):
                connection.execute(f"PRAGMA {pragma}")
            version = _version(connection, path)
            for number, script in enumerate(_MIGRATIONS[version:], start=version + 1):
                connection.executescript(f"BEGIN IMMEDIATE;{script};PRAGMA user_version = {number};COMMIT;")
        file = LedgerFile(connection, damaged=damaged)
        file.charge_open()
        file.slots()  # what decides from now on has to be readable as a whole
        file.tend(now)
        yield file


@contextmanager
def read_ledger(path: Path) -> Iterator[LedgerFile]:
    """The file, read beside a running agent or without one. Raises HostError."""
    if not path.exists():
        raise HostError(f"there are no accounts at {path}", hint="Start the agent once: `drawbridge up`.")
    with _storage_errors(f"read the accounts {path}"):
        connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=5.0
        )
        with closing(connection):
            _version(connection, path)
            yield LedgerFile(connection)


def _opened(batch: Batch) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for hold, (claims, worst) in batch.opened.items():
        held = [
            (meter.id, slot, amount, meter.window.kept_until(slot))
            for meter, slot in zip(claims.meters, claims.slots, strict=True)
            if meter.window is not None and meter.lasting and (amount := claims.amounts[meter.column])
        ]
        rows.append((hold, orjson.dumps((held, worst and tuple(worst)))))
    return rows


def _insert(connection: sqlite3.Connection, head: str, tail: str, rows: Sequence[tuple[object, ...]]) -> None:
    """In chunks of powers of two: few statements, each prepared once. SQLite lets go of the GIL with every statement,
    and on a busy loop each return of it may take a whole switch interval."""
    start = 0
    while start < len(rows):
        size = min(1 << (len(rows) - start).bit_length() - 1, _CHUNK)
        chunk = rows[start : start + size]
        values = ", ".join([f"({_marks(len(chunk[0]))})"] * size)
        connection.execute(head + values + tail, [value for row in chunk for value in row])
        start += size


def _marks(count: int) -> str:
    return ", ".join("?" * count)


def _version(connection: sqlite3.Connection, path: Path) -> int:
    [version] = connection.execute("PRAGMA user_version").fetchone()
    if version > len(_MIGRATIONS):
        raise HostError(
            f"the accounts {path} were written by a newer version of Drawbridge",
            hint="Install that version again, or choose another --state-dir.",
        )
    return int(version)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


@contextmanager
def _storage_errors(action: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise HostError(
            f"cannot {action}: {error}", hint="Check the disk, and the permissions of the state directory."
        ) from error
    except OSError as error:
        raise HostError(
            f"cannot {action}: {error.strerror or error}",
            hint="Check the disk, and the permissions of the state directory.",
        ) from error
