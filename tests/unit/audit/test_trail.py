"""Reading the trail: list, show, verify, also while it is written."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from agent.audit.ocsf import OcsfMapper
from agent.audit.retention import Limits
from agent.audit.store import open_for_writing
from agent.audit.trail import Trail
from agent.audit.writer import Writer
from agent.errors import AuditError
from agent.host.paths import StatePaths
from agent.model.decision import Action
from agent.model.ids import short_ref
from agent.model.record import AuditEvent, Exchange, IncidentKind
from tests.fakes.audit import DEVICE, NOW, decided, make_block, make_exchange, make_incident

EVENTS: tuple[AuditEvent, ...] = (
    make_incident(IncidentKind.AGENT_STARTED),
    make_exchange(),
    make_exchange(host="api.anthropic.com", surface="anthropic", started_at=NOW + 50),
    make_block(started_at=NOW + 100),
    make_exchange(decision=decided(Action.REDACT), started_at=NOW + 200),
)


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    return StatePaths.under(tmp_path)


@pytest.fixture
def trail(paths: StatePaths) -> Trail:
    with open_for_writing(paths, device_id=DEVICE.id) as store:
        writer = Writer(store, OcsfMapper(DEVICE, {}), paths, Limits(), lambda: NOW)
        writer.write(EVENTS)
        writer.sync_head()
    return Trail(paths)


def tamper(paths: StatePaths, sql: str) -> None:
    with closing(sqlite3.connect(paths.spool, isolation_level=None)) as connection:
        connection.executescript(sql)


def found(trail: Trail) -> tuple[str, int] | None:
    problem = trail.verify().problem
    return None if problem is None else (problem.kind, problem.seq)


def test_the_newest_events_come_first(trail: Trail) -> None:
    assert [row.seq for row in trail.events()] == [5, 4, 3, 2, 1]
    assert [row.seq for row in trail.events(limit=2)] == [5, 4]
    assert trail.events(limit=0) == trail.events(limit=-1) == ()


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ({"decision": "block"}, [4]),
        ({"decision": "allow"}, [3, 2]),
        ({"host": "API.anthropic.com"}, [3]),
        ({"kind": "exchange"}, [5, 4, 3, 2]),
        ({"kind": "agent_started"}, [1]),
        ({"since": NOW + 75}, [5, 4]),
        ({"since": NOW + 75, "decision": "redact", "host": "api.openai.com"}, [5]),
        ({"host": "nowhere.example"}, []),
    ],
)
def test_filters_narrow_the_list_together(
    trail: Trail, filters: dict[str, object], numbers: list[int]
) -> None:
    assert [row.seq for row in trail.events(**filters)] == numbers  # type: ignore[arg-type]


def test_an_event_is_shown_by_its_id_its_start_and_the_reference_a_person_was_given(trail: Trail) -> None:
    event = EVENTS[3]
    for reference in (
        event.id,
        event.id.upper(),
        event.id[:30],
        short_ref(event.id),
        short_ref(event.id)[:5],
        f" {short_ref(event.id)} ",
    ):
        assert trail.show(reference).row.seq == 4


def test_a_shown_event_is_the_whole_ocsf_event_with_its_place_in_the_chain(trail: Trail) -> None:
    document = orjson.loads(orjson.dumps(trail.show(EVENTS[1].id).document))
    before = orjson.loads(orjson.dumps(trail.show(EVENTS[0].id).document))
    attestation = document["unmapped"]["drawbridge"]["attestation"]
    first = before["unmapped"]["drawbridge"]["attestation"]
    assert document["class_uid"] == 6003
    assert attestation["chain_uid"].startswith(DEVICE.id + "/")
    assert attestation["prev_event"]["fingerprint"] == first["fingerprint"]
    assert attestation["fingerprint"]["algorithm_id"] == 3
    assert "prev_event" not in first


@pytest.mark.parametrize(
    ("reference", "wrong"),
    [
        ("ffffffff-ffff", "no event"),
        (EVENTS[0].id[:4], "more than one event"),
        ("abc", "no event id"),
        ("%%%%", "no event id"),
        ("____", "no event id"),
        ("' OR 1=1", "no event id"),
        ("", "no event id"),
    ],
)
def test_a_reference_that_fits_none_or_several_says_so(trail: Trail, reference: str, wrong: str) -> None:
    with pytest.raises(AuditError, match=wrong) as caught:
        trail.show(reference)
    assert caught.value.hint()


def test_an_untouched_trail_verifies(trail: Trail) -> None:
    report = trail.verify()
    assert (report.ok, report.events, report.dropped, report.last_seq, report.notes) == (True, 5, 0, 5, ())


SWAP = """
UPDATE event SET seq = 99 WHERE seq = 2;
UPDATE event SET seq = 2 WHERE seq = 3;
UPDATE event SET seq = 3 WHERE seq = 99;
"""


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("UPDATE event SET body = replace(body, 'gpt-4o', 'gpt-5x') WHERE seq = 3", ("changed", 3)),
        ("UPDATE event SET body = x'' WHERE seq = 3", ("changed", 3)),
        ("UPDATE event SET body = x'ff' WHERE seq = 1", ("changed", 1)),
        ("UPDATE event SET decision = 'allow' WHERE seq = 4", ("changed", 4)),
        ("UPDATE event SET host = 'other.example' WHERE seq = 2", ("changed", 2)),
        ("UPDATE event SET time_ms = 0 WHERE seq = 2", ("changed", 2)),
        ("UPDATE event SET keep = 0 WHERE seq = 4", ("changed", 4)),
        ("UPDATE event SET fingerprint = zeroblob(32) WHERE seq = 2", ("changed", 2)),
        ("UPDATE event SET previous = zeroblob(32) WHERE seq = 2", ("changed", 2)),
        ("DELETE FROM event WHERE seq = 1", ("removed", 1)),
        ("DELETE FROM event WHERE seq IN (2, 3)", ("removed", 2)),
        ("DELETE FROM event WHERE seq = 5", ("truncated", 5)),
        ("DELETE FROM event", ("truncated", 1)),
        ("DELETE FROM event WHERE seq = 3; UPDATE event SET seq = seq - 1 WHERE seq > 3", ("reordered", 3)),
        (SWAP, ("reordered", 2)),
        ("UPDATE chain SET uid = 'other'", ("truncated", 1)),
    ],
)
def test_whatever_is_done_to_the_file_is_found(
    trail: Trail, paths: StatePaths, sql: str, problem: tuple[str, int]
) -> None:
    # SQLite's replace() makes text; the column wants a blob
    tamper(
        paths,
        sql.replace("replace(body, 'gpt-4o', 'gpt-5x')", "CAST(replace(body, 'gpt-4o', 'gpt-5x') AS BLOB)"),
    )
    assert found(trail) == problem


def test_without_a_head_record_verification_says_what_it_cannot_see(trail: Trail, paths: StatePaths) -> None:
    paths.audit_head.unlink()
    tamper(paths, "DELETE FROM event WHERE seq = 5")
    report = trail.verify()
    assert report.ok
    assert "no head record" in report.notes[0]


def test_a_reader_works_while_a_writer_writes(paths: StatePaths) -> None:
    trail = Trail(paths)
    with open_for_writing(paths, device_id=DEVICE.id) as store:
        writer = Writer(store, OcsfMapper(DEVICE, {}), paths, Limits(), lambda: NOW)
        for number in range(1, 6):
            writer.write([make_exchange()])
            writer.sync_head()
            assert len(trail.events()) == trail.verify().events == number
            assert trail.verify().ok


def test_nothing_there_or_something_else_there_is_an_audit_error(paths: StatePaths) -> None:
    trail = Trail(paths)
    with pytest.raises(AuditError, match="there is no audit trail"):
        trail.events()
    paths.prepare()
    paths.spool.write_bytes(b"")
    with pytest.raises(AuditError, match="cannot read"):
        trail.events()
    paths.spool.write_bytes(b"no database at all, but long enough to be looked at" * 100)
    with pytest.raises(AuditError, match="cannot read"):
        trail.verify()


def test_a_damaged_page_is_an_audit_error_not_a_traceback(trail: Trail, paths: StatePaths) -> None:
    size = paths.spool.stat().st_size
    with paths.spool.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * (size - 8192))
    with pytest.raises(AuditError):
        trail.verify()


def test_exchanges_are_told_from_incidents() -> None:
    assert [isinstance(event, Exchange) for event in EVENTS] == [False, True, True, True, True]
