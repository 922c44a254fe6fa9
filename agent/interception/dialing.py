"""Reaches the origins of blind tunnels: directly, or through the company's own proxy."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable, Mapping

from aiohappyeyeballs import start_connection

from agent.gateway.transport.proxy import Proxy, parse_proxy
from agent.host.proxy_exceptions import ProxyExceptions

MAX_ANSWER = 16 * 1024  # bytes of a proxy's answer to CONNECT
_ADDRESS_DELAY = 0.25  # seconds until the next address is tried beside the first (RFC 8305 section 5)


class Dialler:
    """Connects a protocol to a host and port."""

    def __init__(
        self,
        resolve: Mapping[tuple[str, int], tuple[str, int]],
        proxy_url: str | None,
        direct: Iterable[str] = (),
    ) -> None:
        """`resolve` sends named origins elsewhere, as curl's --resolve does. `proxy_url` is
        `http://[user:password@]host:port`, `direct` the hosts that it is not for. Raises ConfigError where it is
        malformed."""
        self._excepted = ProxyExceptions.parse(direct)
        self._resolve = resolve
        self._proxy = parse_proxy(proxy_url) if proxy_url else None

    async def dial(self, factory: Callable[[], asyncio.Protocol], host: str, port: int) -> None:
        """Raises OSError where there is no connection."""
        loop = asyncio.get_running_loop()
        elsewhere = self._resolve.get((host, port))
        if elsewhere is None and self._proxy is not None and not self._excepted.cover(host):
            await self._through(self._proxy, factory, host, port)
            return
        address, at_port = elsewhere or (host, port)
        infos = await loop.getaddrinfo(address, at_port, type=socket.SOCK_STREAM)
        # not the loop's own race: uvloop has none
        sock = await start_connection(infos, happy_eyeballs_delay=_ADDRESS_DELAY, interleave=1)
        await loop.create_connection(factory, sock=sock)

    async def _through(
        self, proxy: Proxy, factory: Callable[[], asyncio.Protocol], host: str, port: int
    ) -> None:
        loop = asyncio.get_running_loop()
        connected: asyncio.Future[None] = loop.create_future()
        request = _connect_request(proxy, host, port)
        transport, _ = await loop.create_connection(
            lambda: _Connect(factory, request, connected), proxy.host, proxy.port
        )
        try:
            await connected
        except BaseException:  # given up: a tunnel that opens later must not stay behind
            transport.abort()
            raise


def _connect_request(proxy: Proxy, host: str, port: int) -> bytes:
    name = f"[{host}]" if ":" in host else host
    lines = [f"CONNECT {name}:{port} HTTP/1.1", f"host: {name}:{port}"]
    if proxy.authorization:
        lines.append(f"proxy-authorization: {proxy.authorization}")
    return "\r\n".join([*lines, "", ""]).encode()


class _Connect(asyncio.Protocol):
    """Asks the company's proxy for a tunnel, then gives the connection to its protocol (RFC 9110 section 9.3.6)."""

    def __init__(
        self, factory: Callable[[], asyncio.Protocol], request: bytes, connected: asyncio.Future[None]
    ) -> None:
        self._request = request
        self._factory = factory
        self._connected = connected
        self._answer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Ask."""
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Read the answer; hand over on 2xx."""
        self._answer += data
        head, end, rest = self._answer.partition(b"\r\n\r\n")
        if not end:
            if len(self._answer) > MAX_ANSWER:
                self._fail("the company proxy's answer is too large")
            return
        status = b"".join(head.split(b" ", 2)[1:2]).decode("latin-1")[:3]
        if not status.startswith("2"):
            self._fail(f"the company proxy refused ({status})")
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
