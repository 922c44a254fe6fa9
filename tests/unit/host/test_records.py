"""Records that people add: bounded, private, and never lost to a damaged line."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from agent.errors import HostError
from agent.host.records import MAX_BYTES, add_record, read_records


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "records.jsonl"


def test_records_are_read_in_the_order_they_were_added(file: Path) -> None:
    assert read_records(file) == ()
    add_record(file, {"n": 1})
    add_record(file, {"n": 2, "text": "a\nb"})
    assert read_records(file) == ({"n": 1}, {"n": 2, "text": "a\nb"})
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_is_not_to_be_kept_goes(file: Path) -> None:
    for number in range(4):
        add_record(file, {"n": number}, keep=lambda old: old["n"] != 1)
    assert [record["n"] for record in read_records(file)] == [0, 2, 3]


def test_the_oldest_go_where_the_file_would_grow_too_large(file: Path) -> None:
    for number in range(5):
        add_record(file, {"n": number, "text": "x" * (MAX_BYTES // 3)})
    assert [record["n"] for record in read_records(file)] == [3, 4]
    assert file.stat().st_size <= MAX_BYTES


def test_a_record_that_is_too_large_is_refused(file: Path) -> None:
    with pytest.raises(HostError, match="too much"):
        add_record(file, {"text": "x" * MAX_BYTES})


def test_a_damaged_line_is_left_out(file: Path) -> None:
    add_record(file, {"n": 1})
    file.write_bytes(file.read_bytes() + b'{"n": 2\n[3]\n\xff\n{"n": 4}\n')
    assert [record["n"] for record in read_records(file)] == [1, 4]


def test_a_file_that_others_may_open_is_refused(file: Path) -> None:
    add_record(file, {"n": 1})
    file.chmod(0o644)
    with pytest.raises(HostError):
        read_records(file)
