"""A pause outlives its engine, in a file that says what it should or nothing."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from agent.host.pause_file import Pause, read_pause, remove_pause, seconds_up, write_pause

PAUSE = Pause(begun_at=1.5, ends_at=301.5, begun_up=7, ends_up=307, user="ann", uid=7, reason="x")


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "pause.json"
    assert read_pause(path) is None
    write_pause(path, PAUSE)
    assert read_pause(path) == PAUSE
    remove_pause(path)
    remove_pause(path)
    assert read_pause(path) is None


@pytest.mark.parametrize(
    "change",
    [{"version": 2}, {"ends_at": "x"}, {"uid": 1.5}, {"user": None}, {"more": 1}, {"begun_up": True}],
)
def test_what_is_none_is_no_pause(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "pause.json"
    path.write_text(json.dumps({"version": 1, **asdict(PAUSE), **change}))
    path.chmod(0o600)
    assert read_pause(path) is None


def test_others_cannot_write_one(tmp_path: Path) -> None:
    path = tmp_path / "pause.json"
    write_pause(path, PAUSE)
    path.chmod(0o666)
    assert read_pause(path) is None


def test_time_passes() -> None:
    assert seconds_up() <= seconds_up()
