"""Raw connections for upgrades (WebSocket): to the origin itself, or through an HTTP proxy's CONNECT.

The bytes inside are not looked at; who opens a tunnel answers for what passes through it.
"""

from __future__ import annotations

import asyncio
import ssl

from agent.gateway.transport.base import FailureKind, TransportError
from agent.gateway.transport.dial import Dialer, Origin, peer_name
from agent.gateway.transport.proxy import Proxy, proxy_refusal

_READ_SIZE = 64 * 1024  # also the limit of a proxy's head
_CLOSE_TIMEOUT = 1.0


class StreamTunnel:
    """`base.Tunnel` over asyncio's streams."""

    def __init__(self, peer: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._peer = peer
        self._reader = reader
        self._writer = writer

    async def read(self) -> bytes:
        """The next bytes; empty at the end."""
        try:
            return await self._reader.read(_READ_SIZE)
        except OSError as error:
            raise self._lost(error) from error

    async def write(self, data: bytes) -> None:
        """Send, and wait while the other side is slow."""
        try:
            self._writer.write(memoryview(data))
            await self._writer.drain()
        except (OSError, RuntimeError) as error:  # RuntimeError: uvloop's, for a connection that is gone
            raise self._lost(error) from error

    async def aclose(self) -> None:
        """Send what is left, then end the connection; at once if the peer does not let go."""
        self._writer.close()
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT):
                await self._writer.wait_closed()
        except (TimeoutError, OSError):
            self._writer.transport.abort()
        except BaseException:
            self._writer.transport.abort()
            raise

    def _lost(self, error: Exception) -> TransportError:
        kind = FailureKind.TLS if isinstance(error, ssl.SSLError) else FailureKind.CLOSED
        return TransportError(kind, f"the connection to {self._peer} was lost", sent=True)


async def open_tunnel(dialer: Dialer, origin: Origin) -> StreamTunnel:
    """A tunnel straight to `origin`. Raises TransportError."""
    reader, writer = await _open_streams(dialer, origin)
    return StreamTunnel(peer_name(origin[0], origin[1]), reader, writer)


async def open_proxied_tunnel(dialer: Dialer, proxy: Proxy, origin: Origin, *, within: float) -> StreamTunnel:
    """A tunnel to `origin` through `proxy`, which may take `within` seconds to open it. Raises TransportError."""
    host, port, tls = origin
    reader, writer = await _open_streams(dialer, (proxy.host, proxy.port, False))
    try:
        await _ask_proxy(reader, writer, proxy, peer_name(host, port), within)
        if tls:
            await dialer.start_tls(writer, host, port)
    except BaseException:
        writer.transport.abort()
        raise
    return StreamTunnel(peer_name(host, port), reader, writer)


async def _open_streams(dialer: Dialer, origin: Origin) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_READ_SIZE, loop=loop)
    transport, protocol = await dialer.open(origin, lambda: asyncio.StreamReaderProtocol(reader, loop=loop))
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


async def _ask_proxy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, proxy: Proxy, authority: str, within: float
) -> None:
    """CONNECT (RFC 9110 9.3.6). A server that speaks before the client would confuse this; TLS and HTTP never do."""
    lines = [f"CONNECT {authority} HTTP/1.1", f"host: {authority}"]
    if proxy.authorization:
        lines.append(f"proxy-authorization: {proxy.authorization}")
    writer.write("\r\n".join([*lines, "", ""]).encode())
    peer = peer_name(proxy.host, proxy.port)
    try:
        async with asyncio.timeout(within):
            head = await reader.readuntil(b"\r\n\r\n")
    except TimeoutError as error:
        raise TransportError(
            FailureKind.TIMEOUT, f"the proxy {peer} did not open a connection in time", sent=False
        ) from error
    except (OSError, EOFError, asyncio.LimitOverrunError) as error:
        raise TransportError(
            FailureKind.CONNECT, f"the proxy {peer} did not answer as an HTTP proxy", sent=False
        ) from error
    status = head.partition(b"\r\n")[0].split(b" ", 2)
    if not status[0].startswith(b"HTTP/1.") or len(status) < 2 or status[1][:1] != b"2":
        raise proxy_refusal(proxy, int(status[1]) if len(status) > 1 and status[1].isdigit() else 0)
