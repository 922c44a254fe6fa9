"""Which events are dropped when the trail grows too old or too large. Chooses; the writer drops.

Blocks, incidents and the trail's notes about itself are never dropped. Of the rest, what is too old goes first; then,
until the store is a tenth below its limit, allowed events without content, and only then those that tell more. The
oldest go first.
"""

from __future__ import annotations

import math
import sqlite3
from dataclasses import dataclass

from agent.audit.chain import DroppedRange, Json
from agent.audit.index import Keep

BATCH = 2000  # events that one pass drops: appends wait for a pass
_AIM = 0.9
_DAY_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much the trail keeps."""

    max_bytes: int = 200 * 1024 * 1024
    max_days: float = 7.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Events to drop, as ranges of consecutive numbers in rising order, and why: `age` or `size`."""

    reason: str
    ranges: tuple[DroppedRange, ...]

    @property
    def count(self) -> int:
        """How many events these are."""
        return sum(each.last - each.first + 1 for each in self.ranges)

    def message(self) -> str:
        """What the note in the chain says to people."""
        return f"retention dropped {self.count} events ({self.reason})"

    def facts(self) -> dict[str, Json]:
        """What the note in the chain holds, so that verification can pass the gap; see `ranges_of`."""
        return {
            "reason": self.reason,
            "from_seq": self.ranges[0].first,
            "to_seq": self.ranges[-1].last,
            "count": self.count,
            "ranges": [
                {
                    "from_seq": each.first,
                    "to_seq": each.last,
                    "previous": each.previous.hex(),
                    "fingerprint": each.fingerprint.hex(),
                }
                for each in self.ranges
            ],
        }


def choose(connection: sqlite3.Connection, limits: Limits, *, now_ms: int, events: int) -> Drop | None:
    """The next events to drop, at most BATCH, or None. `events` is how many the store holds."""
    oldest = now_ms - int(limits.max_days * _DAY_MS)
    for keep in (Keep.PLAIN, Keep.DETAILED):
        old = [row for row in _oldest(connection, keep, BATCH) if row[1] < oldest]
        if old:
            return Drop(reason="age", ranges=_ranges(old))
    used = used_bytes(connection)
    if used <= limits.max_bytes or not events:
        return None
    wanted = min(BATCH, math.ceil((used - _AIM * limits.max_bytes) * events / used))
    rows = _oldest(connection, Keep.PLAIN, wanted) or _oldest(connection, Keep.DETAILED, wanted)
    return Drop(reason="size", ranges=_ranges(rows)) if rows else None


def ranges_of(note_seq: int, facts: dict[str, Json]) -> tuple[DroppedRange, ...]:
    """The ranges that a note in the chain names; a note speaks only of what stands before it.

    Raises KeyError, TypeError or ValueError for facts that are none.
    """
    named = facts["ranges"]
    if not isinstance(named, list):
        raise TypeError("ranges")
    found = [_range(each) for each in named if isinstance(each, dict)]
    return tuple(each for each in found if each.first <= each.last < note_seq)


def used_bytes(connection: sqlite3.Connection) -> int:
    """What the store's events take, without pages that are free again."""
    [pages], [free], [size] = (
        connection.execute(f"PRAGMA {name}").fetchone()
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


type _Row = tuple[int, int, bytes, bytes]  # seq, time_ms, previous, fingerprint


def _oldest(connection: sqlite3.Connection, keep: Keep, limit: int) -> list[_Row]:
    # plain events are most of the table, and its oldest; the others are found by the partial index
    source = "event NOT INDEXED WHERE keep = ?" if keep is Keep.PLAIN else "event WHERE keep > 0 AND keep = ?"
    return connection.execute(
        f"SELECT seq, time_ms, previous, fingerprint FROM {source} ORDER BY seq LIMIT ?",  # noqa: S608 - ours
        (keep, limit),
    ).fetchall()


def _ranges(rows: list[_Row]) -> tuple[DroppedRange, ...]:
    found: list[DroppedRange] = []
    for seq, _, previous, fingerprint in rows:
        first, before = seq, previous
        if found and found[-1].last == seq - 1:
            joined = found.pop()
            first, before = joined.first, joined.previous
        found.append(DroppedRange(first=first, last=seq, previous=before, fingerprint=fingerprint))
    return tuple(found)


def _range(named: dict[str, Json]) -> DroppedRange:
    return DroppedRange(
        first=int(str(named["from_seq"])),
        last=int(str(named["to_seq"])),
        previous=bytes.fromhex(str(named["previous"])),
        fingerprint=bytes.fromhex(str(named["fingerprint"])),
    )
