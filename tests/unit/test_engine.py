"""The engine as a supervisor starts it: what it says where it cannot start."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent import engine
from agent.host.runfile import RunFile


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))


def test_sockets_that_are_none_are_said_with_what_and_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--state-dir", str(tmp_path / "state"), "--lent=987654,987655"]
    assert engine.main(arguments) == engine.EXIT_FAILED
    assert "error: the sockets that the supervisor lends cannot be used" in capsys.readouterr().err


def test_a_ready_file_of_another_is_left_where_it_is(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    ready.write_text('{"pid": 1}')
    arguments = ["--state-dir", str(tmp_path / "state"), "--lent=987654,987655", "--ready-file", str(ready)]
    assert engine.main(arguments) == engine.EXIT_FAILED
    assert ready.exists()


def test_a_ready_file_says_where_the_engine_is() -> None:
    runfile = RunFile(
        pid=7, proxy_port=1, gateway_port=2, started_at=3.0, state_dir="s", ca_path="c", version="v"
    )
    assert engine.facts_of(runfile)["proxy_port"] == 1
