"""mitmproxy as a library: ends TLS on connections handed over by the front door, and relays to the gateway.

Only its addon dispatch and its layers run: no listener of its own, no `Master.run()` (which would change the whole
loop's task factory and exception handler), and no upstream connection but the one to the in-process gateway.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from mitmproxy import master, options
from mitmproxy.addons import proxyserver
from mitmproxy.connection import Connection as Side
from mitmproxy.connection import ConnectionState, Server
from mitmproxy.proxy import commands, events, layer, mode_servers, mode_specs
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers import modes
from mitmproxy.proxy.layers.http import HttpLayer
from mitmproxy.proxy.layers.http._http1 import Http1Client
from mitmproxy.proxy.layers.http._http2 import Http2Server
from mitmproxy.proxy.server import ConnectionIO

from agent.interception.services import GATEWAY, DoorServices, ServerLeaf
from agent.model.traffic import Connection, Tier

IDLE_SECONDS = 3600  # models think for minutes; TCP keep-alive finds dead peers
HELD_BACK = 1024 * 1024  # bytes of an HTTP/2 answer that may wait for its client to make room

type Attach = Callable[[socket.socket, Connection], Awaitable[None]]
type Mint = Callable[[str], ServerLeaf]
type Report = Callable[[Intercepted, str], None]


class Intercepted:
    """One intercepted connection: what is known of it, possibly still being found out."""

    def __init__(self, facts: Connection, describe: Awaitable[Connection]) -> None:
        self.facts = facts
        self.describe = describe  # the facts with the process behind the connection


class Engine(DoorServices):
    """Runs intercepted connections."""

    def __init__(self, *, attach: Attach, mint: Mint) -> None:
        """Needs the running loop. `attach` serves one end of a socket pair by the gateway."""
        self._attach = attach
        self._mint = mint
        self._on_trusted: Report = _ignore
        self._on_distrusted: Report = _ignore
        self._master = master.Master(options.Options())
        self._master._legacy_log_events.uninstall()  # noqa: SLF001  else every log record of the program is formatted again
        self._mode = mode_specs.ProxyMode.parse("transparent")
        self._running: dict[str, Intercepted] = {}
        self._handlers: set[BridgeHandler] = set()
        self._empty = asyncio.Event()

    def install(self, addons: tuple[object, ...]) -> None:
        """Add our addons, then the one of mitmproxy's that defines the options its layers read."""
        self._master.addons.add(*addons, proxyserver.Proxyserver())
        self._master.options.update(
            server=False,
            connection_strategy="lazy",  # nothing upstream before the gateway has judged
            http3=False,
            tcp_timeout=IDLE_SECONDS,
            body_size_limit=None,  # bodies are streamed; what asks a model is limited by the gateway
            ssl_insecure=False,
        )

    def report(self, *, on_trusted: Report, on_distrusted: Report) -> None:
        """Whom to tell how clients take our certificate."""
        self._on_trusted = on_trusted
        self._on_distrusted = on_distrusted

    @property
    def connections(self) -> int:
        """Intercepted connections that are open."""
        return len(self._handlers)

    def expectant(self, seconds: float) -> int:
        """Connections handed over within the last `seconds` whose TLS is not ended yet."""
        since = time.monotonic() - seconds
        return sum(not each.attached and each.begun > since for each in self._handlers)

    async def run(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, intercepted: Intercepted
    ) -> None:
        """Serve one connection until it ends."""
        handler = BridgeHandler(self._master, reader, writer, self._mode, self._attach, intercepted)
        client_id = handler.client.id
        self._running[client_id] = intercepted
        self._handlers.add(handler)
        try:
            await handler.handle_client()
        finally:
            del self._running[client_id]
            self._handlers.discard(handler)
            handler.let_go()
            if not self._handlers:
                self._empty.set()

    async def drain(self, seconds: float) -> None:
        """Let the last bytes of ended exchanges reach their clients, then cut what is still open."""
        if not self._handlers:
            return
        self._empty.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._empty.wait()
        for handler in list(self._handlers):
            handler.cut()

    # DoorServices, for the addons

    def tier(self, client_id: str) -> Tier:
        """See DoorServices."""
        return self._running[client_id].facts.tier

    def leaf(self, client_id: str, sni: str) -> ServerLeaf:
        """See DoorServices."""
        return self._mint(sni or self._running[client_id].facts.connect_host)

    def trusted(self, client_id: str) -> None:
        """See DoorServices."""
        if (found := self._running.get(client_id)) is not None:
            self._on_trusted(found, "")

    def distrusted(self, client_id: str, error: str) -> None:
        """See DoorServices."""
        if (found := self._running.get(client_id)) is not None:
            self._on_distrusted(found, error)


def _ignore(intercepted: Intercepted, error: str) -> None:
    del intercepted, error


class BridgeHandler(mode_servers.ProxyConnectionHandler):
    """mitmproxy's handler of one client connection, whose only upstream is the gateway."""

    def __init__(
        self,
        owner: master.Master,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        mode: mode_specs.ProxyMode,
        attach: Attach,
        intercepted: Intercepted,
    ) -> None:
        super().__init__(owner, reader, writer, owner.options, mode)
        self._attach_gateway = attach
        self._intercepted = intercepted
        self._gateways: dict[asyncio.Task[object] | None, Server] = {}  # by the task that reads from it
        self._room = asyncio.Event()
        self.begun = time.monotonic()
        self.attached = False  # whether the gateway was ever reached
        facts = intercepted.facts
        context = self.layer.context
        context.server.address = (facts.connect_host, facts.connect_port)
        self.layer = modes.TransparentProxy(context)

    async def open_connection(self, command: commands.OpenConnection) -> None:
        """Connect to the gateway over a socket pair. Any other address is refused: mitmproxy contacts no upstream."""
        server = command.connection
        if server.address != GATEWAY:
            await self.server_event(events.OpenConnectionCompleted(command, "only the gateway is reachable"))
            return
        self._forget_ended()
        facts = await self._intercepted.describe
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setblocking(False)  # noqa: FBT003  the socket module's own signature
        await self._attach_gateway(theirs, facts)
        self.attached = True
        reader, writer = await asyncio.open_connection(sock=ours)
        server.state = ConnectionState.OPEN
        server.peername = server.sockname = GATEWAY
        self.transports[server] = ConnectionIO(handler=asyncio.current_task(), reader=reader, writer=writer)
        self._gateways[asyncio.current_task()] = server
        await self.server_event(events.OpenConnectionCompleted(command, None))
        try:
            await self.handle_connection(server)
        finally:
            del self._gateways[asyncio.current_task()]

    async def handle_connection(self, connection: Side) -> None:
        """As mitmproxy does. It keeps the error that ends this in the frame that the error's traceback leads to: a
        circle around all that was read last, which lasts until the garbage collector comes by."""
        try:
            await super().handle_connection(connection)
        except asyncio.CancelledError as error:
            error.__traceback__ = None
            raise

    def let_go(self) -> None:
        """The connection has ended. mitmproxy's layers hold each other, and OpenSSL's buffers with them, of which the
        garbage collector knows nothing: it would come when there are tens of megabytes."""
        http, found = self._http, set(self.layer.context.layers)
        if http is not None:
            for one in (*http.streams.values(), *http.connections.values()):
                found.update(one.context.layers)
        self.layer = _Ended(self.layer.context)
        for one in found:
            vars(one).clear()
        self.timeout_watchdog.callback = _nothing

    def _forget_ended(self) -> None:
        """mitmproxy keeps what each request had upstream for as long as the client's connection lasts, a browser's for
        hours, and looks through all of it at each further one."""
        http = self._http
        if http is None:
            return
        needed = {self.client, *self.transports, *(each.context.server for each in http.streams.values())}
        for side in [each for each in http.connections if each not in needed]:
            for one in set(http.connections.pop(side).context.layers).difference(http.context.layers):
                vars(one).clear()

    async def drain_writers(self) -> None:
        """Wait before the next read until what was read is on its way; for HTTP/2, which mitmproxy buffers without
        limit, also until the client has made room for the answer."""
        await super().drain_writers()
        if self._intercepted.facts.tier is not Tier.HTTP:
            return
        server = self._gateways.get(asyncio.current_task())
        if server is None:  # the client said something: it may have been that
            self._room.set()
            return
        while self._held_back(server) > HELD_BACK:
            self._room.clear()
            await self._room.wait()

    @property
    def _http(self) -> HttpLayer | None:
        return next((one for one in self.layer.context.layers if isinstance(one, HttpLayer)), None)

    def _held_back(self, server: Server) -> int:
        """Bytes of the answer from `server` for which the client has made no room yet."""
        http = self._http
        if http is None:
            return 0
        front, back = http.connections.get(self.client), http.connections.get(server)
        if not isinstance(front, Http2Server) or back is None:
            return 0
        end = back.context.layers[-1]
        if not isinstance(end, Http1Client) or end.stream_id is None:
            return 0
        return sum(len(piece.data) for piece in front.h2_conn.stream_buffers.get(end.stream_id, ()))

    def cut(self) -> None:
        """End the connection now."""
        transport = self.transports.get(self.client)
        if transport is not None and transport.handler is not None:
            transport.handler.cancel("shutdown")


class _Ended(layer.Layer):
    """Where a connection was: what comes late for it leads to nothing."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        context.layers.clear()

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        del event
        yield from ()


async def _nothing() -> None:
    return None
