"""The listener for explicit proxying: answers CONNECT, looks at names, and either pipes a connection blindly or hands
it to the engine. A host outside the catalog never reaches mitmproxy."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol
from weakref import WeakSet

from agent.errors import ConfigError
from agent.host.listening import BACKLOG
from agent.host.tasks import TaskGroup
from agent.interception import clienthello, request_head
from agent.interception.clienthello import ClientHello, NotTls
from agent.interception.request_head import BadHead, ProxyHead
from agent.interception.scope import Passage, Way
from agent.interception.tunnel import Pipe

log = logging.getLogger(__name__)

MAX_EARLY = 2 * clienthello.MAX_HELLO
"""Bytes of a client that are kept before it is known where they go."""

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"

type Dial = Callable[[Callable[[], asyncio.Protocol], str, int], Awaitable[object]]
"""Connect to a host and port with a protocol; as the gateway's transport resolves names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """How long a client may take, in seconds."""

    head: float = 10.0  # to say what it wants
    hello: float = 60.0  # from our 200 to its first bytes, and to the verdict on them
    dial: float = 15.0  # for the origin of a tunnel


class Keeper(Protocol):
    """What the front door asks the rest of the agent. Implemented once, by `interception.door`."""

    def known(self, host: str) -> bool:
        """Whether CONNECT names a catalogued host."""
        ...

    async def judge(self, head: ProxyHead, hello: ClientHello | None, peer: tuple[str, int]) -> Passage:
        """What is to be done with a connection whose first bytes are known."""
        ...

    async def intercept(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        head: ProxyHead,
        hello: ClientHello,
        passage: Passage,
    ) -> None:
        """Serve an intercepted connection until it ends."""
        ...

    def tunnelled(self, head: ProxyHead, hello: ClientHello | None, peer: tuple[str, int]) -> None:
        """Note that a connection to a host outside the catalog goes on unseen. Never waited for, must not raise."""
        ...

    async def refused(self, head: ProxyHead, passage: Passage, peer: tuple[str, int]) -> None:
        """Note that a connection was refused."""
        ...

    def pac(self) -> str:
        """The PAC file."""
        ...


class FrontDoor:
    """Accepts proxy clients on loopback."""

    def __init__(
        self, keeper: Keeper, dial: Dial, tasks: TaskGroup, *, deadlines: Deadlines | None = None
    ) -> None:
        self.keeper = keeper
        self.dial = dial
        self.tasks = tasks
        self.deadlines = deadlines or Deadlines()
        self.port = 0
        self._server: asyncio.Server | None = None
        self.waiting: set[Visitor] = set()
        self._paused: WeakSet[Pipe] = WeakSet()

    async def listen(self, port: int, *, lent: socket.socket | None = None) -> int:
        """Bind 127.0.0.1, or take the clients of a socket that listens already; returns the port. Raises ConfigError
        where it is taken."""
        loop = asyncio.get_running_loop()
        try:
            if lent is not None:
                self._server = await loop.create_server(lambda: Visitor(self), sock=lent, backlog=BACKLOG)
            else:
                self._server = await loop.create_server(
                    lambda: Visitor(self), "127.0.0.1", port, backlog=BACKLOG
                )
        except OSError as error:
            raise ConfigError(
                f"cannot listen on 127.0.0.1:{port}: {os.strerror(error.errno) if error.errno else error}",
                hint="choose another --proxy-port",
            ) from error
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self.port

    def close_listener(self) -> None:
        """Accept no more; clients that are here may still say what they want."""
        if self._server is not None:
            self._server.close()

    def lend(self, tunnel: Pipe) -> None:
        """Remember a tunnel that stands only as long as interception is paused."""
        self._paused.add(tunnel)

    def end_pause(self) -> int:
        """Cut the tunnels that a pause let pass, so that their clients come again; how many there were."""
        tunnels = [each for each in self._paused if not each.lost]
        for tunnel in tunnels:
            tunnel.abort()
        return len(tunnels)

    def close(self) -> None:
        """Accept no more, and let go of clients that have not said yet what they want."""
        self.close_listener()
        for visitor in list(self.waiting):
            visitor.leave()


class _Dialled(Pipe):
    """The origin's end of a tunnel, which may speak first."""

    def __init__(self, spoke: Callable[[], None]) -> None:
        super().__init__()
        self._spoke = spoke
        self.spoken = False

    def data_received(self, data: bytes) -> None:
        """Keep or pass the bytes; tell that the origin spoke."""
        super().data_received(data)
        if not self.joined:
            self.spoken = True
            self._spoke()


class Visitor(asyncio.Protocol):
    """A client of the front door until it is known what it wants; then its transport gets another protocol."""

    greeting = ESTABLISHED

    def __init__(self, door: FrontDoor) -> None:
        self._door = door
        self._buffer = b""
        self._head: ProxyHead | None = None
        self._origin: _Dialled | None = None
        self._answered = False
        self._judging = False
        self._deadline: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None
        self._peer: tuple[str, int] = ("", 0)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client came."""
        self._transport = transport
        peer = transport.get_extra_info("peername") or self._peer  # None where the client has left already
        self._peer = (peer[0], peer[1])
        self._door.waiting.add(self)
        self._wait(self._door.deadlines.head)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client left."""
        self._stop_waiting()
        if self._origin is not None:
            self._origin.close()

    def data_received(self, data: bytes) -> None:
        """Collect bytes until they say what the client wants."""
        self._buffer += data
        if self._head is None:
            self._read_head()
        elif self._answered and not self._judging:
            self._read_hello()
        elif len(self._buffer) > MAX_EARLY and self._transport is not None:
            self._transport.pause_reading()

    def _begin(self, head: ProxyHead) -> None:
        """It is known what the client wants."""
        self._head = head
        self._establish()

    def _accepts(self, hello: ClientHello | None) -> bool:
        """Whether a client whose first bytes are known is to be judged at all."""
        del hello
        return True

    def leave(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def _read_head(self) -> None:
        try:
            parsed = request_head.parse(self._buffer)
        except BadHead as error:
            self._say(400, str(error))
            return
        if parsed is None:
            return
        self._head, self._buffer = parsed
        if self._head.method != "CONNECT":
            self._serve(self._head)
        elif self._door.keeper.known(self._head.host):
            self._establish()
        elif self._head.host in ("127.0.0.1", "localhost", "::1") and self._head.port == self._door.port:
            self._say(403, "a tunnel to this proxy itself leads nowhere")
        else:
            self._wait(self._door.deadlines.dial + self._door.deadlines.head)  # `_dial` gives up before
            self._door.tasks.spawn(self._dial(self._head), name="dial")

    def _serve(self, head: ProxyHead) -> None:
        ours = (f"127.0.0.1:{self._door.port}", f"localhost:{self._door.port}")
        if (
            head.method in ("GET", "HEAD")
            and head.target == "/proxy.pac"
            and head.host_field in ours
            and not head.origin_field
        ):
            body = self._door.keeper.pac() if head.method == "GET" else ""
            self._say(200, body, kind="application/x-ns-proxy-autoconfig")
        else:
            self._say(501, "Drawbridge tunnels HTTPS (CONNECT); plain HTTP is not proxied")

    async def _dial(self, head: ProxyHead) -> None:
        """Reach the origin before saying that the tunnel stands, so that a failure is a clear answer."""
        origin = _Dialled(self._origin_spoke)
        try:
            async with asyncio.timeout(self._door.deadlines.dial):
                await self._door.dial(lambda: origin, head.host, head.port)
        except TimeoutError:
            self._say(504, f"{head.host}:{head.port} did not answer")
        except OSError as error:
            self._say(502, f"cannot reach {head.host}:{head.port}: {error.strerror or type(error).__name__}")
        else:
            self._origin = origin
            if self._transport is None or self._transport.is_closing():
                origin.close()
                return
            self._establish()
            if origin.spoken:
                self._origin_spoke()

    def _establish(self) -> None:
        assert self._transport is not None
        self._answered = True
        self._transport.write(self.greeting)
        self._transport.resume_reading()
        self._wait(self._door.deadlines.hello)
        if self._buffer:
            self._read_hello()

    def _origin_spoke(self) -> None:
        """A server that speaks first speaks no TLS: a blind tunnel, whatever it is."""
        if self._answered and not self._judging and not self._buffer:
            self._tunnel()

    def _read_hello(self) -> None:
        try:
            hello = clienthello.parse(self._buffer)
        except NotTls:
            hello = None
        else:
            if hello is None:
                if len(self._buffer) > MAX_EARLY:
                    self.leave()
                return
        self._judging = True
        assert self._transport is not None
        if not self._accepts(hello):
            return
        self._transport.pause_reading()
        self._door.tasks.spawn(self._judge(hello), name="judge")

    async def _judge(self, hello: ClientHello | None) -> None:
        assert self._head is not None
        try:
            passage = await self._door.keeper.judge(self._head, hello, self._peer)
        except Exception:
            self.leave()
            raise
        if self._transport is None or self._transport.is_closing():
            return
        match passage.way:
            case Way.REFUSE:
                self.leave()
                await self._door.keeper.refused(self._head, passage, self._peer)
            case Way.INTERCEPT:
                assert hello is not None
                await self._intercept(hello, passage)
            case Way.TUNNEL if self._origin is not None:
                self._tunnel(paused=passage.paused)
                self._door.keeper.tunnelled(self._head, hello, self._peer)
            case Way.TUNNEL:
                await self._late_tunnel(paused=passage.paused)
                if passage.surface is None:
                    self._door.keeper.tunnelled(self._head, hello, self._peer)

    async def _late_tunnel(self, *, paused: bool) -> None:
        """A catalogued host that passes unseen after all: the client has its 200 already."""
        assert self._head is not None
        origin = _Dialled(lambda: None)
        try:
            async with asyncio.timeout(self._door.deadlines.dial):
                await self._door.dial(lambda: origin, self._head.host, self._head.port)
        except (TimeoutError, OSError):
            self.leave()
            return
        if self._transport is None or self._transport.is_closing():
            origin.close()
            return
        self._origin = origin
        self._tunnel(paused=paused)

    def _tunnel(self, *, paused: bool = False) -> None:
        assert self._transport is not None
        assert self._origin is not None
        self._judging = True
        self._stop_waiting()
        pipe = Pipe()
        if paused:
            self._door.lend(pipe)
        self._transport.set_protocol(pipe)
        pipe.connection_made(self._transport)
        origin, self._origin = self._origin, None
        if self._buffer:
            pipe.data_received(self._buffer)
        pipe.join(origin)
        self._transport.resume_reading()

    async def _intercept(self, hello: ClientHello, passage: Passage) -> None:
        assert self._transport is not None
        assert self._head is not None
        self._stop_waiting()
        if self._origin is not None:
            self._origin.close()
            self._origin = None
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        reader.feed_data(self._buffer)
        self._buffer = b""
        writer = asyncio.StreamWriter(self._transport, protocol, reader, asyncio.get_running_loop())
        with contextlib.suppress(RuntimeError):  # feed_data may have resumed it
            self._transport.resume_reading()
        await self._door.keeper.intercept(reader, writer, self._head, hello, passage)

    def _say(self, status: int, text: str, *, kind: str = "text/plain; charset=utf-8") -> None:
        if self._transport is None or self._transport.is_closing():
            return
        body = text.encode()
        reason = {200: "OK", 400: "Bad Request", 403: "Forbidden", 501: "Not Implemented", 502: "Bad Gateway"}
        self._transport.write(
            f"HTTP/1.1 {status} {reason.get(status, 'Error')}\r\ncontent-type: {kind}\r\n"
            f"content-length: {len(body)}\r\ncache-control: no-store\r\nconnection: close\r\n\r\n".encode()
            + body
        )
        self._transport.close()

    def _wait(self, seconds: float) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = asyncio.get_running_loop().call_later(seconds, self.leave)

    def _stop_waiting(self) -> None:
        self._door.waiting.discard(self)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
