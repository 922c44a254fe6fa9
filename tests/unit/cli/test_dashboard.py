"""The dashboard's address."""

from __future__ import annotations

from pathlib import Path

from agent.host.paths import StatePaths
from tests.fakes.command_line import Drawbridge
from tests.fakes.running_agent import answering_agent

URL = "http://127.0.0.1:7719/enter?ticket=abc"


def test_it_is_printed(drawbridge: Drawbridge, tmp_path: Path) -> None:
    with answering_agent(StatePaths.under(tmp_path / "state"), {"dashboard": lambda _: {"url": URL}}):
        result = drawbridge("dashboard", "--print")
    assert result.stdout.strip() == URL
