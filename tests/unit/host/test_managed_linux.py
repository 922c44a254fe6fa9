"""Managed settings of Linux: a JSON file of root's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.errors import ConfigError
from agent.host.managed_linux import JsonFile


def managed(path: Path, content: str, mode: int = 0o644) -> JsonFile:
    path.write_text(content)
    path.chmod(mode)
    return JsonFile(path, owner=os.geteuid())


def test_the_object_in_the_file_is_read(tmp_path: Path) -> None:
    assert managed(tmp_path / "m.json", '{"proxy_port": 1}').read() == {"proxy_port": 1}


def test_no_file_means_no_managed_settings(tmp_path: Path) -> None:
    assert JsonFile(tmp_path / "none").read() == {}


def test_a_file_that_a_user_may_change_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="changed by others"):
        managed(tmp_path / "m.json", "{}", 0o666).read()
    with pytest.raises(ConfigError, match="changed by others"):
        JsonFile(tmp_path / "m.json", owner=os.geteuid() + 1).read()


@pytest.mark.parametrize("content", ["[]", "{", '"x"'])
def test_what_is_no_json_object_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(ConfigError):
        managed(tmp_path / "m.json", content).read()
