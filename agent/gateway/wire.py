"""The client's side of one exchange over ASGI: read the body within limits, write an answer, know when it left.

https://asgi.readthedocs.io/en/latest/specs/www.html
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from agent.gateway.transport.base import Headers
from agent.model.direct import direct
from agent.model.traffic import Connection

type Message = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type InOnePiece = Callable[[], AbstractContextManager[object]]


class Memory:
    """What is remembered of a client's connection from one request to the next; gone with it."""

    __slots__ = ("last",)

    def __init__(self) -> None:
        self.last: object = None


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRequest:
    """A request's head as it came. `target` is the raw request target (path and query); `memory` is the connection's,
    where that may bring another request."""

    connection: Connection
    method: str
    target: bytes
    headers: Headers
    memory: Memory | None = field(default=None, compare=False, repr=False)


class BodyTooLarge(Exception):
    """The request's body is over the limit."""


class ClientGone(Exception):
    """The client closed its connection."""


class Wire:
    """One request and the answer to it."""

    def __init__(self, receive: Receive, send: Send, in_one_piece: InOnePiece = nullcontext) -> None:
        """`in_one_piece` makes a context in which what is written leaves together."""
        self._receive = receive
        self._send = send
        self._in_one_piece = in_one_piece
        self.started = False
        self.finished = False
        self.bytes_in = 0
        self.bytes_out = 0

    async def body(self, *, limit: int, announced: int | None) -> bytes:
        """The whole body. Raises BodyTooLarge as soon as that is known, ClientGone."""
        if announced is not None and announced > limit:
            raise BodyTooLarge
        parts: list[bytes] = []
        async for part in self.chunks():
            if self.bytes_in > limit:
                raise BodyTooLarge
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives. Raises ClientGone."""
        more = True
        while more:
            message = await self._receive()
            if message["type"] != "http.request":
                raise ClientGone
            part: bytes = message.get("body", b"")
            more = message.get("more_body", False)
            if part:
                self.bytes_in += len(part)
                yield part

    async def start(self, status: int, headers: Headers | list[tuple[bytes, bytes]]) -> None:
        """Write the answer's head."""
        self.started = True
        await self._send({"type": "http.response.start", "status": status, "headers": list(headers)})

    async def write(self, data: bytes) -> None:
        """Write a piece of the answer's body; waits while the client reads slowly."""
        self.bytes_out += len(data)
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def finish(self, data: bytes = b"") -> None:
        """Write the last piece and end the answer."""
        self.bytes_out += len(data)
        self.finished = True
        await self._send({"type": "http.response.body", "body": data, "more_body": False})

    async def answer(self, status: int, headers: Headers | list[tuple[bytes, bytes]], body: bytes) -> None:
        """Write a whole answer with its length."""
        fields = [(name, value) for name, value in headers if name != b"content-length"]
        fields.append((b"content-length", str(len(body)).encode()))
        with self._in_one_piece():
            await self.start(status, fields)
            await self.finish(body)
