"""Writes the chain: numbers, fingerprints and commits events, and drops them when retention says so.

For the spool's one thread only; blocks on the disk. State moves on only after a commit, so that a failed one leaves
the chain where it was.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress

from agent.audit.chain import DroppedRange, Head, canonical, fingerprint, genesis
from agent.audit.documents import Document
from agent.audit.index import Columns, columns
from agent.audit.ocsf import OcsfMapper, Stamp
from agent.audit.retention import Drop, Limits, choose
from agent.audit.store import Store, read_head, storage_errors, write_head
from agent.errors import AuditError
from agent.host.paths import StatePaths
from agent.model.ids import uuid7
from agent.model.record import AuditEvent

type Clock = Callable[[], float]
"""Tells the time in Unix seconds."""

type _Row = tuple[*Columns, bytes, bytes, bytes]

_ROW = "(" + ", ".join("?" * 14) + ")"
_INSERT = (
    "INSERT INTO event (seq, uid, time_ms, kind, host, model, decision, outcome, surface, app, keep,"
    " previous, fingerprint, body) VALUES "
)
_CHECKPOINT_BYTES = 8 * 1024 * 1024  # of the WAL, below the store's journal_size_limit
_COMMIT_BYTES = 16 * 1024  # what a commit writes to the WAL besides the bodies, about two pages


class Writer:
    """The end of the chain. `count` is how many events the store holds."""

    def __init__(
        self,
        store: Store,
        mapper: OcsfMapper,
        paths: StatePaths,
        limits: Limits,
        clock: Clock,
        known: Clock | None = None,
    ) -> None:
        """Take up the chain where the last commit left it; a tail that is missing is noted in it. `known` says what is
        old, the clock what events are stamped with.

        Raises AuditError.
        """
        self._store = store
        self._connection = store.connection
        self._mapper = mapper
        self._paths = paths
        self._limits = limits
        self._clock = clock
        self._known = known or clock
        self._unchecked = 0  # bytes in the WAL since the last checkpoint
        self._head_seq = 0
        with storage_errors("read the audit trail"):
            newest = self._connection.execute(
                "SELECT seq, fingerprint FROM event ORDER BY seq DESC LIMIT 1"
            ).fetchone()
            [events] = self._connection.execute("SELECT COUNT(*) FROM event").fetchone()
        self.count: int = events
        self._seq: int = newest[0] if newest else 0
        self._previous: bytes = newest[1] if newest else genesis(store.chain_uid)
        self._compare_with_head()

    def write(self, events: Sequence[AuditEvent]) -> list[AuditError | None]:
        """Commit `events`, durably, in one transaction; per event, None or why it alone could not be recorded.

        Raises AuditError where none could be.
        """
        now_ms = int(self._clock() * 1000)
        rows: list[_Row] = []
        outcomes: list[AuditError | None] = []
        seq, previous = self._seq, self._previous
        for event in events:
            try:
                document = self._mapper.document(event, Stamp(sequence=seq + 1, logged_ms=now_ms))
                row = _row(document, previous)
            except (TypeError, ValueError, OverflowError, OSError) as error:
                # NaN times, numbers beyond 2^53: one bad event must not cost the others
                outcomes.append(AuditError(f"an event cannot be recorded: {type(error).__name__}"))
                continue
            rows.append(row)
            outcomes.append(None)
            seq, previous = seq + 1, row[-2]
        self._commit(rows)
        return outcomes

    def checkpoint(self) -> None:
        """Move committed pages from the WAL to the store, if they are many. Raises AuditError."""
        if self._unchecked >= _CHECKPOINT_BYTES:
            self._unchecked = 0
            with storage_errors("checkpoint the audit trail"):
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def retain(self) -> bool:
        """Drop one batch of what is too old or too much; whether there was one. Raises AuditError."""
        now = self._clock()
        now_ms = int(now * 1000)
        with storage_errors("apply the audit trail's retention"):
            drop = choose(self._connection, self._limits, now_ms=int(self._known() * 1000), events=self.count)
        if drop is None:
            return False
        stamp = Stamp(sequence=self._seq + 1, logged_ms=now_ms)
        note = self._mapper.notice("audit.dropped", uuid7(now), drop.message(), drop.facts(), stamp)
        self._commit([_row(note, self._previous)], drop)
        with storage_errors("give back space of the audit trail"):
            self._connection.execute("PRAGMA incremental_vacuum").fetchall()
        self._unchecked = _CHECKPOINT_BYTES  # the freed pages went through the WAL, too
        return True

    @property
    def head_is_old(self) -> bool:
        """Whether events were committed since `sync_head`."""
        return self._head_seq != self._seq

    def sync_head(self) -> None:
        """Note the newest event outside the store. Raises AuditError."""
        if self.head_is_old:
            head = Head(chain_uid=self._store.chain_uid, seq=self._seq, fingerprint=self._previous)
            write_head(self._paths, head)
            self._head_seq = self._seq

    def _compare_with_head(self) -> None:
        """Say for good, in the chain, where its end is not the one of the head record: the next head overwrites it."""
        facts: Document = {}
        try:
            head = read_head(self._paths)
        except AuditError as error:  # nobody is better off with an agent that cannot start
            text: str | None = f"the head record could not be read when the agent started: {error}"
        else:
            text = self._contradiction(head) if head is not None else None
            if head is not None:
                facts = {
                    "head_chain": head.chain_uid,
                    "head_seq": head.seq,
                    "head": head.fingerprint.hex(),
                }
        if text is None:
            return
        now = self._clock()
        stamp = Stamp(sequence=self._seq + 1, logged_ms=int(now * 1000))
        note = self._mapper.notice("audit.truncated", uuid7(now), text, facts, stamp)
        self._commit([_row(note, self._previous)])

    def _contradiction(self, head: Head) -> str | None:
        if head.chain_uid != self._store.chain_uid:
            return f"the trail was new when the agent started; the one before it reached event {head.seq}"
        if head.seq > self._seq:
            return f"events {self._seq + 1} to {head.seq} were missing when the agent started"
        with storage_errors("read the audit trail"):
            row = self._connection.execute(
                "SELECT fingerprint FROM event WHERE seq = ?", (head.seq,)
            ).fetchone()
        if row is not None and row[0] != head.fingerprint:
            return f"event {head.seq} was not the one of the head record when the agent started"
        return None

    def _commit(self, rows: list[_Row], drop: Drop | None = None) -> None:
        if not rows:
            return
        with storage_errors("write to the audit trail"):
            if len(rows) == 1 and drop is None:
                _insert(self._connection, rows)  # a statement alone is a transaction
            else:
                self._commit_together(rows, drop.ranges if drop is not None else ())
        self._seq, self._previous = rows[-1][0], rows[-1][-2]
        self._unchecked += _COMMIT_BYTES + sum(len(row[-1]) for row in rows)
        self.count += len(rows) - (drop.count if drop is not None else 0)

    def _commit_together(self, rows: list[_Row], dropped: Sequence[DroppedRange]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            _insert(self._connection, rows)
            for each in dropped:
                self._connection.execute(
                    "DELETE FROM event WHERE seq BETWEEN ? AND ?", (each.first, each.last)
                )
            self._connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise


def _row(document: Document, previous: bytes) -> _Row:
    body = canonical(document)
    return (*columns(document), previous, fingerprint(previous, body), body)


def _insert(connection: sqlite3.Connection, rows: list[_Row]) -> None:
    """Insert in chunks of powers of two: few statements, each prepared once. SQLite lets go of the GIL with every
    statement, and on a busy loop each return of it may take a whole switch interval."""
    start = 0
    while start < len(rows):
        size = min(1 << (len(rows) - start).bit_length() - 1, 64)
        values = [value for row in rows[start : start + size] for value in row]
        connection.execute(_INSERT + ", ".join([_ROW] * size), values)
        start += size
