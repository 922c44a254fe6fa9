"""DPAPI, asked for as its documentation says, through a stand-in for crypt32."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import HostError
from agent.host.key_seal import KeyFiles, key_seal
from agent.host.key_seal_windows import DataProtection


class Crypt32:
    """Turns bytes around, and notes the flags."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self.broken = False

    def __call__(self, function: str, data: bytes, flags: int) -> bytes:
        if self.broken:
            raise OSError("Key not valid for use in specified state.")
        self.asked.append((function, flags))
        return data[::-1]


def test_a_machines_seal_asks_nobody_and_opens_for_every_account() -> None:
    crypt32 = Crypt32()
    seal = DataProtection(machine=True, call=crypt32)
    assert seal.open(seal.close(b"key")) == b"key"
    assert crypt32.asked == [("CryptProtectData", 0x5), ("CryptUnprotectData", 0x1)]


def test_a_users_seal_is_that_users_alone() -> None:
    crypt32 = Crypt32()
    DataProtection(machine=False, call=crypt32).close(b"key")
    assert crypt32.asked == [("CryptProtectData", 0x1)]


def test_a_users_key_opens_for_that_user_as_an_administrator(tmp_path: Path) -> None:
    crypt32 = Crypt32()
    KeyFiles(DataProtection(machine=False, call=crypt32)).write(tmp_path / "root.key", b"key")
    assert KeyFiles(DataProtection(machine=True, call=crypt32)).read(tmp_path / "root.key") == b"key"


def test_what_windows_says_is_told() -> None:
    crypt32 = Crypt32()
    crypt32.broken = True
    with pytest.raises(HostError, match="could not open a sealed key: Key not valid"):
        DataProtection(machine=True, call=crypt32).open(b"x")
    with pytest.raises(HostError, match="could not seal"):
        DataProtection(machine=True, call=crypt32).close(b"x")


def test_windows_always_seals() -> None:
    names = [
        getattr(key_seal(platform="win32", environ={}, machine=each), "name", "") for each in (True, False)
    ]
    assert names == ["dpapi-machine", "dpapi-user"]
