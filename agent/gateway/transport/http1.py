"""Our own HTTP/1.1 client: keep-alive, streaming both ways, one repetition at most.

It exists because forwarding is what this program does all day, and the general clients cost three to ninety times as
much. It speaks to origins directly; company proxies are `aio`'s.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from typing import Self

from agent.gateway.transport.base import (
    FailureKind,
    Headers,
    TransportConfig,
    TransportError,
    Tunnel,
    UpstreamRequest,
)
from agent.gateway.transport.body import ONE_WRITE, measured, slices
from agent.gateway.transport.connection import Connection
from agent.gateway.transport.dial import Dialer
from agent.gateway.transport.head import encode_head
from agent.gateway.transport.pool import Pool
from agent.gateway.transport.response_parser import ResponseParser
from agent.gateway.transport.tunnel import open_tunnel
from agent.host.tasks import TaskGroup
from agent.model.traffic import Target


class Http1Response:
    """The answer of one exchange. See `base.UpstreamResponse`."""

    __slots__ = ("_connection", "_parser", "headers", "http_version", "reason", "status")

    def __init__(self, connection: Connection, parser: ResponseParser) -> None:
        self._connection = connection
        self._parser = parser
        self.status = parser.status
        self.reason = parser.reason
        self.headers: Headers = parser.headers
        self.http_version = parser.http_version

    @property
    def trailers(self) -> Headers:
        """Fields after a chunked body, once it has ended."""
        return self._parser.trailers

    @property
    def held(self) -> int:
        """Bytes of the body that have arrived and wait for the consumer."""
        return self._parser.held

    def __aiter__(self) -> Self:
        """The body, piece by piece."""
        return self

    async def __anext__(self) -> bytes:
        """The next piece. Raises TransportError where the body cannot be completed."""
        parser = self._parser
        while not parser.pieces:
            if parser.complete:
                raise StopAsyncIteration
            if parser.failure is not None:
                raise parser.failure
            await self._connection.progress(parser)
        piece = parser.take()
        self._connection.consumed(parser)
        return piece

    def chunks(self) -> AsyncIterator[bytes]:
        """The body, piece by piece."""
        return self

    async def aclose(self) -> None:
        """Give the rest up; the connection survives only if the answer had arrived in full."""
        parser = self._parser
        parser.pieces.clear()
        parser.held = 0
        self._connection.abort(parser)

    def __del__(self) -> None:
        """A caller that forgot `aclose` must not leave a paused connection behind, and a model that goes on writing."""
        parser = self._parser
        if not parser.complete and parser.failure is None:
            self._connection.forget(parser)


class Http1Transport:
    """`base.Transport` without a proxy."""

    def __init__(self, config: TransportConfig, context: ssl.SSLContext) -> None:
        """`context` comes from `tls.client_context`."""
        self._config = config
        self._tasks = TaskGroup("transport")
        self._pool = Pool(config, context, self._tasks)
        self._dialer = Dialer(config, context)

    async def send(self, target: Target, request: UpstreamRequest) -> Http1Response:
        """Send `request`, returning at the final head. See `base.Transport`.

        A kept connection that dies before a byte of the answer has, as a rule, been closed by a server that never saw
        the request: it is sent once more, on a new connection, if its body can be. That is what browsers do, too.
        """
        origin = (target.host, target.port, target.tls)
        head = encode_head(request)
        connection = await self._pool.take(origin)
        reused = connection.exchanges > 0
        parser = connection.begin(request.method)
        try:
            return await self._exchange(connection, parser, head, request)
        except TransportError as error:
            unseen = reused and not parser.touched and error.kind is FailureKind.CLOSED
            if not (unseen and isinstance(request.body, bytes)):
                raise
        connection = await self._pool.take(origin, fresh=True)
        return await self._exchange(connection, connection.begin(request.method), head, request)

    async def connect(self, target: Target) -> Tunnel:
        """Open a raw connection to the origin. See `base.Transport`."""
        return await open_tunnel(self._dialer, (target.host, target.port, target.tls))

    def drop_idle(self) -> None:
        """Close the connections kept for reuse."""
        self._pool.drop_idle()

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()
        await self._tasks.cancel()

    async def _exchange(
        self, connection: Connection, parser: ResponseParser, head: bytes, request: UpstreamRequest
    ) -> Http1Response:
        body = request.body
        if not isinstance(body, bytes):
            length = request.content_length
            connection.upload(head, measured(body, length), chunked=length is None)
        elif len(body) <= ONE_WRITE:
            connection.write(head + body)
        else:
            connection.upload(head, slices(body), chunked=False)
        while not parser.head_done:
            if parser.failure is not None:
                raise parser.failure
            await connection.progress(parser)
        return Http1Response(connection, parser)
