"""Events of the running agent, once and as they come."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.cli import event_stream
from agent.control.verbs import EventWish
from agent.host.paths import StatePaths
from tests.fakes.command_line import Drawbridge
from tests.fakes.running_agent import answering_agent


def row(seq: int) -> dict[str, object]:
    return {
        "seq": seq, "id": f"01999999-0000-7000-8000-00000000{seq:04}", "time_ms": seq, "kind": "paused", "host": "",
        "model": "", "decision": "", "outcome": "", "surface": "", "app": "",
    }  # fmt: skip


def told(wishes: list[EventWish]) -> Callable[[EventWish], object]:
    def events(wish: EventWish) -> object:
        wishes.append(wish)
        if wish.after is None:
            return {"events": [row(2), row(1)]}
        return {"events": [row(3)] if wish.after == 2 else []}

    return events


def test_the_newest_are_shown_oldest_first(drawbridge: Drawbridge, tmp_path: Path) -> None:
    wishes: list[EventWish] = []
    with answering_agent(StatePaths.under(tmp_path / "state"), {"events": told(wishes)}):
        result = drawbridge("events", "--json", "--kind", "paused", "--limit", "2")
    assert [each["seq"] for each in json.loads(result.stdout)] == [1, 2]
    assert wishes == [EventWish(kind="paused", limit=2)]


def test_they_are_followed_from_there_on(
    drawbridge: Drawbridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    naps = iter([None, None])

    def sleep(seconds: float) -> None:
        assert seconds == 1
        if next(naps, "over") == "over":
            raise KeyboardInterrupt

    monkeypatch.setattr(event_stream.time, "sleep", sleep)
    wishes: list[EventWish] = []
    with answering_agent(StatePaths.under(tmp_path / "state"), {"events": told(wishes)}):
        result = drawbridge("events", "--follow", "--json")
    assert [json.loads(line)["seq"] for line in result.stdout.splitlines()] == [1, 2, 3]
    assert [wish.after for wish in wishes] == [None, 2, 3]
