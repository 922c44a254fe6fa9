"""What is wrong, for people and scripts."""

from __future__ import annotations

from pathlib import Path

from agent.host.paths import StatePaths
from tests.fakes.command_line import Drawbridge
from tests.fakes.running_agent import answering_agent

WARNING = {
    "code": "disk_low", "title": "The disk is nearly full", "severity": "high", "since": 0, "text": "5 MiB",
    "remedy": "Make room.",
}  # fmt: skip


def test_it_says_what_is_wrong_and_what_to_do(drawbridge: Drawbridge, tmp_path: Path) -> None:
    paths = StatePaths.under(tmp_path / "state")
    told = {"state": "degraded", "health": [WARNING], "pause": None}
    with answering_agent(paths, {"health": lambda _: told}):
        result = drawbridge("health")
    assert result.exit_code == 1
    assert "The disk is nearly full: 5 MiB" in result.stdout
    assert "Make room." in result.stdout


def test_a_sound_agent_is_ok(drawbridge: Drawbridge, tmp_path: Path) -> None:
    paths = StatePaths.under(tmp_path / "state")
    with answering_agent(paths, {"health": lambda _: {"state": "guarding", "health": [], "pause": None}}):
        result = drawbridge("health")
    assert (result.exit_code, "nothing is wrong" in result.stdout) == (0, True)
