"""The end of the chain, synchronously."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from agent.audit.ocsf import OcsfMapper
from agent.audit.retention import Limits
from agent.audit.store import Store, open_for_writing, read_head
from agent.audit.trail import Trail
from agent.audit.writer import Writer
from agent.errors import AuditError
from agent.host.paths import StatePaths
from agent.model.record import Timing
from tests.fakes.audit import DEVICE, NOW, make_block, make_exchange, make_incident


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    return StatePaths.under(tmp_path)


@contextmanager
def writing(paths: StatePaths, limits: Limits | None = None) -> Iterator[tuple[Writer, Store]]:
    with open_for_writing(paths, device_id=DEVICE.id) as store:
        yield Writer(store, OcsfMapper(DEVICE, {}), paths, limits or Limits(), lambda: NOW), store


def forget(path: Path) -> None:
    for name in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        name.unlink(missing_ok=True)


def test_a_restart_goes_on_with_the_chain(paths: StatePaths) -> None:
    with writing(paths) as (writer, _):
        writer.write([make_exchange(), make_block()])
    with writing(paths) as (writer, _):
        assert writer.count == 2
        writer.write([make_incident()])
    report = Trail(paths).verify()
    assert (report.ok, report.events, report.last_seq) == (True, 3, 3)


@pytest.mark.parametrize("size", [1, 2, 3, 64, 100, 131])
def test_batches_of_any_size_keep_their_order(paths: StatePaths, size: int) -> None:
    events = [make_exchange() for _ in range(size)]
    with writing(paths) as (writer, _):
        assert writer.write(events) == [None] * size
    rows = Trail(paths).events(limit=size)
    assert [row.id for row in reversed(rows)] == [event.id for event in events]
    assert Trail(paths).verify().ok


def test_one_event_that_cannot_be_recorded_does_not_cost_the_others(paths: StatePaths) -> None:
    bad = make_exchange(timing=Timing(total_ms=float("nan"), overhead_ms=0))
    with writing(paths) as (writer, _):
        first, second, third = writer.write([make_exchange(), bad, make_exchange()])
    assert (first, third) == (None, None)
    assert isinstance(second, AuditError)
    assert Trail(paths).verify().events == 2


def test_a_failed_commit_leaves_the_chain_where_it_was(paths: StatePaths) -> None:
    with writing(paths) as (writer, store):
        writer.write([make_exchange()])
        store.connection.execute("PRAGMA query_only = ON")
        for batch in ([make_exchange()], [make_exchange(), make_exchange()]):
            with pytest.raises(AuditError, match="cannot write"):
                writer.write(batch)
        store.connection.execute("PRAGMA query_only = OFF")
        writer.write([make_exchange()])
    report = Trail(paths).verify()
    assert (report.ok, report.events) == (True, 2)


def test_the_head_record_follows_when_told(paths: StatePaths) -> None:
    with writing(paths) as (writer, store):
        writer.write([make_exchange(), make_exchange()])
        assert writer.head_is_old
        writer.sync_head()
        assert not writer.head_is_old
        head = read_head(paths)
    assert head is not None
    assert (head.chain_uid, head.seq) == (store.chain_uid, 2)


def test_a_tail_cut_off_while_the_agent_was_down_is_noted_in_the_chain(paths: StatePaths) -> None:
    with writing(paths) as (writer, store):
        writer.write([make_exchange() for _ in range(5)])
        writer.sync_head()
        store.connection.execute("DELETE FROM event WHERE seq > 3")
    with writing(paths) as (writer, _):
        writer.write([make_exchange() for _ in range(9)])
        writer.sync_head()
    problem = Trail(paths).verify().problem
    assert problem is not None
    assert (problem.kind, problem.seq) == ("truncated", 4)
    assert problem.text == "events 4 to 5 were missing when the agent started"


def test_an_end_rewritten_while_the_agent_was_down_is_noted_in_the_chain(paths: StatePaths) -> None:
    with writing(paths) as (writer, store):
        writer.write([make_exchange(), make_exchange()])
        writer.sync_head()
        store.connection.execute("DELETE FROM event WHERE seq = 2")
    paths.audit_head.rename(paths.root / "kept")
    with writing(paths) as (writer, _):
        writer.write([make_exchange()])  # another second event, with a right fingerprint
    (paths.root / "kept").rename(paths.audit_head)
    assert not Trail(paths).verify().ok
    with writing(paths) as (writer, _):
        writer.sync_head()
    problem = Trail(paths).verify().problem
    assert problem is not None
    assert problem.text == "event 2 was not the one of the head record when the agent started"


def test_a_trail_taken_away_whole_is_noted_in_the_new_one(paths: StatePaths) -> None:
    with writing(paths) as (writer, _):
        writer.write([make_exchange() for _ in range(5)])
        writer.sync_head()
    forget(paths.spool)
    with writing(paths) as (writer, _):
        writer.write([make_exchange()])
        writer.sync_head()
    problem = Trail(paths).verify().problem
    assert problem is not None
    assert (problem.kind, problem.seq) == ("truncated", 1)
    assert "reached event 5" in problem.text


def test_retention_keeps_the_chain_whole_and_gives_space_back(paths: StatePaths) -> None:
    fat = make_exchange(path="/" + "x" * 1000)
    with writing(paths, Limits(max_bytes=300_000)) as (writer, _):
        for _ in range(6):
            writer.write([make_block(), *(replace(fat, id=make_exchange().id) for _ in range(49))])
        writer.checkpoint()
        while writer.retain():
            pass
        kept = writer.count
        writer.write([make_exchange()])
    trail = Trail(paths)
    report = trail.verify()
    assert report.ok
    assert report.dropped > 100
    assert report.events == kept + 1
    assert len(trail.events(decision="block", limit=1000)) == 6
    assert trail.events(kind="audit.dropped")[0].kind == "audit.dropped"
    assert paths.spool.stat().st_size < 400_000


def test_dropped_by_retention_is_told_from_removed(paths: StatePaths) -> None:
    old = [make_exchange(started_at=1.0) for _ in range(4)]
    with writing(paths) as (writer, store):
        writer.write([*old, make_exchange(), make_exchange()])
        assert writer.retain()
        assert not writer.retain()
        assert Trail(paths).verify().dropped == 4
        store.connection.execute("DELETE FROM event WHERE seq = 5")
    problem = Trail(paths).verify().problem
    assert problem is not None
    assert (problem.kind, problem.seq) == ("removed", 5)


def test_a_writer_error_names_no_content(paths: StatePaths) -> None:
    with writing(paths) as (writer, _):
        [error] = writer.write([make_exchange(request_bytes=2**60, path="/the-path")])
    assert isinstance(error, AuditError)
    assert "the-path" not in str(error)
    assert not isinstance(error.__cause__, sqlite3.Error)
