"""Beats: what was said is what is heard, and nothing else is."""

from __future__ import annotations

import pytest

from agent.host.beats import MAX_LINE, Beat, parse_beat


def test_a_beat_is_heard_as_it_was_said() -> None:
    beat = Beat(ready=True, memory=1 << 27, cpu=1.5, active=3)
    assert parse_beat(beat.line()) == beat


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\xff\n",
        b"[]\n",
        b"7\n",
        b'{"ready": 1, "memory": 1, "cpu": 1, "active": 0}\n',
        b'{"ready": true, "memory": "1", "cpu": 1, "active": 0}\n',
        b'{"ready": true, "memory": 1, "cpu": 1}\n',
        b'{"ready": true, "memory": 1, "cpu": 1, "active": 0, "more": "' + b"x" * MAX_LINE + b'"}\n',
    ],
)
def test_anything_else_is_no_beat(line: bytes) -> None:
    assert parse_beat(line) is None
