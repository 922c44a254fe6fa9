"""A small HTTP/1.1 server for local clients: one request per connection, strict limits, nothing kept open.

What follows the first request on a connection is never read, so there is no pipelining and nothing to smuggle. A client
that is slow, says too much or opens too many connections is cut off.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from urllib.parse import parse_qsl

import httptools
import orjson

from agent.host.peers import Peer, peer_of
from agent.host.tasks import TaskGroup

log = logging.getLogger(__name__)

SAFE = (
    ("cache-control", "no-store"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
)
"""Headers of every answer."""

CLOSED_POLICY = ("content-security-policy", "default-src 'none'; frame-ancestors 'none'")
_READ = 16 * 1024
_MOST_FIELDS = 20  # of a query


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one client may take."""

    head: int = 16 * 1024  # bytes
    body: int = 64 * 1024
    seconds: float = 10.0  # for a whole request, and for taking the answer
    connections: int = 128
    per_peer: int = 32  # of them, from one account


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as it came. Names of headers are in lower case; one that came twice is refused before."""

    method: str
    path: str
    query: Mapping[str, str] = MappingProxyType({})
    headers: Mapping[str, str] = MappingProxyType({})
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the client gets; the headers in `SAFE` are added."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = field(default=(CLOSED_POLICY,))

    @classmethod
    def json(cls, document: object, *, status: int = 200) -> Answer:
        """A JSON document."""
        content = ("content-type", "application/json")
        return cls(status=status, body=orjson.dumps(document), headers=(content, CLOSED_POLICY))

    @classmethod
    def refusal(cls, status: int, message: str, *, code: str = "refused", hint: str = "") -> Answer:
        """An error that says what, and how to mend it."""
        error = {"code": code, "message": message} | ({"hint": hint} if hint else {})
        return cls.json({"error": error}, status=status)


type Respond = Callable[[Request, Peer | None], Awaitable[Answer]]
"""Answers a request; the peer is known where it came by a unix socket or a named pipe."""


class MalformedError(Exception):
    """A request that is none, or too large: the status of the answer, and why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class RequestReader:
    """Reads one request from bytes. Pure; `feed` until it gives one."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._parser = httptools.HttpRequestParser(self)
        self._seen = 0
        self._head = 0
        self._method = ""
        self._target = b""
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self._in_head = True
        self._whole = False

    def feed(self, data: bytes) -> Request | None:
        """The request, once it is whole. Raises MalformedError."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            raise MalformedError(400, "upgrades are not served") from None
        except httptools.HttpParserError as error:
            if isinstance(cause := error.__context__, MalformedError):
                raise cause from None
            raise MalformedError(400, "this is no HTTP request") from None
        self._seen += len(data)
        if self._in_head and self._seen > self._limits.head:
            raise MalformedError(431, "the request's head is too large")
        return self._request() if self._whole else None

    def on_url(self, url: bytes) -> None:
        """A piece of the target."""
        if not self._whole:
            self._target += url
            self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; trailers are dropped."""
        if not self._in_head:
            return
        self._count(len(name) + len(value))
        key = name.decode("latin-1").lower()
        if key in self._headers:
            raise MalformedError(400, f"the header {key[:40]} came twice")
        self._headers[key] = value.decode("latin-1").strip(" \t")

    def on_headers_complete(self) -> None:
        """The head is whole."""
        if self._whole:
            return
        self._in_head = False
        self._method = self._parser.get_method().decode(
            "ascii"
        )  # later it may be that of a request behind this one
        length = self._headers.get("content-length", "0")
        if not length.isdigit() or len(length) > 12 or int(length) > self._limits.body:
            raise MalformedError(413, f"a body may have {self._limits.body} bytes")

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        if self._whole:
            return
        if len(self._body) + len(data) > self._limits.body:
            raise MalformedError(413, f"a body may have {self._limits.body} bytes")
        self._body += data

    def on_message_complete(self) -> None:
        """The request is whole; what follows is ignored."""
        self._whole = True

    def _count(self, size: int) -> None:
        self._head += size
        if self._head > self._limits.head:
            raise MalformedError(431, "the request's head is too large")

    def _request(self) -> Request:
        path, _, query = self._target.decode("latin-1").partition("?")
        if not path.startswith("/"):
            raise MalformedError(400, "the target must be a path")
        try:
            pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
        except ValueError:
            raise MalformedError(400, "the query has too many fields") from None
        if len(dict(pairs)) != len(pairs):
            raise MalformedError(400, "the query names a field twice")
        return Request(
            method=self._method,
            path=path,
            query=dict(pairs),
            headers=self._headers,
            body=bytes(self._body),
        )


class LocalServer:
    """Serves listening sockets until it is closed. For one event loop."""

    def __init__(self, respond: Respond, tasks: TaskGroup, limits: Limits | None = None) -> None:
        self._respond = respond
        self._tasks = tasks
        self._limits = limits or Limits()
        self._servers: list[asyncio.Server] = []
        self._open: Counter[int | None] = Counter()

    async def serve(self, sock: socket.socket) -> int:
        """Take the clients of a listening socket; its port, 0 for a unix socket."""
        loop = asyncio.get_running_loop()
        unix = sock.family == getattr(socket, "AF_UNIX", None)
        port = 0 if unix else int(sock.getsockname()[1])

        def protocol() -> asyncio.StreamReaderProtocol:
            return asyncio.StreamReaderProtocol(asyncio.StreamReader(limit=_READ), self._arrived)

        make = loop.create_unix_server if unix else loop.create_server
        self._servers.append(await make(protocol, sock=sock))
        return port

    def close(self) -> None:
        """Accept no more."""
        for server in self._servers:
            server.close()
        self._servers.clear()

    def _arrived(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.spawn(self._attend(reader, writer), name="control")

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sock = writer.get_extra_info("socket")
        peer = peer_of(sock) if sock is not None and sock.family == getattr(socket, "AF_UNIX", None) else None
        whose = peer.uid if peer is not None else None
        if self._open.total() >= self._limits.connections or self._open[whose] >= self._limits.per_peer:
            writer.transport.abort()
            return
        self._open[whose] += 1
        try:
            async with asyncio.timeout(self._limits.seconds):
                request = await self._read(reader)
            answer = request if isinstance(request, Answer) else await answered(self._respond, request, peer)
            async with asyncio.timeout(self._limits.seconds):
                writer.write(written(answer))
                await writer.drain()
                writer.close()
                await writer.wait_closed()
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            writer.transport.abort()
        finally:
            self._open[whose] -= 1
            with suppress(OSError):
                writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> Request | Answer:
        """The request, or what is to be said of it."""
        parser = RequestReader(self._limits)
        try:
            while data := await reader.read(_READ):
                if (request := parser.feed(data)) is not None:
                    return request
        except MalformedError as error:
            return Answer.refusal(error.status, str(error), code="malformed")
        raise ConnectionResetError


async def answered(respond: Respond, request: Request, peer: Peer | None) -> Answer:
    """The answer, or that of a failure."""
    try:
        return await respond(request, peer)
    except Exception:
        log.exception("a local request failed")
        return Answer.refusal(500, "the agent failed at this", code="failed", hint="See its log.")


def written(answer: Answer) -> bytes:
    """As bytes; the connection ends behind it."""
    reason = HTTPStatus(answer.status).phrase
    lines = [f"HTTP/1.1 {answer.status} {reason}"]
    lines += [f"{name}: {value}" for name, value in (*answer.headers, *SAFE)]
    lines += [f"content-length: {len(answer.body)}", "connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1") + answer.body
