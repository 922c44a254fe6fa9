"""Where the agent answers: a private socket in a user's directory, an open one for the machine."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from agent.errors import HostError
from agent.host.control_place import (
    control_socket,
    listen_unix,
    machine_socket,
    reachable,
    remove_socket,
)
from agent.host.paths import StatePaths


def test_a_users_agent_answers_in_its_own_directory(tmp_path: Path) -> None:
    paths = StatePaths.under(tmp_path)
    assert control_socket(paths, platform="linux") == tmp_path / "run" / "control.sock"
    assert control_socket(paths, platform="win32") is None


def test_the_machines_agent_answers_where_everybody_finds_it() -> None:
    paths = StatePaths.under(Path("/var/lib/drawbridge"))
    assert control_socket(paths, platform="linux") == machine_socket(platform="linux")
    assert control_socket(paths, platform="linux") == Path("/run/drawbridge/control.sock")


@pytest.mark.parametrize(("everybody", "mode"), [(False, 0o600), (True, 0o666)])
def test_a_socket_is_made_in_place_of_a_dead_one(tmp_path: Path, everybody: bool, mode: int) -> None:
    path = tmp_path / "run" / "s"
    listen_unix(path, everybody=True).close()
    with listen_unix(path, everybody=everybody), socket.socket(socket.AF_UNIX) as client:
        assert stat.S_IMODE(path.stat().st_mode) == mode
        client.connect(str(path))
    remove_socket(path)
    remove_socket(path)
    assert not path.exists()


def test_a_long_path_is_reached_by_its_directory(tmp_path: Path) -> None:
    path = tmp_path / ("long" * 30) / "s"
    path.parent.mkdir()
    with listen_unix(path, everybody=False), socket.socket(socket.AF_UNIX) as client, reachable(path) as name:
        client.connect(name)


def test_what_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text("mine")
    with pytest.raises(HostError, match="cannot listen"):
        listen_unix(path, everybody=False)
    remove_socket(path)
    assert path.read_text() == "mine"


def test_a_directory_that_others_write_to_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "open"
    place.mkdir()
    place.chmod(0o777)
    with pytest.raises(HostError, match="written by other users"):
        listen_unix(place / "s", everybody=True)
