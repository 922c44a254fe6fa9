"""The audit trail as people read it: list, show, verify. Read-only, beside a running agent or without one.

What `verify` can and cannot find is written in `agent.audit.chain`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from agent.audit.chain import DroppedRange, Json, Link, Problem, Verdict, verify
from agent.audit.index import EventRow, columns, event_row
from agent.audit.retention import ranges_of
from agent.audit.store import Store, open_for_reading, read_head
from agent.errors import AuditError
from agent.host.paths import StatePaths
from agent.model.ids import SHORT_REF

MAX_LISTED = 10_000
_MIN_REFERENCE = 4  # characters
_NAMED = 40  # characters of it that an error repeats
_ROW = "seq, uid, time_ms, kind, host, model, decision, outcome, surface, app"  # as EventRow


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """One event: its line, and the whole as OCSF with its attestation."""

    row: EventRow
    document: dict[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """What verification found. `ok` is whether the chain holds; `notes` are reservations about that."""

    ok: bool
    events: int  # that hold, from the first on
    dropped: int  # that retention dropped, as the chain says
    last_seq: int
    problem: Problem | None = None
    notes: tuple[str, ...] = ()


class Trail:
    """Reads the trail of a state directory. Every method blocks and raises AuditError."""

    def __init__(self, paths: StatePaths) -> None:
        self._paths = paths

    def events(
        self,
        *,
        since: float | None = None,
        decision: str | None = None,
        host: str | None = None,
        kind: str | None = None,
        user: str | None = None,
        after: int | None = None,
        limit: int = 50,
    ) -> tuple[EventRow, ...]:
        """The newest events that fit every filter, newest first; with `after`, the number of an event in the chain,
        those that came after it, oldest first. `user` is the account that ran the program.

        `since` is in Unix seconds, `host` an exact name, `kind` is `exchange`, an incident kind, `audit.dropped` or
        `audit.truncated`.
        """
        with open_for_reading(self._paths) as store:
            rows = store.connection.execute(
                f"SELECT {_ROW} FROM event"  # noqa: S608 - our own column names
                " WHERE (?1 IS NULL OR time_ms >= ?1) AND (?2 IS NULL OR decision = ?2)"
                " AND (?3 IS NULL OR host = ?3) AND (?4 IS NULL OR kind = ?4) AND (?6 IS NULL OR seq > ?6)"
                " AND (?7 IS NULL OR json_extract(CAST(body AS TEXT), '$.actor.user.name') = ?7)"
                f" ORDER BY seq {'DESC' if after is None else 'ASC'} LIMIT ?5",
                (
                    None if since is None else int(since * 1000),
                    decision,
                    None if host is None else host.lower(),
                    kind,
                    max(0, min(limit, MAX_LISTED)),
                    after,
                    user,
                ),
            )
            return tuple(map(event_row, rows))

    def show(self, reference: str) -> StoredEvent:
        """The event with that id, or the only one whose id starts with it, or ends with it, or whose reference (the end
        of the id, which a blocked person was shown) starts with it. Case does not matter."""
        wanted = reference.strip().lower()
        named = reference[:_NAMED]
        if len(wanted) < _MIN_REFERENCE or set(wanted) - set("0123456789abcdef-"):
            raise AuditError(
                f"{named!r} is no event id, part of one or reference",
                hint=f"Give at least {_MIN_REFERENCE} characters of one, as `drawbridge audit list` shows it.",
            )
        with open_for_reading(self._paths) as store:
            found = store.connection.execute(
                f"SELECT {_ROW}, previous, fingerprint, body FROM event"  # noqa: S608 - our own column names
                " WHERE uid LIKE ?1 || '%' OR uid LIKE '%' || ?1 OR substr(uid, ?2) LIKE ?1 || '%'"
                " ORDER BY seq DESC LIMIT 2",
                (wanted, -SHORT_REF),
            ).fetchall()
            exact = [row for row in found if row[1] == wanted]
            if not found:
                raise AuditError(f"no event {named!r}", hint="List events: `drawbridge audit list`.")
            if len(found) > 1 and not exact:
                raise AuditError(f"more than one event fits {named!r}", hint="Give more characters.")
            *row, previous, mark, body = (exact or found)[0]
            document = orjson.loads(body)
            attestation = _attestation(store, row[0], previous, mark)
            document["unmapped"]["drawbridge"]["attestation"] = attestation
            return StoredEvent(row=event_row(row), document=document)

    def verify(self) -> VerifyReport:
        """Check every event against the chain, and the end of the chain against the head record."""
        head = read_head(self._paths)  # before the snapshot: a running agent only adds behind it
        with open_for_reading(self._paths) as store:
            verdict = verify(_links(store), chain_uid=store.chain_uid, dropped=_dropped(store), head=head)
        return _report(verdict, has_head=head is not None)


def _links(store: Store) -> Iterator[Link]:
    rows = store.connection.execute(
        f"SELECT {_ROW}, keep, previous, fingerprint, body FROM event ORDER BY seq"  # noqa: S608 - our own names
    )
    for *row, previous, mark, body in rows:
        yield Link(
            seq=row[0],
            previous=previous,
            fingerprint=mark,
            body=body,
            index_agrees=_columns_of(body) == tuple(row),
        )


def _columns_of(body: bytes) -> tuple[object, ...] | None:
    try:
        return columns(orjson.loads(body))
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return None


def _dropped(store: Store) -> list[DroppedRange]:
    """The ranges named by retention's notes. The notes are links of the chain and are checked as such."""
    notes = store.connection.execute("SELECT seq, body FROM event WHERE kind = 'audit.dropped' ORDER BY seq")
    found: list[DroppedRange] = []
    for seq, body in notes:
        try:
            found.extend(ranges_of(seq, orjson.loads(body)["unmapped"]["drawbridge"]))
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            continue  # a damaged note explains no gap; the walk reports it where it stands
    return found


def _attestation(store: Store, seq: int, previous: bytes, mark: bytes) -> Json:
    """The event's place in the chain, in the shape of OCSF 1.9's record_integrity profile (not released)."""
    attestation: dict[str, Json] = {
        "uid": f"{store.chain_uid}#{seq}",
        "chain_uid": store.chain_uid,
        "fingerprint": _sha256(mark),
    }
    if seq > 1:
        attestation["prev_event"] = {"uid": f"{store.chain_uid}#{seq - 1}", "fingerprint": _sha256(previous)}
    return attestation


def _sha256(value: bytes) -> Json:
    return {"algorithm": "SHA-256", "algorithm_id": 3, "value": value.hex()}


def _report(verdict: Verdict, *, has_head: bool) -> VerifyReport:
    notes = [] if has_head else ["there is no head record: a tail that was cut off cannot be noticed"]
    return VerifyReport(
        ok=verdict.problem is None,
        events=verdict.events,
        dropped=verdict.dropped,
        last_seq=verdict.last_seq,
        problem=verdict.problem,
        notes=tuple(notes),
    )
