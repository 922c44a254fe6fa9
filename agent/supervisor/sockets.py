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

BACKLOG = 1024  # connections that wait to be taken
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
