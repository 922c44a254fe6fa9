"""What root is asked: a known word, taken once, and nothing by way of a trap."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.errors import HostError
from agent.host.settings_request import Request, ask, take


def test_the_last_word_counts_and_is_taken_once(tmp_path: Path) -> None:
    file = tmp_path / "settings.request"
    assert take(file) is None
    ask(file, Request.SETUP)
    ask(file, Request.RESTORE)
    assert take(file) is Request.RESTORE
    assert take(file) is None


def test_anything_else_is_refused_and_gone(tmp_path: Path) -> None:
    file = tmp_path / "settings.request"
    file.write_bytes(b"rm -rf /\xff")
    with pytest.raises(HostError, match="no request that is known"):
        take(file)
    assert not file.exists()


def test_no_link_is_followed_and_no_pipe_waited_for(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("setup")
    link = tmp_path / "link"
    link.symlink_to(secret)
    with pytest.raises(HostError, match="cannot read"):
        take(link)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(HostError, match="no request"):
        take(pipe)
