"""The gateway's listening side: uvicorn's httptools protocol on the loopback listener and on relay sockets.

A connection's facts (`Connection`) are given to the protocol object when it is made, by our own code in this process;
nothing a client writes can change them. The protocol adds what uvicorn leaves out: a limit on the request's head, an
end to the exchange when the client leaves, and WebSocket upgrades judged by us.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from agent.errors import ConfigError
from agent.gateway.cork import CorkedTransport
from agent.gateway.upgrade import UpgradeHandler
from agent.gateway.wire import ClientRequest, Memory, Message, Receive, Send
from agent.host.listening import BACKLOG
from agent.host.tasks import TaskGroup
from agent.model.traffic import Connection, Tier

log = logging.getLogger(__name__)

MAX_HEAD = 256 * 1024  # bytes of a request's head; Codex and browsers stay below 64 KB
ONE_READ = 256 * 1024  # bytes that asyncio reads at once
HANDSHAKE = 10.0  # seconds for a client's TLS handshake
KEEP_ALIVE = 120.0  # seconds; longer than the SDKs' own idle limits, so that they close first

type App = Callable[[Message, Receive, Send], Any]


def _nothing() -> None:
    pass


class ClientLink:
    """What an exchange may do to its client's connection beyond HTTP."""

    __slots__ = ("connection", "memory", "on_lost", "transport")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.memory = Memory()
        self.transport: CorkedTransport | None = None
        self.on_lost: Callable[[], object] | None = None

    def abort(self) -> None:
        """Cut the connection: the client must notice that its answer is not whole."""
        if self.transport is not None:
            self.transport.abort()

    def in_one_piece(self) -> AbstractContextManager[object]:
        """A context: what is written inside leaves in one piece."""
        return nullcontext() if self.transport is None else self.transport


class GatewayProtocol(HttpToolsProtocol):
    """One client connection."""

    def __init__(
        self,
        config: uvicorn.Config,
        state: ServerState,
        connection: Connection,
        upgrades: UpgradeHandler,
        tasks: TaskGroup,
    ) -> None:
        self._link = ClientLink(connection)
        super().__init__(config, state, {"link": self._link})
        self._upgrades = upgrades
        self._tasks_of_ours = tasks
        self._head_bytes = 0
        self._in_head = True
        self.made_at = time.monotonic()
        self.asked = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Remember the transport, and who is at its other end."""
        known = self._link.connection
        peer = transport.get_extra_info("peername")
        if known.tier is Tier.BASE_URL and known.client_address is None and isinstance(peer, tuple):
            self._link.connection = replace(known, client_address=(peer[0], peer[1]))
        corked = self._link.transport = CorkedTransport(transport)
        super().connection_made(corked)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client left: end the exchange that runs for it."""
        super().connection_lost(exc)
        if self._link.on_lost is not None:
            self._link.on_lost()

    def data_received(self, data: bytes) -> None:
        """Refuse a head without end before it is parsed."""
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD + ONE_READ:  # the last read may hold body besides
                self._refuse(b"431 Request Header Fields Too Large")
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """A new request."""
        self._in_head = self.asked = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head. Trailers are dropped: after the body nobody judges them, and they have no end."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head = False
        self._head_bytes = 0
        if self.parser.should_upgrade() and not self._should_upgrade():
            self._refuse(b"400 Bad Request")  # h2c and other upgrades: an unparsed body would follow
            return
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is whole."""
        super().on_message_complete()
        if self._link.connection.tier is Tier.HTTP and not self.parser.should_upgrade():
            # mitmproxy gives every HTTP/2 stream a connection of its own and never uses it again; left open, each
            # further request would look through all of them. Closed before the request's end, it would forget an
            # answer that came early.
            self.cycle.keep_alive = False
            if self.cycle.response_complete:
                self.transport.close()

    def _should_upgrade_to_ws(self) -> bool:
        return True

    def _unsupported_upgrade_warning(self) -> None:
        """Refused in on_headers_complete."""

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection to the upgrade handler."""
        self.connections.discard(self)
        request = ClientRequest(
            connection=self._link.connection,
            method=self.parser.get_method().decode("ascii"),
            target=self.url,
            headers=tuple(self.headers),
        )
        self._tasks_of_ours.spawn(self._upgrade(request), name="upgrade")

    async def _upgrade(self, request: ClientRequest) -> None:
        try:
            await self._upgrades.handle(request, self.transport)
        finally:
            self.parser = None  # type: ignore[assignment]  # as uvicorn leaves it: each would keep the other

    def _refuse(self, status: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(
                b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )
            self.transport.close()


class GatewayServer:
    """Attaches the gateway's application to sockets, and drains it on stop."""

    def __init__(
        self, app: App, upgrades: UpgradeHandler, tasks: TaskGroup, on_client: Callable[[], None] = _nothing
    ) -> None:
        """`on_client` is called for each connection, before it says anything."""
        self._on_client = on_client
        self._config = uvicorn.Config(
            app,
            interface="asgi3",
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=int(KEEP_ALIVE),
        )
        self._config.load()
        self._state = ServerState()
        self._upgrades = upgrades
        self._tasks = tasks
        self._listeners: list[asyncio.Server] = []

    def protocol(self, connection: Connection) -> GatewayProtocol:
        """A protocol for one connection whose facts are known."""
        self._on_client()
        return GatewayProtocol(self._config, self._state, connection, self._upgrades, self._tasks)

    async def attach(self, sock: socket.socket, connection: Connection) -> None:
        """Serve the connection at the other end of `sock`."""
        loop = asyncio.get_running_loop()
        await loop.connect_accepted_socket(lambda: self.protocol(connection), sock)

    async def listen(self, host: str, port: int, describe: Callable[[], Connection]) -> int:
        """Listen for base-URL clients; returns the port. Raises ConfigError where it is taken."""
        loop = asyncio.get_running_loop()
        try:
            listener = await loop.create_server(
                lambda: self.protocol(describe()), host, port, backlog=BACKLOG
            )
        except OSError as error:
            raise ConfigError(
                f"cannot listen on {host}:{port}: {os.strerror(error.errno) if error.errno else error}",
                hint="choose another --gateway-port",
            ) from error
        self._listeners.append(listener)
        return int(listener.sockets[0].getsockname()[1])

    async def serve(
        self, sock: socket.socket, describe: Callable[[], Connection], *, tls: ssl.SSLContext | None = None
    ) -> None:
        """Take the clients of a socket that listens already."""
        loop = asyncio.get_running_loop()
        listener = await loop.create_server(
            lambda: self.protocol(describe()),
            sock=sock,
            backlog=BACKLOG,
            ssl=tls,
            ssl_handshake_timeout=HANDSHAKE if tls is not None else None,
        )
        self._listeners.append(listener)

    @property
    def active(self) -> int:
        """Exchanges that are running, without the one that asks."""
        return len(self._state.tasks - {asyncio.current_task()}) + self._upgrades.active

    def expectant(self, seconds: float) -> int:
        """Connections made within the last `seconds` that have not asked anything yet: their request is on its way."""
        since = time.monotonic() - seconds
        return sum(
            isinstance(each, GatewayProtocol) and not each.asked and each.made_at > since
            for each in self._state.connections
        )

    def close_listeners(self) -> None:
        """Accept no more."""
        for listener in self._listeners:
            listener.close()

    def close(self) -> None:
        """Accept no more; idle connections end now, busy ones after their answer."""
        self.close_listeners()
        self._upgrades.close()
        for protocol in list(self._state.connections):
            if isinstance(protocol, HttpToolsProtocol):
                protocol.shutdown()

    async def drain(self, seconds: float, *, hurry: asyncio.Event | None = None) -> int:
        """Wait for running exchanges, not beyond `hurry`; returns how many were cut when the time was over."""
        running: set[asyncio.Task[Any]] = {*self._state.tasks, *self._upgrades.tasks}
        if running:
            ended = self._tasks.spawn(asyncio.wait(running), name="drain")
            hurried = self._tasks.spawn((hurry or asyncio.Event()).wait(), name="hurry")
            await asyncio.wait((ended, hurried), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            ended.cancel()
            hurried.cancel()
        left = [*self._state.tasks, *self._upgrades.tasks]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        return len(left)
