"""A machine whose clock is set while the agent runs, forward and back: certificates, budgets, events, pauses, keys."""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest

from tests.fakes.misbehaviour import Canned
from tests.fakes.provider import Provider
from tests.integration.accounted import accounted, asked
from tests.integration.agent_process import ROOT, AgentProcess, wait_until
from tests.integration.line import Line, trusting, tunnel
from tests.integration.prompts import CHAT
from tests.integration.stage import Stage

DAY = 86_400.0
NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME: the test's own clock is right, the agent's is not
OPTIONS = ("--steady", "0.2", "--silence", "3")
ANSWER = b'{"id": "x", "object": "chat.completion", "choices": []}'


class Clock:
    """The clock of an agent's processes."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "moved"
        self.set(0)
        fakes = ROOT / "tests" / "fakes" / "moved_clock"
        self.environ = {"PYTHONPATH": f"{fakes}:{ROOT}", "MOVED_CLOCK": str(self._file)}

    def set(self, ahead: float) -> None:
        """Let it be so many seconds ahead."""
        self._file.write_text(str(ahead))


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path)


@pytest.fixture(autouse=True)
def dated(stage: Stage) -> Iterator[Provider]:
    """A provider that says what time it is, as all of them do."""
    headers = ((b"content-type", b"application/json"), (b"date", formatdate(usegmt=True).encode()))
    stage.provider.script(CHAT.target(), Canned(headers=headers, body=ANSWER))
    yield stage.provider
    stage.provider.reset()


def intercepted(agent: AgentProcess) -> int:
    """The status of a decrypted request, from a client whose clock says what the agent's does."""
    context = trusting(agent.ca_file)
    context.verify_flags |= NO_CHECK_TIME  # type: ignore[operator]  # OpenSSL knows it, Python does not
    with Line.secured(tunnel(agent.proxy_port, CHAT.host), context, CHAT.host) as line:
        ends = line.certificate.not_valid_after_utc.timestamp()
        begins = line.certificate.not_valid_before_utc.timestamp()
        now = time.time() + float((agent.directory / "moved").read_text())
        assert begins <= now < ends
        return line.ask("POST", CHAT.target(), CHAT.body("hello")).status


def warnings(agent: AgentProcess) -> dict[str, str]:
    """What the agent says is wrong, by its code."""
    return {each["code"]: each["text"] for each in agent.control("health")["health"]}


@pytest.mark.parametrize("days", [40.0, -0.5, -20.0], ids=["forward", "back", "before the root"])
def test_traffic_is_served_and_events_are_recorded(
    stage: Stage, tmp_path: Path, clock: Clock, days: float
) -> None:
    """Leaf and intermediate are made anew for the time that clients see; the chain holds; nothing is dropped by age."""
    with stage.agent(tmp_path, environ=clock.environ) as agent:
        assert intercepted(agent) == 200
        clock.set(days * DAY)
        if days > -1:
            assert intercepted(agent) == 200
        else:  # before the root was valid: nobody can be served, whose clock says so, and nothing else breaks
            assert not intercepts(agent)
        clock.set(0)
        assert intercepted(agent) == 200
        assert agent.trail.verify().ok
        assert not agent.trail.events(kind="audit.dropped")


@pytest.mark.parametrize("days", [400.0, -400.0], ids=["forward", "back"])
def test_nobody_gets_a_budget_back_and_the_clock_is_told_to_be_wrong(
    stage: Stage, tmp_path: Path, clock: Clock, days: float
) -> None:
    with accounted(stage, tmp_path, environ=clock.environ, supervise=OPTIONS) as agent:
        assert asked(agent).status == 200
        assert asked(agent).status == 429
        clock.set(days * DAY)
        assert asked(agent).status == 429
        codes = warnings(agent)
        assert ("ahead" if days > 0 else "behind") in codes["clock_skew"]
        clock.set(0)
        assert asked(agent).status == 429
        assert "clock_skew" not in warnings(agent)
        assert agent.trail.verify().ok


def test_a_key_that_has_expired_comes_not_back_to_life(stage: Stage, tmp_path: Path, clock: Clock) -> None:
    yesterday = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - DAY))
    with accounted(stage, tmp_path, more=f"expires: {yesterday}", environ=clock.environ) as agent:
        assert intercepted(agent) == 200  # somebody has said what time it is
        clock.set(-3 * DAY)
        assert asked(agent).status in (401, 403)


def test_the_time_that_servers_said_is_known_after_a_restart(
    stage: Stage, tmp_path: Path, clock: Clock
) -> None:
    with accounted(stage, tmp_path, environ=clock.environ) as agent:
        assert asked(agent).status == 200
    clock.set(-0.9 * DAY)
    with agent:
        codes = warnings(agent)
        assert "1296 minutes behind" in codes["clock_skew"]
        assert asked(agent).status == 429


def test_a_crash_loop_ends_when_the_clock_is_set_right(stage: Stage, tmp_path: Path, clock: Clock) -> None:
    """A machine whose battery was empty: no root is valid in 1970. It is not left to the hourly try."""
    agent = stage.agent(tmp_path, environ=clock.environ, supervise=OPTIONS)
    with agent:
        assert intercepted(agent) == 200
    clock.set(-20_000 * DAY)
    process = agent.launch()
    wait_until(lambda: "the engine cannot run" in agent.log, "a crash loop", seconds=60)
    assert "the clock says 1972" in agent.log
    clock.set(0)
    wait_until(lambda: "the clock was set" in agent.log, "the clock to be seen", seconds=10)
    wait_until(lambda: intercepts(agent), "the engine", seconds=30)
    assert process.poll() is None
    agent.stop()


def intercepts(agent: AgentProcess) -> bool:
    try:
        return intercepted(agent) == 200
    except (OSError, ValueError):
        return False
