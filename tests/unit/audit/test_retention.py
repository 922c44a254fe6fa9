"""What is dropped, in which order, and how the note about it is read again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from agent.audit.chain import DroppedRange
from agent.audit.index import Keep
from agent.audit.retention import Drop, Limits, choose, ranges_of, used_bytes

DAY = 24 * 60 * 60 * 1000
NOW = 100 * DAY
PLAIN, DETAILED, ALWAYS = Keep
ROOMY = Limits(max_bytes=10**9, max_days=7)


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute(
        "CREATE TABLE event (seq INTEGER PRIMARY KEY, time_ms, keep, previous, fingerprint, body)"
    )
    yield connection
    connection.close()


def fill(connection: sqlite3.Connection, keeps: list[Keep], *, age_days: int = 0, size: int = 4000) -> None:
    connection.executemany(
        "INSERT INTO event VALUES (?, ?, ?, ?, ?, zeroblob(?))",
        [
            (seq, NOW - age_days * DAY, keep, bytes([seq - 1]), bytes([seq]), size)
            for seq, keep in enumerate(keeps, start=1)
        ],
    )


def dropped(
    connection: sqlite3.Connection, limits: Limits, events: int
) -> tuple[str, list[tuple[int, int]]] | None:
    drop = choose(connection, limits, now_ms=NOW, events=events)
    return None if drop is None else (drop.reason, [(each.first, each.last) for each in drop.ranges])


def test_a_small_young_trail_is_left_alone(connection: sqlite3.Connection) -> None:
    fill(connection, [PLAIN] * 5, age_days=6)
    assert dropped(connection, ROOMY, 5) is None


def test_what_is_too_old_goes_except_blocks_and_incidents(connection: sqlite3.Connection) -> None:
    fill(connection, [PLAIN, PLAIN, ALWAYS, PLAIN, DETAILED, ALWAYS], age_days=8)
    assert dropped(connection, ROOMY, 6) == ("age", [(1, 2), (4, 4)])
    connection.execute("DELETE FROM event WHERE keep = 0")
    assert dropped(connection, ROOMY, 3) == ("age", [(5, 5)])
    connection.execute("DELETE FROM event WHERE keep = 1")
    assert dropped(connection, ROOMY, 2) is None


def test_when_full_the_oldest_plain_events_go_first_then_the_detailed_ones(
    connection: sqlite3.Connection,
) -> None:
    fill(connection, [DETAILED, ALWAYS, *[PLAIN] * 10, DETAILED])
    full = Limits(max_bytes=int(used_bytes(connection) * 0.9), max_days=7)
    reason, ranges = dropped(connection, full, 13) or ("", [])
    assert (reason, ranges[0][0]) == ("size", 3)
    assert 1 <= ranges[0][1] - 2 <= 4
    connection.execute("DELETE FROM event WHERE keep = 0")
    reason, ranges = dropped(connection, Limits(max_bytes=1, max_days=7), 3) or ("", [])
    assert ranges == [(1, 1), (13, 13)]
    connection.execute("DELETE FROM event WHERE keep = 1")
    assert dropped(connection, Limits(max_bytes=1, max_days=7), 1) is None


def test_the_note_is_read_as_it_was_written() -> None:
    ranges = (
        DroppedRange(first=3, last=5, previous=b"\1" * 32, fingerprint=b"\2" * 32),
        DroppedRange(first=7, last=7, previous=b"\3" * 32, fingerprint=b"\4" * 32),
    )
    drop = Drop(reason="size", ranges=ranges)
    facts = drop.facts()
    assert (facts["from_seq"], facts["to_seq"], facts["count"]) == (3, 7, 4)
    assert ranges_of(8, facts) == ranges


def test_a_note_cannot_speak_of_what_stands_behind_it() -> None:
    ranges = (DroppedRange(first=3, last=5, previous=b"", fingerprint=b""),)
    assert ranges_of(5, Drop(reason="age", ranges=ranges).facts()) == ()
