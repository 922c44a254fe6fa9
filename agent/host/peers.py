"""Who is at the other end of a local socket: asked of the kernel, so that nobody can say it of himself.

Also says what an account may do here: the system's own groups of administrators count, and whom the settings name.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

# macOS, <sys/un.h> and <sys/ucred.h>; Python's socket module does not name them
_SOL_LOCAL, _LOCAL_PEERCRED, _LOCAL_PEERPID = 0, 0x001, 0x002
_XUCRED = struct.Struct("=IIh2x16I")  # version, user, number of groups, groups
_XUCRED_VERSION = 0

WINDOWS_ADMINISTRATORS = ("S-1-5-18", "S-1-5-32-544")
"""SYSTEM, and the administrators: of a person's token only where it is elevated."""

ADMINISTRATORS = {"linux": ("sudo", "wheel"), "darwin": ("admin",), "win32": WINDOWS_ADMINISTRATORS}
"""The groups whose members may administer a machine, by platform; on Windows, where their names are translated, their
identifiers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user of this machine."""

    name: str
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A process that connected; 0 is a pid that the system does not tell. `account` where the system told it with the
    connection: on Windows, whose accounts have no number, `uid` is the last part of their identifier."""

    uid: int
    pid: int
    account: Account | None = None


def peer_of(sock: socket.socket, *, platform: str = sys.platform) -> Peer | None:
    """Who connected to a unix socket; None where the system does not say."""
    try:
        match platform:
            case "linux":
                pid, uid, _ = struct.unpack("=iii", sock.getsockopt(socket.SOL_SOCKET, 17, 12))  # SO_PEERCRED
                return Peer(uid=uid, pid=pid)
            case "darwin":
                version, uid, *_ = _XUCRED.unpack(sock.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED.size))
                [pid] = struct.unpack("=i", sock.getsockopt(_SOL_LOCAL, _LOCAL_PEERPID, 4))
                return Peer(uid=uid, pid=pid) if version == _XUCRED_VERSION else None
            case _:
                return None
    except (OSError, struct.error):
        return None


def account_of(uid: int) -> Account:
    """The account with that number; one without a name is called by its number. Blocks: a directory may be asked."""
    if sys.platform == "win32":
        return Account(name=str(uid))
    import grp
    import pwd

    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return Account(name=str(uid))
    names: set[str] = set()
    for number in os.getgrouplist(entry.pw_name, entry.pw_gid):
        try:
            names.add(grp.getgrgid(number).gr_name)
        except KeyError:
            continue
    return Account(name=entry.pw_name, groups=frozenset(names))


class Operators:
    """Who may change what the agent does: root, the account that it runs as, the system's administrators, and those
    that the setting `operators` names (`name`, or `@group`)."""

    def __init__(
        self,
        named: Iterable[str] = (),
        *,
        own_uid: int | None = None,
        own_identifier: str = "",
        lookup: Callable[[int], Account] = account_of,
        platform: str = sys.platform,
    ) -> None:
        """`own_identifier` is what Windows calls the account that we run as."""
        self._named = frozenset(named)
        self._numbers: frozenset[int] = frozenset()
        if platform != "win32":
            self._numbers = frozenset({0, os.geteuid() if own_uid is None else own_uid})
        self._lookup = lookup
        own = (own_identifier,) if own_identifier else ()
        self._administrators = frozenset((*ADMINISTRATORS.get(platform, ()), *own))

    def account(self, peer: Peer) -> Account:
        """Who that is. Blocks."""
        return peer.account or self._lookup(peer.uid)

    def allow(self, uid: int, account: Account) -> bool:
        """Whether that account may change things."""
        if uid in self._numbers or account.name in self._named:
            return True
        return bool(account.groups & self._administrators) or any(
            f"@{group}" in self._named for group in account.groups
        )
