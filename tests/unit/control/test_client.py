"""The agent as commands ask it."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.control.client import Control, NotRunningError
from agent.control.verbs import PauseOrder
from agent.errors import ConfigError
from agent.host import control_place
from agent.host.paths import StatePaths
from agent.host.settings import Origin, Settings, Source
from tests.fakes.running_agent import FACTS, answering_agent, control_of


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    return StatePaths.under(tmp_path / "state")


def test_a_verb_is_asked_with_its_arguments(paths: StatePaths) -> None:
    asked: list[PauseOrder] = []

    def pause(order: PauseOrder) -> object:
        asked.append(order)
        return {"done": True}

    with answering_agent(paths, {"pause": pause}):
        control = control_of(paths)
        assert control.ask("status") == FACTS
        assert control.ask("pause", {"minutes": 5, "reason": "x"}) == {"done": True}
    assert asked == [PauseOrder(minutes=5, reason="x")]


def test_a_refusal_is_an_error_with_its_hint(paths: StatePaths) -> None:
    def refuse(order: PauseOrder) -> object:
        raise ConfigError("the policy allows no pause", hint="ask")

    with answering_agent(paths, {"pause": refuse}), pytest.raises(ConfigError, match="no pause") as caught:
        control_of(paths).ask("pause", {"minutes": 5})
    assert caught.value.hint() == "ask"


def test_where_none_runs_it_says_so(paths: StatePaths) -> None:
    with pytest.raises(NotRunningError, match="not running"):
        control_of(paths).ask("status")
    paths.prepare()
    control_place.listen_unix(paths.run / "control.sock", everybody=False).close()
    with pytest.raises(NotRunningError, match="not running"):  # one that died
        control_of(paths).ask("status")


def test_a_path_that_is_too_long_for_a_socket_is_no_hindrance(tmp_path: Path) -> None:
    paths = StatePaths.under(tmp_path / ("long" * 25) / "state")
    with answering_agent(paths):
        assert control_of(paths).ask("status") == FACTS


def test_the_machines_agent_is_asked_only_where_nobody_named_another(
    paths: StatePaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = StatePaths.under(tmp_path / "machine")
    monkeypatch.setitem(control_place.MACHINE_SOCKETS, "linux", machine.run / "control.sock")
    by_default = {"state_dir": Origin(source=Source.DEFAULT)}
    by_hand = {"state_dir": Origin(source=Source.COMMAND_LINE)}
    with answering_agent(machine):
        assert Control(Settings(state_dir=paths.root, origins=by_default)).ask("status") == FACTS
        with pytest.raises(NotRunningError):
            Control(Settings(state_dir=paths.root, origins=by_hand)).ask("status")
