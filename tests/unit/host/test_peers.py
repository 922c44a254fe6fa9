"""Who connected, as the kernels say it, and who may change things."""

from __future__ import annotations

import os
import socket
import struct
import sys
from typing import cast

import pytest

from agent.host.peers import Account, Operators, Peer, account_of, peer_of


class Kernel:
    """A socket that answers as macOS does."""

    def __init__(self, *, version: int = 0) -> None:
        self._version = version

    def getsockopt(self, level: int, option: int, length: int) -> bytes:
        assert level == 0
        if option == 2:
            return struct.pack("=i", 4711)
        assert (option, length) == (1, 76)
        return struct.pack("=IIh2x16I", self._version, 501, 1, 20, *[0] * 15)


@pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel of Linux")
def test_linux_tells_who_connected() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        assert peer_of(ours, platform="linux") == Peer(uid=os.geteuid(), pid=os.getpid())


def test_macos_tells_it_in_a_structure() -> None:
    assert peer_of(cast("socket.socket", Kernel()), platform="darwin") == Peer(uid=501, pid=4711)
    assert peer_of(cast("socket.socket", Kernel(version=9)), platform="darwin") is None


def test_what_a_system_does_not_tell_is_not_known() -> None:
    with socket.socket() as sock:
        assert peer_of(sock, platform="win32") is None
        assert peer_of(sock, platform="darwin") is None  # no such option here


def test_who_may_change_things() -> None:
    operators = Operators(["olga", "@staff"], own_uid=7, lookup=account_of, platform="linux")
    ann = Account(name="ann")
    assert operators.allow(0, ann)
    assert operators.allow(7, ann)
    assert not operators.allow(8, ann)
    assert operators.allow(8, Account(name="olga"))
    assert operators.allow(8, Account(name="x", groups=frozenset({"staff"})))
    assert operators.allow(8, Account(name="x", groups=frozenset({"wheel"})))
    assert not operators.allow(8, Account(name="staff", groups=frozenset({"olga", "admin"})))


def test_an_account_has_a_name_and_groups() -> None:
    assert account_of(2**31 - 5) == Account(name=str(2**31 - 5))
    if sys.platform == "linux":
        assert account_of(0).name == "root"
