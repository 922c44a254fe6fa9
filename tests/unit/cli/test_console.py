"""Errors are shown as what, where and how to mend it; answers fit where they go."""

from __future__ import annotations

import json

import pytest
import typer

from agent.cli.console import explains_errors, out, say_json, state_paths
from agent.errors import ConfigError, HostError


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
