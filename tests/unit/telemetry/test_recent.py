"""The last exchanges, in memory."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from agent.model.decision import Action
from agent.model.record import Outcome, Served, Timing
from agent.telemetry.recent import Recent, as_json
from tests.fakes.audit import CONNECTION, NOW, decided, make_block, make_exchange


class Clock:
    """Unix time, moved by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_line_tells_what_happened_and_nothing_of_the_content(clock: Clock) -> None:
    recent = Recent(clock=clock)
    recent.add(
        make_exchange(decision=decided(Action.REDACT), prompt="what was asked", answer="what was said")
    )
    [line] = recent.since(0)
    assert (line.number, line.app, line.provider, line.model) == (1, "codex-cli", "openai", "gpt-4o")
    assert (line.outcome, line.action, line.findings) == (
        "completed",
        "redact",
        (("secret/github_token", 2),),
    )
    assert (line.first_token_ms, line.total_ms, line.overhead_ms) == (300.25, 812.5, 0.75)
    told = orjson.dumps(as_json(line))
    assert b"what was asked" not in told
    assert b"what was said" not in told
    assert (line.user, line.rules, line.applied) == (CONNECTION.process.user, line.rules, True)


def test_a_cursor_gives_what_is_new(clock: Clock) -> None:
    recent = Recent(clock=clock, capacity=3)
    for _ in range(5):
        recent.add(make_exchange())
    assert [line.number for line in recent.since(0)] == [3, 4, 5]
    assert [line.number for line in recent.since(4)] == [5]
    assert [line.number for line in recent.since(0, limit=2)] == [4, 5]
    assert recent.since(5) == recent.since(99) == ()
    assert recent.latest == 5


def test_what_runs_is_seen_until_it_ends(clock: Clock) -> None:
    recent = Recent(clock=clock)
    begun = False
    with recent.running(CONNECTION, host="", path="/v1/chat", answering=lambda: begun) as one:
        one.model = "gpt-5"
        assert (recent.in_flight, recent.streams_open) == (1, 0)
        begun = True
        assert recent.streams_open == 1
        [told] = recent.under_way()
        assert (told["app"], told["host"], told["path"]) == ("codex-cli", "api.openai.com", "/v1/chat")
        assert (told["model"], told["answering"]) == ("gpt-5", True)
    assert recent.in_flight == 0
    assert recent.under_way() == []


def test_the_last_minute_is_summed_up(clock: Clock) -> None:
    recent = Recent(clock=clock)
    recent.add(make_exchange())
    clock.now += 61
    for total in range(100):
        recent.add(make_exchange(timing=Timing(total_ms=total, overhead_ms=total / 100)))
    recent.add(make_block())
    recent.add(make_exchange(outcome=Outcome.UPSTREAM_FAILED))
    summary = recent.summary()
    assert (summary.exchanges, summary.failed, summary.blocked) == (102, 1, 1)
    assert summary.per_second == pytest.approx(102 / 60)
    assert (summary.p50_ms, summary.p95_ms) == (51, 96)
    assert summary.tokens_per_second == pytest.approx(102 * 5 / 60)


def test_a_full_memory_tells_the_rate_of_the_time_it_covers(clock: Clock) -> None:
    recent = Recent(clock=clock, capacity=10)
    for _ in range(30):
        clock.now += 0.1
        recent.add(make_exchange())
    assert recent.summary().per_second == pytest.approx(10 / 0.9)


def test_the_rate_of_the_first_seconds_is_that_of_these_seconds(clock: Clock) -> None:
    recent = Recent(clock=clock)
    clock.now += 4
    for _ in range(8):
        recent.add(make_exchange())
    assert recent.summary().per_second == 2.0


def test_nothing_has_no_percentiles(clock: Clock) -> None:
    summary = Recent(clock=clock).summary()
    assert (summary.p50_ms, summary.overhead_p95_ms, summary.exchanges) == (None, None, 0)


def test_spending_is_of_the_day(clock: Clock) -> None:
    recent = Recent(clock=clock)
    recent.add(make_exchange(served=Served(cost_nano_usd=7)))
    recent.add(make_exchange(served=Served(cost_nano_usd=5)))
    assert recent.summary().spent_today_nano_usd == 12
    clock.now += 86_400
    assert recent.summary().spent_today_nano_usd == 0


def test_a_program_without_a_name_in_the_catalog_is_told_by_its_process(clock: Clock) -> None:
    recent = Recent(clock=clock)
    recent.add(make_exchange(connection=replace(CONNECTION, app="")))
    recent.add(make_exchange(connection=replace(CONNECTION, app="", process=None), model="\x1b[2J"))
    named, unknown = recent.since(0)
    assert (named.app, unknown.app) == ("codex", "")
    assert unknown.model == "?[2J"
