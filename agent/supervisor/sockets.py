"""The listening sockets: bound once, held for as long as we live, lent to every engine.

A client that comes while no engine runs waits in the kernel's queue; it is never refused.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from agent.errors import HostError
from agent.host.listening import BACKLOG

_PATIENCE = 15.0  # seconds; the engine of a supervisor that was killed holds the ports until it has ended
_PAUSE = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Listeners:
    """The proxy's and the gateway's."""

    proxy: socket.socket
    gateway: socket.socket

    @property
    def ports(self) -> tuple[int, int]:
        """Their ports."""
        return int(self.proxy.getsockname()[1]), int(self.gateway.getsockname()[1])

    def close(self) -> None:
        """Take no more clients."""
        self.proxy.close()
        self.gateway.close()


def listen(
    proxy_port: int,
    gateway_port: int,
    *,
    patience: float = _PATIENCE,
    sleep: Callable[[float], None] = time.sleep,
) -> Listeners:
    """Bind both on 127.0.0.1; 0 takes a free port. Blocks for up to `patience` seconds while one is taken.

    Raises HostError naming the port.
    """
    proxy = _bound(proxy_port, "proxy_port", patience, sleep)
    try:
        return Listeners(proxy=proxy, gateway=_bound(gateway_port, "gateway_port", patience, sleep))
    except HostError:
        proxy.close()
        raise


def borrowed(lent: str, ports: tuple[int, int]) -> Listeners | None:
    """The sockets `lent` as two numbers by the program that this process was before; None where they are no such, or
    listen at other ports than `ports` now tell: they are let go then."""
    found: list[socket.socket] = []
    try:
        found += [socket.socket(fileno=int(number)) for number in lent.split(",")]
        proxy, gateway = found
        held = Listeners(proxy=proxy, gateway=gateway)
        fits = all(wanted in (0, has) for wanted, has in zip(ports, held.ports, strict=True))
    except (OSError, ValueError):
        fits = False
    if not fits:
        for each in found:
            each.close()
        return None
    for each in found:
        each.set_inheritable(False)
        each.setblocking(False)  # noqa: FBT003
    return held


def _bound(port: int, setting: str, patience: float, sleep: Callable[[float], None]) -> socket.socket:
    deadline = time.monotonic() + patience
    while True:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            if sys.platform == "win32":  # there SO_REUSEADDR would let others take the port from us
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
            else:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("127.0.0.1", port))
            sock.listen(BACKLOG)
        except OSError as error:
            sock.close()
            if time.monotonic() < deadline:
                sleep(_PAUSE)
                continue
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise HostError(
                f"cannot listen on 127.0.0.1:{port}: {reason}",
                hint=f"Another program has the port, or another Drawbridge runs; or choose another {setting}.",
            ) from error
        sock.setblocking(False)  # noqa: FBT003  the socket module's own signature
        return sock
