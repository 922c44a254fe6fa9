"""`drawbridge exec` refuses what it cannot carry through; what it does is shown by the integration tests."""

from __future__ import annotations

from pathlib import Path

from agent.host.paths import StatePaths
from tests.fakes.command_line import Drawbridge
from tests.fakes.running_agent import running_agent


def test_a_command_is_needed(drawbridge: Drawbridge) -> None:
    result = drawbridge("exec", "--")
    assert result.exit_code == 1
    assert "no command given" in result.stderr


def test_an_agent_is_needed(drawbridge: Drawbridge) -> None:
    result = drawbridge("exec", "--", "true")
    assert result.exit_code == 1
    assert "drawbridge up" in result.stderr


def test_the_options_of_the_program_are_not_ours(drawbridge: Drawbridge) -> None:
    result = drawbridge("exec", "program", "--state-dir", "x", "--help")
    assert "no agent is running" in result.stderr


def test_a_certificate_that_is_gone_is_explained(drawbridge: Drawbridge, tmp_path: Path) -> None:
    with running_agent(StatePaths.under(tmp_path / "state")):
        result = drawbridge("exec", "true")
    assert result.exit_code == 1
    assert "roots.pem is gone" in result.stderr
