"""The trail's file: private, locked, versioned."""

from __future__ import annotations

import sqlite3
import stat
import sys
from pathlib import Path

import pytest

from agent.audit.chain import Head
from agent.audit.store import open_for_reading, open_for_writing, read_head, write_head
from agent.errors import AuditError
from agent.host.paths import StatePaths


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    return StatePaths.under(tmp_path)


def test_the_chain_keeps_its_name_over_restarts(paths: StatePaths) -> None:
    with open_for_writing(paths, device_id="d") as store:
        name = store.chain_uid
    with open_for_writing(paths, device_id="d") as store:
        assert store.chain_uid == name
    assert name.startswith("d/")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
def test_every_file_is_private(paths: StatePaths) -> None:
    with open_for_writing(paths, device_id="d") as store:
        store.connection.execute("UPDATE chain SET uid = uid")
        write_head(paths, Head(chain_uid="c", seq=1, fingerprint=b"x"))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in paths.audit.iterdir()}
    assert modes.keys() >= {"spool.db", "spool.db-wal", "spool.db-shm", "spool.lock", "audit.head"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(paths.audit.stat().st_mode) == 0o700


def test_a_commit_is_synchronous_and_in_wal_mode(paths: StatePaths) -> None:
    with open_for_writing(paths, device_id="d") as store:
        pragma = {
            name: store.connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("synchronous", "journal_mode", "auto_vacuum", "secure_delete")
        }
    assert pragma == {"synchronous": 2, "journal_mode": "wal", "auto_vacuum": 2, "secure_delete": 1}


def test_a_second_writer_is_refused_and_the_first_goes_on(paths: StatePaths) -> None:
    with open_for_writing(paths, device_id="d") as store:
        with (
            pytest.raises(AuditError, match="written by another process") as caught,
            open_for_writing(paths, device_id="d"),
        ):
            pass
        assert "stop the other one" in caught.value.hint()
        store.connection.execute("UPDATE chain SET uid = uid")
    with open_for_writing(paths, device_id="d"):
        pass


def test_a_newer_file_is_left_alone(paths: StatePaths) -> None:
    with open_for_writing(paths, device_id="d") as store:
        store.connection.execute("PRAGMA user_version = 99")
    with pytest.raises(AuditError, match="newer version"), open_for_writing(paths, device_id="d"):
        pass
    with pytest.raises(AuditError, match="newer version"), open_for_reading(paths):
        pass


def test_a_damaged_file_is_kept_as_evidence_and_a_new_one_begun(tmp_path: Path) -> None:
    paths = StatePaths.under(tmp_path)
    paths.prepare()
    paths.spool.write_bytes(b"no database, but of some length" * 100)
    with open_for_writing(paths, device_id="device") as store:
        assert store.chain_uid
    kept = [each for each in paths.audit.iterdir() if ".damaged-" in each.name]
    assert [each.read_bytes()[:11] for each in kept] == [b"no database"]


def test_a_damaged_file_that_is_read_is_an_audit_error_with_advice(paths: StatePaths) -> None:
    paths.prepare()
    paths.spool.write_bytes(b"this is no database" * 1000)
    with pytest.raises(AuditError, match="cannot read") as caught, open_for_reading(paths):
        pass
    assert "keep it as evidence" in caught.value.hint()


def test_reading_what_is_not_there_says_how_to_start(paths: StatePaths) -> None:
    with pytest.raises(AuditError, match="there is no audit trail") as caught, open_for_reading(paths):
        pass
    assert "drawbridge up" in caught.value.hint()


def test_a_reader_cannot_write(paths: StatePaths) -> None:
    with (
        open_for_writing(paths, device_id="d"),
        open_for_reading(paths) as store,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        store.connection.execute("UPDATE chain SET uid = 'x'")


def test_the_head_record_is_read_as_written(paths: StatePaths) -> None:
    paths.prepare()
    head = Head(chain_uid="d/1", seq=42, fingerprint=b"\x01" * 32)
    write_head(paths, head)
    assert read_head(paths) == head


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"{", b'{"chain_uid":"c","seq":"x","fingerprint":""}']
)
def test_a_head_record_that_a_crash_left_unreadable_is_none(paths: StatePaths, content: bytes) -> None:
    paths.prepare()
    paths.audit_head.write_bytes(content)
    paths.audit_head.chmod(0o600)
    assert read_head(paths) is None
