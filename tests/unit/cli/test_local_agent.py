"""The local pages as commands ask for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.cli.local_agent import ask_agent
from agent.errors import HostError
from agent.gateway.local import STATUS_PATH
from agent.host.paths import StatePaths
from tests.fakes.running_agent import FACTS, running_agent, status_page


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    return StatePaths.under(tmp_path / "state")


def test_a_page_is_asked_with_the_token(paths: StatePaths) -> None:
    with status_page(paths) as port, running_agent(paths, gateway_port=port) as running:
        assert ask_agent(paths, running, STATUS_PATH) == FACTS


def test_an_agent_that_does_not_answer_is_an_error_with_a_hint(paths: StatePaths) -> None:
    with (
        running_agent(paths, gateway_port=1) as running,
        pytest.raises(HostError, match="does not answer") as caught,
    ):
        ask_agent(paths, running, STATUS_PATH)
    assert "restart it" in caught.value.hint()


def test_a_page_that_is_not_there_is_one_too(paths: StatePaths) -> None:
    with (
        status_page(paths) as port,
        running_agent(paths, gateway_port=port) as running,
        pytest.raises(HostError, match="HTTPStatusError"),
    ):
        ask_agent(paths, running, "/-/nothing")
