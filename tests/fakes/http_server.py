"""Servers that do exactly what a test's script says, byte by byte, over TCP or TLS on loopback.

Real HTTP servers refuse to misbehave; these exist to.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from agent.model.traffic import Target

type Script = Callable[[Peer], Awaitable[None]]


class Clock:
    """The running loop's clock, moved by hand: what waits for minutes is over at once, and never too early."""

    def __init__(self) -> None:
        self._ahead = 0.0
        loop = asyncio.get_running_loop()
        real = loop.time
        loop.time = lambda: real() + self._ahead  # type: ignore[method-assign]

    async def advance(self, seconds: float) -> None:
        """Let `seconds` pass, and the loop do what is due."""
        self._ahead += seconds
        for _ in range(5):
            await asyncio.sleep(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedRequest:
    """One request as it came over the wire."""

    line: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes = b""

    def header(self, name: bytes) -> bytes | None:
        """The first field of that (lower-case) name."""
        return next((value for key, value in self.headers if key.lower() == name), None)


class Peer:
    """The server's side of one connection."""

    def __init__(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.number = number  # of the connection, from 0
        self.sent = 0
        self.reader = reader
        self.writer = writer

    async def head(self) -> ReceivedRequest:
        """Read a request's head. Raises EOFError when the client has closed."""
        raw = await self.reader.readuntil(b"\r\n\r\n")
        line, *fields = raw[:-4].split(b"\r\n")
        pairs = (field.partition(b": ") for field in fields)
        return ReceivedRequest(line=line, headers=tuple((name, value) for name, _, value in pairs))

    async def request(self) -> ReceivedRequest:
        """Read a whole request. Raises EOFError when the client has closed."""
        head = await self.head()
        if head.header(b"transfer-encoding") == b"chunked":
            body = await self._chunks()
        else:
            body = await self.reader.readexactly(int(head.header(b"content-length") or 0))
        return ReceivedRequest(line=head.line, headers=head.headers, body=body)

    async def send(self, *parts: bytes) -> None:
        """Send, each part by itself, waiting while the client is slow."""
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()
            self.sent += len(part)

    async def answer(self, body: bytes = b"ok", status: bytes = b"200 OK", *fields: bytes) -> None:
        """Send a plain answer with a length."""
        lines = (b"HTTP/1.1 " + status, *fields, b"content-length: %d" % len(body), b"", body)
        await self.send(b"\r\n".join(lines))

    async def ended(self) -> bool:
        """Wait until the client has closed its side, whatever it may still send."""
        with suppress(OSError):
            while await self.reader.read(65536):
                pass
        return True

    def reset(self) -> None:
        """Close with RST."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def _chunks(self) -> bytes:
        body = b""
        while True:
            size = int(await self.reader.readline(), 16)
            body += await self.reader.readexactly(size)
            await self.reader.readexactly(2)
            if not size:
                return body


class RawServer:
    """Runs `script` for every connection. A script's failure fails the test at the end of the `async with`."""

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None) -> None:
        self._script = script
        self._tls = tls
        self._failures: list[Exception] = []
        self._running: set[asyncio.Task[None]] = set()
        self.peers: list[Peer] = []
        self.port = 0

    @property
    def connections(self) -> int:
        """How many connections have come."""
        return len(self.peers)

    def target(self, host: str = "127.0.0.1") -> Target:
        """The server as an upstream."""
        return Target(host=host, port=self.port, tls=self._tls is not None)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: object, traceback: object) -> None:
        self._server.close()
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        for peer in self.peers:
            with suppress(AttributeError):  # CPython's, for a transport that closed after its last write
                peer.writer.transport.abort()
        await asyncio.sleep(0)
        if self._failures and kind is None:
            raise ExceptionGroup("the server's script failed", self._failures)

    async def stop(self) -> None:
        """Accept no further connection."""
        self._server.close()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        peer = Peer(len(self.peers), reader, writer)
        self.peers.append(peer)
        try:
            await self._script(peer)
        except (EOFError, OSError, asyncio.CancelledError):
            pass  # the client is gone, or the test is over
        except Exception as error:
            self._failures.append(error)
        finally:
            self._running.discard(task)
            writer.close()


class ProxyScript:
    """An HTTP proxy as companies have them: CONNECT is piped, everything else answered on the origin's behalf.

    With `credentials` (the whole value of `proxy-authorization`) it turns away who does not give them.
    """

    def __init__(self, credentials: bytes = b"") -> None:
        self._credentials = credentials
        self.seen: list[ReceivedRequest] = []

    async def __call__(self, peer: Peer) -> None:
        """Serve one connection."""
        while True:
            head = await peer.head()
            self.seen.append(head)
            method, target, _ = head.line.split(b" ")
            if self._credentials and head.header(b"proxy-authorization") != self._credentials:
                await peer.answer(b"", b"407 Proxy Authentication Required", b"proxy-authenticate: Basic")
            elif method == b"CONNECT":
                await self._pipe(peer, target)
                return
            else:
                await peer.answer(b"by proxy: " + target)

    async def _pipe(self, peer: Peer, authority: bytes) -> None:
        port = int(authority.rpartition(b":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_copy(peer.reader, writer))
                group.create_task(_copy(reader, peer.writer))
        finally:
            writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()
