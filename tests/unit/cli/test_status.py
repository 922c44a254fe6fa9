"""Is the agent up, what does it do: the exit status tells scripts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent.cli.status import code_of
from agent.host.lock import ProcessLock
from agent.host.paths import StatePaths
from tests.fakes.command_line import Drawbridge
from tests.fakes.running_agent import FACTS, answering_agent, running_agent

WARNING = {"title": "T", "severity": "medium", "since": 0, "text": "why", "remedy": "mend it"}


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    return StatePaths.under(tmp_path / "state")


def test_where_no_agent_runs_the_status_is_1(drawbridge: Drawbridge, paths: StatePaths) -> None:
    result = drawbridge("status", "--exit-code")
    assert result.exit_code == 1
    assert "not running" in result.stdout
    facts = json.loads(drawbridge("status", "--json").stdout)
    assert facts == {"running": False, "state_dir": str(paths.root), "supervised": False}


def test_an_engine_that_is_away_is_told_from_an_agent_that_is_not_there(
    drawbridge: Drawbridge, paths: StatePaths
) -> None:
    paths.prepare()
    with ProcessLock(paths.supervisor_lock, "supervisor"):
        result = drawbridge("status")
    assert result.exit_code == 1
    assert "supervisor stands in" in result.stdout


def test_a_running_agent_tells_about_itself(drawbridge: Drawbridge, paths: StatePaths) -> None:
    with answering_agent(paths):
        told = drawbridge("status", "--json")
        shown = drawbridge("status")
    assert (told.exit_code, shown.exit_code) == (0, 0)
    assert json.loads(told.stdout)["running"] is True
    assert "id small, mode enforce" in shown.stdout
    assert "/[x]" in shown.stdout


def test_an_agent_that_does_not_answer_is_no_running_one(drawbridge: Drawbridge, paths: StatePaths) -> None:
    with running_agent(paths):
        result = drawbridge("status")
    assert result.exit_code == 1
    assert "not running" in result.stdout


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({}, 0),
        ({"state": "observing", "health": [{**WARNING, "code": "observing"}]}, 0),
        ({"state": "degraded", "health": [{**WARNING, "code": "disk_low"}]}, 10),
        ({"state": "paused", "pause": {"user": "a", "reason": "b", "ends_at": 0}}, 20),
        ({"state": "degraded", "health": [{**WARNING, "code": "policy_refused"}]}, 40),
    ],
)
def test_the_exit_status_tells_scripts(
    drawbridge: Drawbridge, paths: StatePaths, facts: dict[str, Any], code: int
) -> None:
    told = {**FACTS, **facts}
    assert code_of(told) == code
    with answering_agent(paths, {"status": lambda _: told}):
        assert drawbridge("status", "--exit-code").exit_code == code
        assert drawbridge("status").exit_code == 0
