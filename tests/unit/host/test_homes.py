"""Which residents a platform has."""

from __future__ import annotations

from agent.host.homes import residents
from agent.host.homes_posix import PosixResidents
from agent.host.homes_windows import WindowsResidents


def test_every_platform_has_its_own() -> None:
    assert isinstance(residents("linux", privileged=False), PosixResidents)
    assert isinstance(residents("darwin", privileged=True), PosixResidents)
    assert isinstance(residents("win32", privileged=False), WindowsResidents)
