"""Errors are shown as what, where and how to mend it; answers fit where they go."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

import pytest
import typer

from agent.audit.ocsf import OcsfMapper
from agent.audit.retention import Limits
from agent.audit.store import open_for_writing
from agent.audit.writer import Writer
from agent.cli.console import explains_errors, out, say_json, state_paths
from agent.errors import ConfigError, HostError
from agent.host.paths import StatePaths
from tests.fakes.audit import DEVICE, NOW, make_exchange
from tests.fakes.command_line import Drawbridge


def failing(error: Exception) -> object:
    @explains_errors
    def command() -> None:
        raise error

    return command


def test_an_error_of_ours_is_explained_and_ends_with_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        failing(ConfigError("a[b] is wrong", hint="write [c]"))()  # type: ignore[operator]
    assert ended.value.exit_code == 1
    captured = capsys.readouterr()
    assert captured.err == "error: a[b] is wrong\nhint:  write [c]\n"
    assert captured.out == ""


def test_an_error_that_is_not_ours_is_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError):
        failing(ZeroDivisionError())()  # type: ignore[operator]


def test_json_is_one_document_in_utf_8(capsys: pytest.CaptureFixture[str]) -> None:
    say_json({"name": "Zoë"})
    printed = capsys.readouterr().out
    assert "Zoë" in printed
    assert json.loads(printed) == {"name": "Zoë"}


def test_a_pipe_is_wide_unless_columns_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert out().width == 80
    monkeypatch.delenv("COLUMNS")
    assert out().width > 150


def test_a_relative_state_directory_means_the_working_directory(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(str(tmp_path))
    assert str(state_paths({"state_dir": "here"}).root) == f"{tmp_path}/here"


def test_unknown_variables_of_ours_are_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAWBRIDGE_PROXYPORT", "1")
    with pytest.raises(ConfigError, match="DRAWBRIDGE_PROXYPORT"):
        state_paths()


def test_host_errors_are_explained_too(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        failing(HostError("the disk is full"))()  # type: ignore[operator]
    assert capsys.readouterr().err == "error: the disk is full\n"


def test_a_fingerprint_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    out().print("36:CD:46")
    assert capsys.readouterr().out == "36:CD:46\n"


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can become somebody else")
def test_root_reads_an_agents_files_as_their_owner_and_is_root_again_afterwards(
    drawbridge: Drawbridge,
) -> None:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own is closed to all others
        root = Path(folder) / "state"
        paths = StatePaths.under(root)
        paths.prepare()
        with open_for_writing(paths, device_id=DEVICE.id) as store:
            writer = Writer(store, OcsfMapper(DEVICE, {}), paths, Limits(), lambda: NOW)
            writer.write((make_exchange(),))
            writer.sync_head()
        Path(folder).chmod(0o755)
        for each in (root, *root.rglob("*")):
            os.chown(each, 12345, 12345)
        result = drawbridge("audit", "verify", "--state-dir", str(root))
        assert result.exit_code == 0, result.output
        assert {each.stat().st_uid for each in root.rglob("*")} == {12345}
        assert os.geteuid() == 0
