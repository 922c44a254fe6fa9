"""The process behind a connection on Linux: sock_diag(7) for the socket, /proc for its owner.

One netlink question for the exact connection costs 0.01 ms and gives inode and user; finding the inode
among the open files of all processes costs about 3 ms, so processes seen lately are tried first, and of their open
files those where a connection to us was found before, then those that are new since: 0.01 to 0.03 ms instead of 0.15
for 90 open files. Sockets seen on the way are remembered with whose file they are, and looked at again before that is
believed: of a program that opens hundreds at once, each would be sought among all of them.
Thousands of calls: no Path, which doubles their cost.
Reading /proc of other users needs CAP_SYS_PTRACE; without it their processes stay unknown.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import struct
import sys
import threading
from collections import OrderedDict
from collections.abc import Container, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from agent.host.lineage import Lineage
from agent.host.lineage_linux import ProcReader
from agent.host.processes import Endpoint, plain_endpoint
from agent.model.traffic import Process

# linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h
_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST = 1
_HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
_REQUEST = struct.Struct("=BBBxI")  # inet_diag_req_v2: family, protocol, extensions, states
_PORTS = struct.Struct("!HH")
_COOKIE = struct.Struct("=III")  # interface, and INET_DIAG_NOCOOKIE
_NO_COOKIE = 0xFFFFFFFF
_INTERFACE_LIMIT = 64
_ANSWER_TAIL = struct.Struct("=II")  # uid, inode
_ANSWER_TAIL_OFFSET = _HEADER.size + 4 + 48 + 12  # after inet_diag_msg's states, socket id, timers and queues
_ANY_STATE = 0xFFFFFFFF
_TIMEOUT = 0.5  # seconds; the kernel answers at once

_PROCESS_LIMIT = 8192
_DESCRIPTOR_LIMIT = 8192
_RECENT_LIMIT = 64
_HIT_LIMIT = 16
_SIGHTED_LIMIT = 4096
_USER_LIMIT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class _Socket:
    inode: int
    uid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Habits:
    """What open files a process had when a connection of it was last found, and the numbers of those that were one."""

    known: frozenset[str] = frozenset()
    hits: tuple[str, ...] = ()  # the latest first


class LinuxProcessFinder:
    """A `ProcessFinder` for Linux. May be used from several threads."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc
        self._lineage = Lineage(ProcReader(proc))
        self._recent: OrderedDict[int, _Habits] = OrderedDict()  # by pid, latest last
        self._sighted: OrderedDict[str, tuple[int, str]] = OrderedDict()  # whose open file a socket was
        self._users: dict[int, str] = {}
        self._guard = threading.Lock()

    def find(self, client: Endpoint, server: Endpoint) -> Process | None:
        """See `ProcessFinder`."""
        try:
            found = _find_socket(plain_endpoint(client), plain_endpoint(server))
            if found is None or found.inode == 0:  # 0: closed, on its way out
                return None
            pid = self._owner(found)
            return self._lineage.process(pid, user=self._user(found.uid)) if pid is not None else None
        except (OSError, ValueError, struct.error):
            return None

    def _owner(self, wanted: _Socket) -> int | None:
        target = f"socket:[{wanted.inode}]"
        with self._guard:
            sighted = self._sighted.pop(target, None)
            recent = dict(reversed(self._recent.items()))
        if sighted is not None and self._link(f"{self._proc}/{sighted[0]}/fd/{sighted[1]}") == target:
            return sighted[0]
        for pid, habits in recent.items():
            if self._opened(pid, target, habits):
                with self._guard:
                    if pid in self._recent:  # else another thread has just forgotten it
                        self._recent.move_to_end(pid)
                return pid
        for pid in chain(recent, self._candidates(wanted.uid, recent)):
            if self._opened(pid, target):
                return pid
        return None

    def _candidates(self, uid: int, tried: Container[int]) -> Iterator[int]:
        """Processes that may own a socket of `uid`, the newest first: those open connections."""
        with suppress(OSError):
            pids = sorted(
                (int(path.name) for path in self._proc.iterdir() if path.name.isdigit()), reverse=True
            )
            for pid in pids[:_PROCESS_LIMIT]:
                if pid not in tried and self._uid_fits(pid, uid):
                    yield pid

    def _uid_fits(self, pid: int, uid: int) -> bool:
        with suppress(OSError):
            # /proc/N of a process that may not be traced belongs to root whoever runs it
            return (self._proc / str(pid)).stat().st_uid in (uid, 0)
        return False

    def _opened(self, pid: int, target: str, habits: _Habits | None = None) -> bool:
        """Whether one of its open files is `target`; by `habits` only the likely ones are looked at."""
        folder = f"{self._proc}/{pid}/fd/"
        for name in habits.hits if habits is not None else ():
            if self._link(folder + name) == target:
                return True
        try:
            names = os.listdir(folder)[:_DESCRIPTOR_LIMIT]  # noqa: PTH208
        except OSError:
            return False
        hit = ""
        sighted: dict[str, tuple[int, str]] = {}
        for name in (
            names
        ):  # to the end: a program that opens one connection opens others, which are asked about next
            if habits is None or name not in habits.known:
                link = self._link(folder + name)
                if link == target:
                    hit = name
                elif link.startswith("socket:"):
                    sighted[link] = (pid, name)
        if not hit:
            return False
        self._remember(pid, hit, names)
        with self._guard:
            self._sighted.update(sighted)
            while len(self._sighted) > _SIGHTED_LIMIT:
                self._sighted.popitem(last=False)
        return True

    def _link(self, path: str) -> str:
        try:
            return os.readlink(path)  # noqa: PTH115
        except OSError:
            return ""

    def _remember(self, pid: int, hit: str, names: Iterable[str]) -> None:
        with self._guard:
            known = self._recent.get(pid, _Habits()).hits
            hits = (hit, *(name for name in known if name != hit))[:_HIT_LIMIT]
            self._recent[pid] = _Habits(known=frozenset(names), hits=hits)
            self._recent.move_to_end(pid)
            while len(self._recent) > _RECENT_LIMIT:
                self._recent.popitem(last=False)

    def _user(self, uid: int) -> str:
        known = self._users.get(uid)
        if known is None:
            known = _user_name(uid)
            if len(self._users) < _USER_LIMIT:
                self._users[uid] = known
        return known


def _find_socket(client: Endpoint, server: Endpoint) -> _Socket | None:
    """The client's own socket: local end `client`, remote end `server`. The kernel tells of one that is bound to an
    interface (by a redirector, a VPN) only to those who name it. Raises OSError, ValueError."""
    if sys.platform != "linux":
        return None
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _NETLINK_SOCK_DIAG) as netlink:
        netlink.settimeout(_TIMEOUT)
        netlink.connect((0, 0))  # the kernel, and answers from nobody else
        if (found := _ask_kernel(netlink, client, server)) is not None:
            return found
        if ipaddress.ip_address(client[0]).is_loopback:
            return None
        for interface, _ in socket.if_nameindex()[:_INTERFACE_LIMIT]:
            if (found := _ask_kernel(netlink, client, server, interface)) is not None:
                return found
    return None


def _ask_kernel(
    netlink: socket.socket, client: Endpoint, server: Endpoint, interface: int = 0
) -> _Socket | None:
    netlink.send(_question(client, server, interface))
    answer = netlink.recv(4096)
    _, kind, _, _, _ = _HEADER.unpack_from(answer)
    if kind != _SOCK_DIAG_BY_FAMILY:  # NLMSG_ERROR: no such connection
        return None
    uid, inode = _ANSWER_TAIL.unpack_from(answer, _ANSWER_TAIL_OFFSET)
    return _Socket(inode=inode, uid=uid)


def _question(client: Endpoint, server: Endpoint, interface: int) -> bytes:
    family = socket.AF_INET6 if ":" in client[0] else socket.AF_INET
    body = b"".join(
        (
            _REQUEST.pack(family, socket.IPPROTO_TCP, 0, _ANY_STATE),
            _PORTS.pack(client[1], server[1]),
            socket.inet_pton(family, client[0]).ljust(16, b"\0"),
            socket.inet_pton(family, server[0]).ljust(16, b"\0"),
            _COOKIE.pack(interface, _NO_COOKIE, _NO_COOKIE),
        )
    )
    return _HEADER.pack(_HEADER.size + len(body), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 1, 0) + body


def _user_name(uid: int) -> str:
    if sys.platform != "win32":
        import pwd

        with suppress(KeyError):
            return pwd.getpwuid(uid).pw_name
    return str(uid)
