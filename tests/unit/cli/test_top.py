"""The traffic of the running agent, once and live."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from agent.cli.top import Feed, watch
from agent.control.verbs import LiveWish
from agent.host.paths import StatePaths
from agent.telemetry.observatory import Observatory
from tests.fakes.audit import make_exchange
from tests.fakes.command_line import Drawbridge
from tests.fakes.running_agent import answering_agent, control_of
from tests.fakes.watched_traffic import busy, empty


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    return StatePaths.under(tmp_path / "state")


class Exchanges:
    """The page of an observatory, which can be another one's after a restart."""

    def __init__(self, observatory: Observatory) -> None:
        self.observatory = observatory
        self.asked: list[int] = []

    def __call__(self, wish: LiveWish) -> Any:
        self.asked.append(wish.since)
        return self.observatory.view(wish.since)


def test_once_prints_one_table(drawbridge: Drawbridge, paths: StatePaths) -> None:
    page = Exchanges(busy())
    with answering_agent(paths, {"live": page}):
        told = drawbridge("top", "--once")
        piped = drawbridge("top")  # a pipe is not watched
    assert (told.exit_code, piped.exit_code) == (0, 0)
    assert "blocked 1" in told.stdout
    assert "upstream failed" in told.stdout
    assert piped.stdout.splitlines()[0].startswith("drawbridge  small (enforce)")


def test_json_is_for_programs(drawbridge: Drawbridge, paths: StatePaths) -> None:
    page = Exchanges(busy())
    with answering_agent(paths, {"live": page}):
        told = json.loads(drawbridge("top", "--json").stdout)
    assert told["status"]["version"] == "9"
    assert [line["number"] for line in told["exchanges"]] == [1, 2, 3, 4, 5, 6]
    assert told["summary"]["spent_today_nano_usd"] == 12_340_000_000


def test_where_no_agent_runs_it_says_so(drawbridge: Drawbridge, paths: StatePaths) -> None:
    result = drawbridge("top", "--once")
    assert result.exit_code == 1
    assert "not running" in result.stderr
    assert "drawbridge up" in result.stderr


def test_only_what_is_new_is_asked_for_and_a_restart_is_noticed(paths: StatePaths) -> None:
    page = Exchanges(busy())
    with answering_agent(paths, {"live": page}):
        feed = Feed(control_of(paths), kept=7)
        feed.refresh()
        for _ in range(2):
            page.observatory.observe(make_exchange())
        feed.refresh()
        assert [line["number"] for line in feed.seen().lines] == [2, 3, 4, 5, 6, 7, 8]
        page.observatory = empty()
        page.observatory.observe(make_exchange())
        feed.refresh()
        assert [line["number"] for line in feed.seen().lines] == [1]
    assert page.asked == [0, 6, 8, 0]


class Keys:
    """Implements `KeySource`: what somebody presses, then q."""

    def __init__(self, pressed: str) -> None:
        self._pressed = list(pressed + "q")
        self.waited: list[float] = []

    def key(self, seconds: float) -> str:
        self.waited.append(seconds)
        key = self._pressed.pop(0)
        if key == "!":
            raise KeyboardInterrupt
        return "" if key == "." else key


@pytest.mark.parametrize(("pressed", "looks"), [("", 1), ("..", 3), ("p...p.", 3), ("!", 1)])
def test_it_looks_again_until_somebody_leaves_and_rests_while_paused(
    paths: StatePaths, pressed: str, looks: int
) -> None:
    page, keys = Exchanges(busy()), Keys(pressed)
    console = Console(width=100, height=30, force_terminal=True)
    with (
        answering_agent(paths, {"live": page}),
        console.capture() as capture,
    ):
        watch(Feed(control_of(paths)), console, keys, interval=0.5)
    assert len(page.asked) == looks
    assert set(keys.waited) == {0.5}
    assert "upstream failed" in capture.get()


def test_an_agent_that_goes_away_is_waited_for(paths: StatePaths) -> None:
    console = Console(width=100, height=30, force_terminal=True)
    paths.prepare()
    with console.capture() as capture:
        watch(Feed(control_of(paths)), console, Keys("."), interval=0.5)
    assert "waiting" in capture.get()
