"""Names of pipes, who may open them, and which of them a command believes."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import HostError
from agent.host.paths import StatePaths
from agent.host.pipes import CLIENT_ACCESS, MACHINE_PIPE, PipeSocket, control_pipe, descriptor, system_pipes
from tests.fakes.pipes import FakePipes


def test_each_state_directory_has_a_pipe_of_its_own() -> None:
    one, other = (StatePaths.under(Path("/state", each)) for each in ("a", "b"))
    names = {control_pipe(one), control_pipe(other), control_pipe(one, machine=True)}
    assert len(names) == 3
    assert MACHINE_PIPE in names
    assert all(name.startswith("\\\\.\\pipe\\drawbridge-") for name in names)


def test_only_the_machines_agent_is_open_to_others_and_to_nobody_over_the_network() -> None:
    own = "S-1-5-21-1-1001"
    assert descriptor(own, everybody=False) == f"D:P(D;;GA;;;NU)(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;{own})"
    assert descriptor("S-1-5-18", everybody=True).endswith("(A;;0x12019b;;;AU)")


def test_others_cannot_put_up_an_end_of_it() -> None:
    create_instance = 0x4
    assert not CLIENT_ACCESS & create_instance


def test_there_are_pipes_on_windows_only() -> None:
    assert system_pipes(platform="linux") is None


def test_a_strangers_pipe_is_closed_unread() -> None:
    pipes = FakePipes(maker="S-1-5-21-1-1002")
    listening = pipes.create("x", "", first=True)
    with pytest.raises(HostError, match="S-1-5-21-1-1002 has made it"):
        PipeSocket(pipes, "x", 1)
    assert pipes.closed == 1
    assert pipes.accept(listening)
    assert pipes.read(listening, 1, 1) == b""
    pipes.close(listening)
    with pytest.raises(FileNotFoundError):
        PipeSocket(pipes, "y", 1)
