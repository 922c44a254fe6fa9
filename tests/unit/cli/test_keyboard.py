"""Single keys from a terminal, and none from a pipe."""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Iterator

import pytest

from agent.cli.keyboard import Keyboard


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The other side of the terminal that is standard input."""
    if sys.platform == "win32":
        pytest.skip("Windows has no pseudo-terminals of this kind")
    ours, theirs = os.openpty()
    with open(theirs, closefd=True) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield ours
    os.close(ours)


def test_a_key_comes_without_enter(terminal: int) -> None:
    with Keyboard() as keyboard:
        os.write(terminal, b"p")
        assert keyboard.key(5) == "p"
        assert keyboard.key(0.01) == ""


def test_the_terminal_is_left_as_it_was(terminal: int) -> None:
    import termios

    before = termios.tcgetattr(sys.stdin.fileno())
    with Keyboard():
        assert termios.tcgetattr(sys.stdin.fileno()) != before
    assert termios.tcgetattr(sys.stdin.fileno()) == before


def test_a_pipe_has_no_keys_and_time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("q"))
    begun = time.monotonic()
    with Keyboard() as keyboard:
        assert keyboard.key(0.02) == ""
    assert time.monotonic() - begun >= 0.015
