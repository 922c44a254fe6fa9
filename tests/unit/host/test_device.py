"""A machine keeps its id."""

from __future__ import annotations

import socket
import stat
import uuid
from pathlib import Path

import pytest

from agent.host.device import read_device
from agent.host.paths import StatePaths


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    paths = StatePaths.under(tmp_path / "state")
    paths.prepare()
    return paths


def test_a_device_is_the_same_each_time(paths: StatePaths) -> None:
    first = read_device(paths)
    assert read_device(paths) == first
    assert uuid.UUID(first.id).version == 4
    assert first.hostname == socket.gethostname()
    assert first.os_name in ("Linux", "macOS", "Windows")
    assert first.os_version
    assert stat.S_IMODE(paths.device.stat().st_mode) == 0o600


def test_two_devices_differ(paths: StatePaths, tmp_path: Path) -> None:
    other = StatePaths.under(tmp_path / "other")
    other.prepare()
    assert read_device(paths).id != read_device(other).id


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"{}", b'{"id": 3}', b'{"id": "x"}', b"\xff"])
def test_a_damaged_file_gives_a_new_id_that_stays(
    paths: StatePaths, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    old = read_device(paths)
    paths.device.write_bytes(damage)
    new = read_device(paths)
    assert new.id != old.id
    assert read_device(paths) == new
    assert "damaged" in caplog.text
