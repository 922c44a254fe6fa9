"""Reaches the origins of blind tunnels: directly, or through the company's own proxy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

MAX_ANSWER = 16 * 1024  # bytes of a proxy's answer to CONNECT


class Dialler:
    """Connects a protocol to a host and port."""

    def __init__(self, resolve: Mapping[tuple[str, int], tuple[str, int]], proxy_url: str | None) -> None:
        """`resolve` sends named origins elsewhere, as curl's --resolve does. `proxy_url` is `http://host:port`."""
        self._resolve = resolve
        parts = urlsplit(proxy_url) if proxy_url else None
        self._proxy = (parts.hostname or "", parts.port or 8080) if parts else None

    async def dial(self, factory: Callable[[], asyncio.Protocol], host: str, port: int) -> None:
        """Raises OSError where there is no connection."""
        loop = asyncio.get_running_loop()
        elsewhere = self._resolve.get((host, port))
        if elsewhere is None and self._proxy is not None:
            connected: asyncio.Future[None] = loop.create_future()
            await loop.create_connection(lambda: _Connect(factory, host, port, connected), *self._proxy)
            await connected
            return
        address = elsewhere or (host, port)
        await loop.create_connection(factory, *address, happy_eyeballs_delay=0.25)


class _Connect(asyncio.Protocol):
    """Asks the company's proxy for a tunnel, then gives the connection to its protocol (RFC 9110 section 9.3.6)."""

    def __init__(
        self, factory: Callable[[], asyncio.Protocol], host: str, port: int, connected: asyncio.Future[None]
    ) -> None:
        name = f"[{host}]" if ":" in host else host
        self._request = f"CONNECT {name}:{port} HTTP/1.1\r\nhost: {name}:{port}\r\n\r\n".encode()
        self._factory = factory
        self._connected = connected
        self._answer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Read the answer; hand over on 200."""
        self._answer += data
        head, end, rest = self._answer.partition(b"\r\n\r\n")
        if not end:
            if len(self._answer) > MAX_ANSWER:
                self._fail("the company proxy's answer is too large")
            return
        status = head.split(b" ", 2)[1:2]
        if status != [b"200"]:
            self._fail(f"the company proxy refused ({b''.join(status).decode('latin-1')[:3]})")
            return
        assert self._transport is not None
        protocol = self._factory()
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        if rest:
            protocol.data_received(rest)
        if not self._connected.done():
            self._connected.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """The proxy closed before it answered."""
        self._fail("the company proxy closed the connection")

    def _fail(self, reason: str) -> None:
        if not self._connected.done():
            self._connected.set_exception(ConnectionError(reason))
        if self._transport is not None:
            self._transport.close()
