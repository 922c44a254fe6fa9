"""A pause from the command line."""

from __future__ import annotations

import time
from pathlib import Path

from agent.control.verbs import PauseOrder
from agent.errors import ConfigError
from agent.host.paths import StatePaths
from tests.fakes.command_line import Drawbridge
from tests.fakes.running_agent import answering_agent


def test_it_says_until_when(drawbridge: Drawbridge, tmp_path: Path) -> None:
    orders: list[PauseOrder] = []

    def pause(order: PauseOrder) -> object:
        orders.append(order)
        return {"pause": {"ends_at": time.time() + 300}}

    answers = {"pause": pause, "resume": lambda _: {"ended": True, "state": "guarding"}}
    with answering_agent(StatePaths.under(tmp_path / "state"), answers):
        paused = drawbridge("pause", "5", "--reason", "the hotel")
        resumed = drawbridge("resume")
    assert (paused.exit_code, "paused until" in paused.stdout) == (0, True)
    assert orders == [PauseOrder(minutes=5, reason="the hotel")]
    assert "guarding again" in resumed.stdout


def test_a_refusal_says_how_to_mend_it(drawbridge: Drawbridge, tmp_path: Path) -> None:
    def refuse(_: PauseOrder) -> object:
        raise ConfigError("the policy allows a pause only with a reason", hint="Say why: --reason TEXT.")

    with answering_agent(StatePaths.under(tmp_path / "state"), {"pause": refuse}):
        result = drawbridge("pause", "5")
    assert (result.exit_code, "--reason" in result.stderr) == (1, True)
