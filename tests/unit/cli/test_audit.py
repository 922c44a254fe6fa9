"""The trail is read and verified from the command line, also while the agent writes it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from agent.audit.ocsf import OcsfMapper
from agent.audit.retention import Limits
from agent.audit.store import open_for_writing
from agent.audit.writer import Writer
from agent.cli.audit import list_events
from agent.host.paths import StatePaths
from agent.model.decision import Action
from agent.model.ids import short_ref, uuid7
from agent.model.record import AuditEvent, IncidentKind
from tests.fakes.audit import DEVICE, NOW, decided, make_block, make_exchange, make_incident
from tests.fakes.command_line import Drawbridge

EVENTS: tuple[AuditEvent, ...] = (
    make_incident(IncidentKind.AGENT_STARTED),
    make_exchange(),
    make_exchange(host="api.anthropic.com", surface="anthropic", started_at=NOW + 50),
    make_block(id=uuid7(NOW + 100), started_at=NOW + 100),
    make_exchange(decision=decided(Action.REDACT), started_at=NOW + 200),
)
BLOCK = EVENTS[3]


@pytest.fixture
def paths(tmp_path: Path) -> Iterator[StatePaths]:
    """A trail whose writer is still there."""
    paths = StatePaths.under(tmp_path / "state")
    paths.prepare()
    with open_for_writing(paths, device_id=DEVICE.id) as store:
        writer = Writer(store, OcsfMapper(DEVICE, {}), paths, Limits(), lambda: NOW)
        writer.write(EVENTS)
        writer.sync_head()
        yield paths


@pytest.mark.usefixtures("paths")
@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        ((), [5, 4, 3, 2, 1]),
        (("--limit", 2), [5, 4]),
        (("--decision", "block"), [4]),
        (("--host", "api.anthropic.com"), [3]),
        (("--kind", "agent_started"), [1]),
        (("--since", "2026-01-01"), [5, 4, 3, 2, 1]),
        (("--since", "2099-01-01T08:00"), []),
        (("--since", "0s"), []),
        (("--since", "9999w"), [5, 4, 3, 2, 1]),
    ],
)
def test_filters_narrow_the_list(
    drawbridge: Drawbridge, options: tuple[object, ...], numbers: list[int]
) -> None:
    rows = json.loads(drawbridge("audit", "list", "--json", *options).stdout)
    assert [row["seq"] for row in rows] == numbers


@pytest.mark.usefixtures("paths")
def test_a_list_is_a_line_for_each_event(drawbridge: Drawbridge) -> None:
    lines = drawbridge("audit", "list").stdout.splitlines()
    assert lines[0].split() == ["ref", "time", "what", "app", "host", "model"]
    assert [line.split()[0] for line in lines[1:]] == [short_ref(event.id) for event in reversed(EVENTS)]
    assert max(map(len, lines)) <= 80


@pytest.mark.usefixtures("paths")
def test_no_event_that_fits_is_said(drawbridge: Drawbridge) -> None:
    assert drawbridge("audit", "list", "--host", "nowhere.example").stdout == "No event fits.\n"


@pytest.mark.parametrize(
    "options",
    [
        ("--since", "soon"),
        ("--since", "5y"),
        ("--since", ""),
        ("--decision", "maybe"),
        ("--kind", "x"),
        ("--limit", 0),
    ],
)
def test_a_filter_that_is_none_is_a_usage_error(drawbridge: Drawbridge, options: tuple[object, ...]) -> None:
    result = drawbridge("audit", "list", *options)
    assert result.exit_code == 2
    assert str(options[0]) in result.stderr


def test_the_decisions_to_ask_for_are_those_there_are() -> None:
    asked = get_type_hints(list_events)["decision"]
    words = {word for each in get_args(asked) for word in get_args(each)}
    assert words == {action.word for action in Action}


@pytest.mark.usefixtures("paths")
@pytest.mark.parametrize(
    "reference",
    [BLOCK.id, short_ref(BLOCK.id), BLOCK.id[:11].upper()],
    ids=["id", "reference", "beginning"],
)
def test_an_event_is_found_by_its_id_or_by_the_reference_that_a_person_saw(
    drawbridge: Drawbridge, reference: str
) -> None:
    shown = drawbridge("audit", "show", reference).stdout
    assert BLOCK.id in shown
    assert "block, by credentials" in shown
    assert json.loads(drawbridge("audit", "show", reference, "--json").stdout)["metadata"]["uid"] == BLOCK.id


@pytest.mark.usefixtures("paths")
def test_a_reference_that_fits_no_event_is_explained(drawbridge: Drawbridge) -> None:
    result = drawbridge("audit", "show", "00000000")
    assert result.exit_code == 1
    assert "no event" in result.stderr


@pytest.mark.usefixtures("paths")
def test_a_whole_trail_verifies(drawbridge: Drawbridge) -> None:
    result = drawbridge("audit", "verify")
    assert result.exit_code == 0
    assert result.stdout == "ok the chain of 5 events is unbroken\n"
    assert json.loads(drawbridge("audit", "verify", "--json").stdout)["ok"] is True


@pytest.mark.parametrize(
    ("crime", "kind", "seq"),
    [
        ("DELETE FROM event WHERE seq = 3", "removed", 3),
        ("DELETE FROM event WHERE seq = 5", "truncated", 5),
        ("UPDATE event SET decision = 'allow' WHERE seq = 4", "changed", 4),
    ],
)
def test_a_crime_is_named_with_its_place(
    drawbridge: Drawbridge, paths: StatePaths, crime: str, kind: str, seq: int
) -> None:
    with closing(sqlite3.connect(paths.spool)) as connection, connection:
        connection.execute(crime)
    result = drawbridge("audit", "verify")
    assert result.exit_code == 1
    assert result.stdout.startswith(f"{kind} at event {seq}: ")
    told = drawbridge("audit", "verify", "--json")
    assert told.exit_code == 1
    assert json.loads(told.stdout)["problem"]["kind"] == kind


def test_a_reservation_is_told(drawbridge: Drawbridge, paths: StatePaths) -> None:
    paths.audit_head.unlink()
    result = drawbridge("audit", "verify")
    assert result.exit_code == 0
    assert "note there is no head record" in result.stdout


@pytest.mark.parametrize("words", [("list",), ("show", "abcd"), ("verify",)])
def test_where_there_is_no_trail_yet_that_is_said(drawbridge: Drawbridge, words: tuple[str, ...]) -> None:
    result = drawbridge("audit", *words)
    assert result.exit_code == 1
    assert "there is no audit trail" in result.stderr
