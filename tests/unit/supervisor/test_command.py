"""`drawbridge supervise`: its options, and what keeps it from starting."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from agent.host.lock import ProcessLock
from agent.host.paths import StatePaths
from agent.supervisor import command
from agent.supervisor.sockets import listen


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(command, "listen", lambda proxy, gateway: listen(proxy, gateway, patience=0.0))
    monkeypatch.setenv("HOME", str(tmp_path))


def test_a_taken_port_is_an_error_that_says_which(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code = command.main(["--state-dir", str(tmp_path / "state"), "--proxy-port", str(port)])
    assert code == 1
    said = capsys.readouterr().err
    assert f"127.0.0.1:{port}" in said
    assert "hint:" in said


def test_one_supervisor_has_a_state_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = StatePaths.under(tmp_path / "state")
    paths.prepare()
    with ProcessLock(paths.supervisor_lock, "supervisor"):
        assert command.main(["--state-dir", str(tmp_path / "state"), "--proxy-port", "0"]) == 1
    assert "another supervisor" in capsys.readouterr().err


def test_an_unknown_option_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["--no-such-thing"])
    assert "--no-such-thing" in capsys.readouterr().err
