"""Is the agent up, and under which policy: the exit status tells scripts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.host.paths import StatePaths
from tests.fakes.command_line import Drawbridge
from tests.fakes.running_agent import running_agent, status_page


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    return StatePaths.under(tmp_path / "state")


def test_where_no_agent_runs_the_status_is_1(drawbridge: Drawbridge, paths: StatePaths) -> None:
    result = drawbridge("status")
    assert result.exit_code == 1
    assert "not running" in result.stdout
    facts = json.loads(drawbridge("status", "--json").stdout)
    assert facts == {"running": False, "state_dir": str(paths.root)}


def test_a_running_agent_tells_about_itself(drawbridge: Drawbridge, paths: StatePaths) -> None:
    with status_page(paths) as port, running_agent(paths, gateway_port=port):
        told = drawbridge("status", "--json")
        shown = drawbridge("status")
    assert (told.exit_code, shown.exit_code) == (0, 0)
    assert json.loads(told.stdout)["running"] is True
    assert "id small, mode enforce" in shown.stdout
    assert "/[x]" in shown.stdout


def test_an_agent_that_does_not_answer_is_no_running_one(drawbridge: Drawbridge, paths: StatePaths) -> None:
    with running_agent(paths, gateway_port=1):
        result = drawbridge("status")
    assert result.exit_code == 1
    assert "does not answer" in result.stderr
