"""How `drawbridge top` looks."""

from __future__ import annotations

import pytest
from rich.console import Console

from agent.cli.top_screen import Screen, screen
from agent.telemetry.observatory import Observatory
from agent.telemetry.present import NOTHING
from tests.fakes.audit import CONNECTION, NOW, make_exchange
from tests.fakes.watched_traffic import busy, empty

FACTS = {"policy": {"id": "default", "mode": "enforce"}, "started_at": NOW - 100_000}


def drawn(
    observatory: Observatory,
    *,
    width: int = 140,
    rows: int = 20,
    height: int | None = None,
    facts: dict[str, object] = FACTS,
    **more: object,
) -> list[str]:
    """The lines that a terminal shows."""
    view = observatory.view()
    console = Console(width=width, height=height or 50, color_system=None)
    seen = Screen(facts=facts, view=view, lines=tuple(view["exchanges"]), **more)  # type: ignore[arg-type]
    with console.capture() as capture:
        console.print(screen(seen, width=width, rows=rows, now=NOW + 5, height=height))
    return [line.rstrip() for line in capture.get().splitlines()]


def test_the_head_tells_rates_errors_spending_and_keys() -> None:
    head = drawn(busy())[:6]
    assert head[0].startswith("drawbridge  default (enforce)  up 27 h 46 min")
    assert "last minute 6 (6.0/s)   failed 2 (33.3%)   blocked 1" in head[1]
    assert "p50 812 ms   p95 2 min" in head[2]
    assert "spent today $12.34" in head[2]
    assert head[3] == "keys  ○ azure/eu cooling  ● openai/main"
    assert head[4] == "budgets  virtual_key/ci usd/month 92%"


def test_a_line_for_each_exchange_the_newest_first() -> None:
    lines = drawn(busy())[6:]
    assert lines[0].split() == [
        *("time", "app", "model", "outcome", "tokens", "cost", "first", "total", "own", "cache", "found"),
    ]
    outcomes = ["left", "upstream failed", "block", "redact", "ok ×2", "ok"]
    assert all(word in line for word, line in zip(outcomes, lines[1:], strict=True))
    routed = lines[5]
    assert "openai/gpt-5" in routed
    assert "10→5  $0.0123  300 ms  812 ms  0.8 ms  miss" in routed
    assert "secret/github_token ×2" in lines[4]


def test_what_runs_stands_above() -> None:
    observatory = busy()
    with observatory.running(CONNECTION, path="/v1/chat/completions", answering=lambda: True):
        lines = drawn(observatory)
    assert "running 1" in lines[1]
    assert "api.openai.com/v1/" in lines[7]
    assert "answering" in lines[7]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
def test_nothing_is_wider_than_the_terminal_or_breaks_a_line(width: int) -> None:
    lines = drawn(busy(), width=width)
    assert len(lines) == 6 + 1 + 6
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize("height", [3, 8, 10, 24])
def test_it_fits_the_height_of_the_terminal(height: int) -> None:
    assert len(drawn(busy(), height=height)) <= max(height, 9)


def test_where_nothing_happened_it_says_how_to_begin() -> None:
    text = "\n".join(drawn(empty(NOTHING)))
    assert "Nothing yet" in text
    assert "drawbridge exec" in text
    assert "p50 –" in text
    assert "spent today $0" in text


def test_columns_that_say_nothing_are_left_out() -> None:
    observatory = empty(NOTHING)
    observatory.observe(make_exchange())
    lines = "\n".join(drawn(observatory))
    assert "cost" not in lines
    assert "cache" not in lines


def test_a_pause_and_a_problem_are_told() -> None:
    assert "paused" in drawn(busy(), paused=True)[0]
    assert "waiting: Drawbridge is not running" in drawn(busy(), problem="Drawbridge is not running")[0]
    assert "q quits, p pauses" in drawn(busy(), live=True)[0]


@pytest.mark.parametrize(
    ("seconds", "words"), [(5, "5 s"), (65, "1 min"), (3_700, "1 h 01 min"), (200_000, "2 d 7 h")]
)
def test_spans_are_told_as_people_say_them(seconds: float, words: str) -> None:
    assert f"up {words}" in drawn(busy(), facts={"started_at": NOW + 5 - seconds})[0]
