"""What keeps the agent from starting is said before anything is changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.host.paths import StatePaths
from tests.fakes.command_line import Drawbridge
from tests.fakes.running_agent import running_agent


@pytest.fixture(autouse=True)
def _nothing_blocks_the_event_loop() -> None:
    """Not asked here: before it serves, the agent reads and writes its files on the loop."""


def test_a_second_agent_does_not_start_and_leaves_the_first_ones_ready_file(
    drawbridge: Drawbridge, tmp_path: Path
) -> None:
    ready = tmp_path / "ready.json"
    ready.write_text("the first one's")
    with running_agent(StatePaths.under(tmp_path / "state")):
        result = drawbridge("up", "--ready-file", ready)
    assert result.exit_code == 1
    assert "another daemon" in result.stderr
    assert ready.read_text() == "the first one's"


def test_a_bad_policy_is_explained_and_no_ready_file_is_left(drawbridge: Drawbridge, tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    result = drawbridge("up", "--policy", tmp_path / "gone.yaml", "--ready-file", ready)
    assert result.exit_code == 1
    assert "gone.yaml" in result.stderr
    assert not ready.exists()


def test_two_listeners_need_two_ports(drawbridge: Drawbridge) -> None:
    result = drawbridge("up", "--proxy-port", 7000, "--gateway-port", 7000)
    assert result.exit_code == 1
    assert "--proxy-port and --gateway-port" in result.stderr
