"""A fake provider on loopback that writes bytes exactly as scripted, valid HTTP or not."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.fakes.misbehaviour import reset_connection
from tests.fakes.provider import PROVIDER_HOSTS, Endpoint
from tests.fakes.tls import Authority

type RawScript = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bytes]]


class RawProvider(Endpoint):
    """A provider that writes exactly what `script` writes, and then ends the connection.

    The script gets the streams of each connection and returns the request bytes it read.
    """

    def __init__(
        self,
        directory: Path,
        script: RawScript,
        *,
        hosts: tuple[str, ...] = PROVIDER_HOSTS,
        authority: Authority | None = None,
        tls: bool = True,
    ) -> None:
        super().__init__(directory, hosts, authority, tls)
        self._script = script
        self._requests: list[bytes] = []

    @property
    def requests(self) -> tuple[bytes, ...]:
        """What the scripts have read, one for each connection that is through."""
        with self._changed:
            return tuple(self._requests)

    def wait_for_requests(self, count: int, timeout: float = 5.0) -> tuple[bytes, ...]:
        """Block until `count` connections are through. Raises AssertionError."""
        self._wait(lambda: len(self._requests) >= count, timeout, f"{count} raw requests")
        return self.requests

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._talk, host="127.0.0.1", port=self.port, ssl=self._tls)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            request = await self._script(reader, writer)
            with self._changed:
                self._requests.append(request)
                self._changed.notify_all()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def raw_answer(*parts: bytes | float, reset: bool = False) -> RawScript:
    """A script: read one whole request, write the parts (a number is a pause in seconds), close."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        request = await read_request(reader)
        for part in parts:
            if isinstance(part, bytes):
                writer.write(part)
                await writer.drain()
            else:
                await asyncio.sleep(part)
        if reset:
            reset_connection(writer.transport)
        return request

    return talk


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """One HTTP/1.1 request, raw: its head, and its body as Content-Length or the last chunk delimits it."""
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            return head + await reader.readexactly(int(value))
        if name == b"transfer-encoding" and b"chunked" in value:
            return head + await reader.readuntil(b"0\r\n\r\n")
    return head
