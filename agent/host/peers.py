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

ADMINISTRATORS = {"linux": ("sudo", "wheel"), "darwin": ("admin",)}
"""The groups whose members may administer a machine, by platform."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A process that connected; 0 is a pid that the system does not tell."""

    uid: int
    pid: int


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user of this machine."""

    name: str
    groups: frozenset[str] = frozenset()


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
        lookup: Callable[[int], Account] = account_of,
        platform: str = sys.platform,
    ) -> None:
        self._named = frozenset(named)
        self._own = own_uid if own_uid is not None else (os.geteuid() if platform != "win32" else -1)
        self._lookup = lookup
        self._administrators = frozenset(ADMINISTRATORS.get(platform, ()))

    def account(self, uid: int) -> Account:
        """Who that is. Blocks."""
        return self._lookup(uid)

    def allow(self, uid: int, account: Account) -> bool:
        """Whether that account may change things."""
        if uid in (0, self._own) or account.name in self._named:
            return True
        return bool(account.groups & self._administrators) or any(
            f"@{group}" in self._named for group in account.groups
        )
