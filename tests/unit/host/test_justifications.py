"""Reasons hold for as long as the policy says, and a change of the file is seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.host.justifications import Justification, JustificationFile, justify
from agent.host.records import add_record, read_records

NOW = 1_790_000_000.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "justifications.jsonl"


def give(
    path: Path, reason: str = "a test", *, at: float = NOW, finding: str = "f1", terminal: bool = True
) -> None:
    findings = (("g", finding),)
    justify(path, Justification(at=at, event="e", reason=reason, findings=findings, terminal=terminal))


def test_a_reason_holds_for_the_minutes_of_the_policy(path: Path) -> None:
    give(path)
    file = JustificationFile(path, b"k")
    assert file.reasons(now=NOW + 60, minutes=1, terminal=True) == {("g", "f1"): "a test"}
    assert file.reasons(now=NOW + 61, minutes=1, terminal=True) == {}
    assert file.reasons(now=NOW + 61, minutes=2, terminal=True) == {("g", "f1"): "a test"}


def test_a_reason_given_without_a_terminal_counts_only_where_that_is_allowed(path: Path) -> None:
    give(path, terminal=False)
    file = JustificationFile(path, b"k")
    assert file.reasons(now=NOW, minutes=1, terminal=True) == {}
    assert file.reasons(now=NOW, minutes=1, terminal=False) == {("g", "f1"): "a test"}


def test_a_reason_from_the_future_holds_not(path: Path) -> None:
    give(path, at=NOW + 3600)
    assert JustificationFile(path, b"k").reasons(now=NOW, minutes=60, terminal=True) == {}


def test_a_new_reason_is_seen_and_a_removed_file_forgotten(path: Path) -> None:
    file = JustificationFile(path, b"k")
    assert file.reasons(now=NOW, minutes=9, terminal=True) == {}
    give(path)
    assert file.reasons(now=NOW, minutes=9, terminal=True) == {("g", "f1"): "a test"}
    give(path, "a better one")
    assert file.reasons(now=NOW, minutes=9, terminal=True) == {("g", "f1"): "a better one"}
    path.unlink()
    assert file.reasons(now=NOW, minutes=9, terminal=True) == {}


def test_reasons_that_can_hold_no_more_are_dropped(path: Path) -> None:
    give(path, at=NOW - 86_401, finding="old")
    give(path, finding="new")
    assert [record["findings"] for record in read_records(path)] == [[["g", "new"]]]


@pytest.mark.parametrize("findings", [None, 3, ["g"], [["g"]], [["g", 1]], [["g", "f", "x"]]])
def test_a_record_of_another_shape_justifies_nothing(path: Path, findings: object) -> None:
    add_record(path, {"at": NOW, "reason": "r", "findings": findings, "terminal": True})
    assert JustificationFile(path, b"k").reasons(now=NOW, minutes=9, terminal=True) == {}
