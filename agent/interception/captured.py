"""The door of captured connections: clients that asked for no proxy, led here by the system.

Such a connection is treated like CONNECT to the address that it was meant for; the name in its TLS hello decides. What
is not catalogued, has no name, or hides it (ECH) is piped to that very address. They come to a port of ours (a table of
nftables), or are handed over one by one (`redirection.py`).
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
import struct

from agent.errors import ConfigError
from agent.host.canary import ANSWER, NAME
from agent.host.listening import BACKLOG
from agent.interception.clienthello import ClientHello
from agent.interception.frontdoor import FrontDoor, Visitor
from agent.interception.request_head import ProxyHead

_ORIGINAL = 80  # SO_ORIGINAL_DST, and the same number for IPv6 (linux/netfilter_ipv4.h, ip6_tables.h)
SILENCE = 2.0  # seconds after which a client that has said nothing is taken for one whose server speaks first


def original_destination(sock: socket.socket) -> tuple[str, int] | None:
    """Where the client wanted to go before it was led here; None where it was not led, but came by itself."""
    six = sock.family == socket.AF_INET6
    try:
        data = sock.getsockopt(
            socket.IPPROTO_IPV6 if six else socket.IPPROTO_IP, _ORIGINAL, 28 if six else 16
        )
    except OSError:  # the kernel knows of no translation
        return None
    (port,) = struct.unpack_from("!H", data, 2)
    packed = data[8:24] if six else data[4:8]
    found = str(ipaddress.ip_address(packed)), int(port)
    return None if found == sock.getsockname()[:2] else found


class CapturedDoor:
    """Listens on both loopback addresses, and gives what comes to the front door."""

    def __init__(self, front: FrontDoor) -> None:
        self._front = front
        self._servers: list[asyncio.Server] = []
        self.port = 0

    async def listen(self, port: int) -> int:
        """Bind; returns the port. Raises ConfigError where it is taken."""
        loop = asyncio.get_running_loop()
        for address in ("127.0.0.1", "::1"):
            try:
                server = await loop.create_server(
                    lambda: Captured(self._front), address, self.port or port, backlog=BACKLOG
                )
            except OSError as error:
                if address == "::1" and not socket.has_dualstack_ipv6():
                    continue  # nothing leaves over IPv6 here either
                self.close()
                raise ConfigError(
                    f"cannot listen on {address}:{port}: {os.strerror(error.errno or 0)}",
                    hint="choose another capture_port",
                ) from error
            self._servers.append(server)
            self.port = int(server.sockets[0].getsockname()[1])
        return self.port

    def close(self) -> None:
        """Accept no more."""
        for server in self._servers:
            server.close()


class Captured(Visitor):
    """A client that was led here. It is told nothing: for it, this is the server it wanted."""

    greeting = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Learn where it wanted to go."""
        super().connection_made(transport)
        found = self._wanted(transport)
        self._led = found is not None
        host, port = found or transport.get_extra_info("sockname")[:2]
        head = ProxyHead(method="CONNECT", target=f"{host}:{port}", host=host, port=port, captured=True)
        self._begin(head)
        if self._led:
            self._silence = asyncio.get_running_loop().call_later(SILENCE, self._unspoken)

    def _wanted(self, transport: asyncio.Transport) -> tuple[str, int] | None:
        """Where it wanted to go; None for one that was not led here."""
        return original_destination(transport.get_extra_info("socket"))

    def _accepts(self, hello: ClientHello | None) -> bool:
        """The canary is answered at once; who was not led here has no business here."""
        if hello is not None and hello.sni == NAME and self._transport is not None:
            self._transport.write(ANSWER)
            self.leave()
            return False
        if not self._led:
            self.leave()
        return self._led

    def _unspoken(self) -> None:
        if not self._buffer and not self._judging and self._transport is not None:
            self._judging = True
            self._door.tasks.spawn(self._late_tunnel(paused=False), name="dial")


class Redirected(Captured):
    """One that the redirector of the system hands over: it has its own ends, not ours."""

    def _wanted(self, transport: asyncio.Transport) -> tuple[str, int] | None:
        host, port = transport.get_extra_info("sockname")[:2]
        return str(host), int(port)
