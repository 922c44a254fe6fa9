"""How the tray looks at the agent: what is new, what is asked for, how often."""

from __future__ import annotations

import pytest

from agent.errors import ConfigError, HostError
from agent.tray.seen import State
from agent.tray.watch import EVERY, LONGEST, Watch
from tests.fakes.tray import FakeAgent, blocked, line


class Bench:
    def __init__(self) -> None:
        self.agent = FakeAgent()
        self.now = 1_800_000_000.0
        self.watch = Watch(self.agent, user="desk", now=lambda: self.now)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_what_was_there_before_is_shown_but_is_no_news(bench: Bench) -> None:
    bench.agent.lines = [blocked(1), line(2)]
    look = bench.watch.look()
    assert look.fresh == ()
    assert [each.number for each in look.seen.decisions] == [1]


def test_what_came_since_is_news_once(bench: Bench) -> None:
    bench.watch.look()
    bench.agent.lines += [blocked(1), line(2), blocked(3)]
    look = bench.watch.look()
    assert [each.number for each in look.fresh] == [1, 3]
    assert [each.number for each in look.seen.decisions] == [3, 1]
    assert bench.watch.look().fresh == ()


def test_an_idle_agent_is_asked_two_small_things(bench: Bench) -> None:
    bench.watch.look()
    bench.agent.verbs()
    bench.watch.look()
    assert bench.agent.verbs() == ["status", "live"]
    assert bench.agent.lines == []


@pytest.mark.parametrize("change", ["traffic", "policy", "time"])
def test_sums_are_asked_for_again_where_something_changed(bench: Bench, change: str) -> None:
    bench.watch.look()
    bench.agent.verbs()
    match change:
        case "traffic":
            bench.agent.lines += [line(1)]
        case "policy":
            bench.agent.status["policy"] = {"id": "house", "revision": 4}
        case "time":
            bench.now += 61
    bench.watch.look()
    assert "me" in bench.agent.verbs()


def test_an_agent_that_started_anew_counts_from_one(bench: Bench) -> None:
    bench.agent.lines = [line(number) for number in range(1, 9)]
    bench.watch.look()
    bench.agent.lines = [blocked(1)]
    assert [each.number for each in bench.watch.look().fresh] == [1]


def test_what_an_agent_stopped_right_after_its_restart_is_news(bench: Bench) -> None:
    bench.agent.lines = [line(number) for number in range(1, 9)]
    bench.watch.look()
    bench.agent.stop()
    bench.watch.look()
    bench.agent.error = None
    bench.agent.lines = [blocked(number) for number in range(1, 12)]
    assert len(bench.watch.look().fresh) == 11


def test_an_agent_that_is_away_is_asked_ever_more_seldom(bench: Bench) -> None:
    assert bench.watch.pause == EVERY
    bench.agent.stop()
    pauses = []
    for _ in range(20):
        assert bench.watch.look().seen.state is State.OFF
        pauses.append(bench.watch.pause)
    assert pauses[:3] == [EVERY, 2 * EVERY, 4 * EVERY]
    assert pauses[-1] == LONGEST
    bench.agent.error = None
    bench.watch.look()
    assert bench.watch.pause == EVERY


def test_an_agent_that_refuses_says_why(bench: Bench) -> None:
    bench.agent.error = HostError("this account may not ask the agent")
    look = bench.watch.look()
    assert (look.seen.state, look.seen.problem) == (State.OFF, "this account may not ask the agent")


def test_an_agent_of_another_version_is_no_crash(bench: Bench) -> None:
    bench.agent.lines = [{"number": 1}]
    assert "another version" in bench.watch.look().seen.problem


def test_a_trail_that_cannot_be_read_hides_only_the_sums(bench: Bench) -> None:
    bench.agent.refused["me"] = ConfigError("there is no such verb")
    look = bench.watch.look()
    assert look.seen.state is State.GUARDING
    assert look.seen.today.requests == 0


def test_an_agent_that_knows_no_accounts_has_everything_shown_to_its_owner(bench: Bench) -> None:
    bench.agent.me |= {"user": "owner", "accounts": None}
    bench.watch.look()
    bench.agent.lines = [blocked(1, user=r"HOUSE\bob")]
    look = bench.watch.look()
    assert len(look.fresh) == 1
    assert look.seen.user == "desk"
