"""Where a session's bus is, and what is said where there is none."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from agent.errors import HostError
from agent.tray.session_bus import SessionBus, address, listening

pytestmark = pytest.mark.skipif("sys.platform != 'linux'", reason="D-Bus is Linux's")


def test_the_session_says_where_its_bus_is_or_it_is_at_its_usual_place(tmp_path: Path) -> None:
    assert address({}) == ""
    assert address({"XDG_RUNTIME_DIR": str(tmp_path)}) == ""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "bus"))
        assert address({"XDG_RUNTIME_DIR": str(tmp_path)}) == f"unix:path={tmp_path}/bus"
    told = {"DBUS_SESSION_BUS_ADDRESS": "unix:abstract=x", "XDG_RUNTIME_DIR": str(tmp_path)}
    assert address(told) == "unix:abstract=x"


@pytest.mark.parametrize(
    "place", ["", "unix:path=/nowhere/bus", "autolaunch:scope=user", "tcp:host=localhost,port=1", "rubbish"]
)
def test_a_bus_that_cannot_be_reached_is_told(place: str) -> None:
    environ = {"DBUS_SESSION_BUS_ADDRESS": place}
    with pytest.raises(HostError, match="D-Bus"):
        SessionBus(environ).has("org.example.Name")
    with pytest.raises(HostError, match="D-Bus"):
        listening(environ)
