"""Opens WebSockets where models are asked: who may, how many at once, which way; and ends them in order."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, replace

from agent.accounts import presented
from agent.accounts.accounts import Accounts
from agent.accounts.denials import Denial
from agent.dialects.base import RequestHead
from agent.dialects.sockets import SOCKETS
from agent.errors import UpstreamError
from agent.gateway import headers
from agent.gateway.accounting import Account
from agent.gateway.asking import Who
from agent.gateway.direct import Direct
from agent.gateway.routing import Refused, Route, query_without_secrets
from agent.gateway.sockets.connection import SocketConnection
from agent.gateway.sockets.handshake import (
    Opened,
    agreement,
    declined,
    handshakes,
    offered,
    read_answer,
    request_head,
    without_keys,
)
from agent.gateway.sockets.surroundings import Surroundings
from agent.gateway.transport.base import Transport, TransportError, Tunnel
from agent.gateway.unified.crossing import crossing_fields
from agent.gateway.unified.passing import lent_key
from agent.gateway.wire import ClientRequest

log = logging.getLogger(__name__)

MAX_SOCKETS = 256
"""Connections at once. Each may hold a few messages of up to 16 MB, all of them together no more than `MAX_HELD`."""

MAX_HELD = 256 * 1024 * 1024
"""Bytes of messages that are not whole yet, of all connections together."""


class NoSocket(Exception):
    """This upgrade is not carried out; `message` is for the client. `status` is 426 where the same can be asked over
    HTTPS, which clients then do at once."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """A connection to the service on which the upgrade was answered."""

    route: Route
    tunnel: Tunnel
    opened: Opened


class Sockets:
    """All inspected WebSockets of a gateway."""

    def __init__(
        self,
        around: Surroundings,
        *,
        transport: Transport,
        direct: Direct,
        accounts: Accounts,
        most: int = MAX_SOCKETS,
    ) -> None:
        """`most` bounds the connections."""
        self._around = around
        self._transport = transport
        self._direct = direct
        self._accounts = accounts
        self._most = most
        self._open: dict[SocketConnection, asyncio.Task[object]] = {}
        self._opening = 0
        self._leaving = False

    @property
    def turns(self) -> int:
        """How many answers run."""
        return sum(connection.turns for connection in self._open)

    @property
    def tasks(self) -> frozenset[asyncio.Task[object]]:
        """What has to end before the gateway can."""
        return frozenset(self._open.values())

    def close(self) -> None:
        """Take no more; connections end as soon as no answer runs on them."""
        self._leaving = True
        for connection in list(self._open):
            connection.go_away()

    async def serve(self, request: ClientRequest, route: Route, client: asyncio.Transport, who: Who) -> None:
        """Carry the connection that `who` opens to its end; it takes over the client's transport. Raises NoSocket
        before anything was written to it."""
        assert route.endpoint is not None
        socket = SOCKETS[route.endpoint.socket]
        if self._leaving or len(self._open) + self._opening >= self._most:
            raise self._refusal(route, 503, "there are too many WebSockets at once")
        self._opening += 1
        try:
            way = await self._way(request, route, who)
        finally:
            self._opening -= 1
        if client.is_closing():
            await way.tunnel.aclose()
            return
        if way.opened.status != 101:
            client.write(declined(way.opened))
            client.close()
            await way.tunnel.aclose()
            return
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        client.set_protocol(protocol)
        protocol.connection_made(client)
        client.write(agreement(way.opened))
        head = RequestHead(method="GET", path=route.plain_path, query=route.query.decode("latin-1"))
        connection = SocketConnection(
            self._around,
            request,
            way.route,
            socket,
            socket.session(head),
            reader=reader,
            writer=asyncio.StreamWriter(client, protocol, reader, asyncio.get_running_loop()),
            upstream=way.tunnel,
        )
        task = asyncio.current_task()
        assert task is not None
        self._open[connection] = task
        try:
            await connection.run(way.opened.rest)
        finally:
            del self._open[connection]

    async def _way(self, request: ClientRequest, route: Route, who: Who) -> _Way:
        """Connect as the route says, or where that is away as policy says instead. Raises NoSocket."""
        route, fields = self._lent(request, route, who)
        key = headers.get(request.headers, b"sec-websocket-key")
        try:
            return await self._opened(route, fields, key)
        except TransportError as error:
            if route.instead is None:
                raise self._refusal(route, 502, f"Drawbridge: {error}") from error
            log.warning("the central gateway is away (%s): going %s", error, route.instead.upstream)
        if route.instead.upstream == "gateway":
            raise self._refusal(route, 502, "the central gateway is away; ask over HTTPS")
        try:
            return await self._opened(route.instead, fields, key)
        except UpstreamError as error:
            raise self._refusal(route, 502, f"Drawbridge: {error}") from error

    async def _opened(self, route: Route, fields: list[tuple[bytes, bytes]], key: bytes) -> _Way:
        try:
            target, own = await self._direct.head(route, fields)
        except Refused as error:
            raise self._refusal(route, error.status, str(error)) from error
        tunnel = await self._transport.connect(route.target)
        try:
            await tunnel.write(request_head(target, own))
            opened = await read_answer(tunnel, key, peer=route.target.host)
        except BaseException:
            await tunnel.aclose()
            raise
        self._direct.answered(route, opened.status)
        return _Way(route=route, tunnel=tunnel, opened=opened)

    def _lent(
        self, request: ClientRequest, route: Route, who: Who
    ) -> tuple[Route, list[tuple[bytes, bytes]]]:
        """The way with the key that is lent for it, and the client's fields without keys of ours. Raises NoSocket."""
        principal = self._around.asking.principal(who, request, route, at=time.time())
        if isinstance(principal, Denial):
            raise self._refusal(route, principal.status, principal.message)
        query = presented.query_without_keys(route.query)
        fields = offered(tuple(presented.without_keys(request.headers)))
        if route.upstream == "provider" and route.credential is not None:
            provider = self._around.policy.book.providers[route.surface.id]
            account = Account(self._accounts, principal)
            try:
                key = lent_key(provider, account, "GET", route.plain_path)
            except Refused as error:
                raise self._refusal(route, error.status, str(error)) from error
            crossing = crossing_fields(tuple(fields), provider, same=True)
            query = query_without_secrets(query)
            route = replace(route, credential=(route.credential[0], key))
            fields = [*(each for each in fields if handshakes(each[0])), *crossing]
        if route.credential is not None and not route.keeps_own:
            fields = without_keys(fields)
        return replace(route, query=query), fields

    def _refusal(self, route: Route, status: int, message: str) -> NoSocket:
        """Where the same can be asked over HTTPS, the client is sent there: it is told why in its own dialect."""
        https = route.endpoint is not None and route.endpoint.dialect
        return NoSocket(426 if https else status, message)
