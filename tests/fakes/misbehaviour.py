"""Ways in which a fake provider answers badly, slowly or oddly, each called with the exchange to spoil."""

from __future__ import annotations

import asyncio
import socket
import struct
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import brotli
import zstandard

type Message = Mapping[str, object]
type Send = Callable[[Message], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class Exchange:
    """A request whose body is read, and the means to answer it.

    `closed` is set when the connection has ended or the answer is complete, `gone` when the client left too
    early.
    """

    scope: Message
    body: bytes
    send: Send
    app: Callable[..., Awaitable[None]]
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    _complete: bool = False

    async def answer(self, send: Send | None = None) -> None:
        """Let the application answer, through `send` if given."""
        requests: list[Message] = [{"type": "http.request", "body": self.body}]

        async def receive() -> Message:
            if requests:
                return requests.pop()
            await self.gone.wait()
            return {"type": "http.disconnect"}

        await self.app(self.scope, receive, send or self.write)

    async def write(self, message: Message) -> None:
        """Send one ASGI message."""
        self._complete = message["type"] == "http.response.body" and not message.get("more_body")
        await self.send(message)

    async def drop(self, *, reset: bool = False) -> None:
        """End the connection in the middle of the answer, and wait until it is gone."""
        self._complete = True
        if reset:
            reset_connection(self.scope["transport"])
        else:
            self.scope["transport"].close()
        await self.closed.wait()

    async def watch(self, receive: Callable[[], Awaitable[Message]]) -> None:
        """Notice that the client leaves."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self.closed.set()
        if not self._complete:
            self.gone.set()


class Behaviour(Protocol):
    """A way to answer."""

    async def __call__(self, exchange: Exchange) -> None:
        """Answer, or fail to."""
        ...


def reset_connection(transport: asyncio.Transport) -> None:
    """End a connection by RST, as a crashed peer does: what is still buffered is lost."""
    linger_off = struct.pack("ii", 1, 0)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_off)
    transport.abort()


async def plain(exchange: Exchange) -> None:
    """Answer well."""
    await exchange.answer()


@dataclass(frozen=True, slots=True, kw_only=True)
class Canned:
    """Always the same answer: `body` in one part or several, `pause` seconds after each."""

    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = ((b"content-type", b"application/json"),)
    body: bytes | tuple[bytes, ...] = b""
    pause: float = 0.0

    async def __call__(self, exchange: Exchange) -> None:
        """Send it."""
        start = {"type": "http.response.start", "status": self.status, "headers": list(self.headers)}
        await exchange.write(start)
        for part in (self.body,) if isinstance(self.body, bytes) else self.body:
            await exchange.write({"type": "http.response.body", "body": part, "more_body": True})
            if self.pause:
                await asyncio.sleep(self.pause)
        await exchange.write({"type": "http.response.body", "body": b""})


def broken_events(*lines: bytes) -> Canned:
    """An event stream that is none: these lines, or a choice of damage."""
    damage = (b"data: {not json}\n\n", b"dat", b"\xff\xfe\n\n", b"data: [1,2\n\n", b"event: x\n\n")
    return Canned(headers=((b"content-type", b"text/event-stream"),), body=lines or damage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The application's answer, cut off after `after` bytes of body: orderly (FIN) or by `reset`."""

    after: int
    reset: bool = False

    async def __call__(self, exchange: Exchange) -> None:
        """Answer until the cut."""
        if await _first_bytes(exchange, self.after):
            await exchange.drop(reset=self.reset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """The application's answer, silent after `after` bytes of body until the client leaves."""

    after: int = 0

    async def __call__(self, exchange: Exchange) -> None:
        """Answer until the stall, then wait."""
        if await _first_bytes(exchange, self.after):
            await exchange.gone.wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class Torn:
    """The application's answer, its body in parts of `size` bytes whatever the events' boundaries."""

    size: int

    async def __call__(self, exchange: Exchange) -> None:
        """Answer in shreds."""

        async def send(message: Message) -> None:
            body = message.get("body", b"")
            if message["type"] == "http.response.body" and isinstance(body, bytes):
                for start in range(0, len(body), self.size):
                    shred = body[start : start + self.size]
                    await exchange.write({"type": "http.response.body", "body": shred, "more_body": True})
                    await asyncio.sleep(0)
                if not message.get("more_body"):
                    await exchange.write({"type": "http.response.body", "body": b""})
            else:
                await exchange.write(message)

        await exchange.answer(send)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compressed:
    """The application's answer with a Content-Encoding (gzip, br or zstd), flushed after each part."""

    coding: str = "gzip"

    async def __call__(self, exchange: Exchange) -> None:
        """Answer, compressed."""
        compress, flush, finish = _compressor(self.coding)

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [pair for pair in message["headers"] if pair[0] != b"content-length"]
                coding = (b"content-encoding", self.coding.encode())
                await exchange.write({**message, "headers": [*kept, coding]})
                return
            more = bool(message.get("more_body"))
            body = compress(message.get("body", b"")) + (flush() if more else finish())
            await exchange.write({**message, "body": body})

        await exchange.answer(send)


class _CutError(Exception):
    """Enough of the answer was sent."""


async def _first_bytes(exchange: Exchange, count: int) -> bool:
    """Send only the first `count` bytes of the application's body. Whether more would have come."""
    left = count

    async def send(message: Message) -> None:
        nonlocal left
        if message["type"] == "http.response.start":
            await exchange.write(message)
            return
        body = message.get("body", b"")
        if isinstance(body, bytes) and len(body) > left:
            await exchange.write({**message, "body": body[:left], "more_body": True})
            raise _CutError
        left -= len(body)
        await exchange.write(message)

    try:
        await exchange.answer(send)
    except _CutError:
        return True
    return False


def _compressor(
    coding: str,
) -> tuple[Callable[[bytes], bytes], Callable[[], bytes], Callable[[], bytes]]:
    """Three functions: compress, flush, finish."""
    match coding:
        case "gzip":
            gzip = zlib.compressobj(wbits=31)
            return gzip.compress, lambda: gzip.flush(zlib.Z_SYNC_FLUSH), gzip.flush
        case "br":
            br = brotli.Compressor()
            return br.process, br.flush, br.finish
        case "zstd":
            zstd = zstandard.ZstdCompressor().compressobj()
            block = zstandard.COMPRESSOBJ_FLUSH_BLOCK
            return zstd.compress, lambda: zstd.flush(block), zstd.flush
        case _:
            raise ValueError(f"unknown coding {coding!r}")
