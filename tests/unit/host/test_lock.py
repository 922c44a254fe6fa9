"""The lock: one holder, whose pid is told, and none once it is gone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.errors import HostError
from agent.host.lock import ProcessLock, is_locked


def test_the_second_is_told_who_the_first_is(tmp_path: Path) -> None:
    file = tmp_path / "a.lock"
    with ProcessLock(file, "supervisor"):
        assert is_locked(file)
        with (
            pytest.raises(HostError, match=f"another supervisor \\(pid {os.getpid()}\\)"),
            ProcessLock(file, "supervisor"),
        ):
            pass
    assert not is_locked(file)
    with ProcessLock(file, "supervisor"):
        pass


def test_a_file_that_is_not_there_is_not_locked(tmp_path: Path) -> None:
    assert not is_locked(tmp_path / "none.lock")
    with pytest.raises(HostError), ProcessLock(tmp_path / "no" / "a.lock", "supervisor"):
        pass
