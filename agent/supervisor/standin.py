"""Stands in for the engine at its ports while none runs: tunnels what may pass unseen, refuses the rest, and says why.

Nothing is decrypted here. What passes is counted, so that the engine can tell of it when it is back.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from urllib.parse import urlsplit

from agent.host.proxy_exceptions import ProxyExceptions
from agent.host.standin_file import StandInFacts
from agent.host.tasks import TaskGroup
from agent.interception import request_head
from agent.interception.request_head import BadHead, ProxyHead
from agent.interception.tunnel import Pipe
from agent.supervisor.acceptor import Acceptor

_PATIENCE = 15.0  # seconds for a client's head, and for an origin
_ADDRESS_DELAY = 0.25  # seconds until the next address is tried beside the first (RFC 8305 section 5)
_MAX_EARLY = 64 * 1024  # bytes of a client before its tunnel stands
_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
_REASONS = {
    200: "OK",
    400: "Bad Request",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
}
_AWAY = "Drawbridge is being restarted"


class StandIn:
    """Serves the two listening sockets from `open` to `close`. Tunnels outlive it."""

    def __init__(
        self,
        proxy: socket.socket,
        gateway: socket.socket,
        facts: Callable[[], StandInFacts],
        *,
        upstream_proxy: str | None = None,
        direct: Iterable[str] = (),
        resolve: Callable[[str, int], tuple[str, int]] = lambda host, port: (host, port),
    ) -> None:
        """`facts` are asked for each client. `upstream_proxy` is `http://host:port`, `direct` the hosts that it is not
        for; `resolve` sends named origins elsewhere, as the engine's setting of that name does."""
        self._excepted = ProxyExceptions.parse(direct)
        self._sockets = (proxy, gateway)
        self.facts = facts
        self._upstream = _endpoint(upstream_proxy) if upstream_proxy else None
        self._resolve = resolve
        self.tasks = TaskGroup("stand-in")
        self._doors: list[Acceptor] = []
        self.passed = self.refused = 0

    @property
    def active(self) -> bool:
        """Whether it serves."""
        return bool(self._doors)

    def open(self) -> None:
        """Begin to serve. The sockets stay their owner's."""
        if self.active:
            return
        proxy, gateway = self._sockets
        self._doors = [
            Acceptor(proxy, lambda: _Visitor(self), self.tasks),
            Acceptor(gateway, _Caller, self.tasks),
        ]
        for each in self._doors:
            each.open()

    def counted(self) -> tuple[int, int]:
        """How many connections passed unseen and how many were refused since this was last asked."""
        counts = (self.passed, self.refused)
        self.passed = self.refused = 0
        return counts

    def close(self) -> None:
        """Take no more clients."""
        for each in self._doors:
            each.close()
        self._doors = []

    async def dial(self, pipe: Pipe, host: str, port: int) -> None:
        """Connect `pipe` to an origin. Raises OSError."""
        loop = asyncio.get_running_loop()
        address, at = self._resolve(host, port)
        if self._upstream is None or (address, at) != (host, port) or self._excepted.cover(host):
            await loop.create_connection(lambda: pipe, address, at, happy_eyeballs_delay=_ADDRESS_DELAY)
            return
        ready: asyncio.Future[None] = loop.create_future()
        ready.add_done_callback(lambda done: done.cancelled() or done.exception())  # also where nobody waits
        request = f"CONNECT {host}:{port} HTTP/1.1\r\nhost: {host}:{port}\r\n\r\n".encode()
        await loop.create_connection(lambda: _Upstream(request, pipe, ready), *self._upstream)
        await ready


class _Visitor(asyncio.Protocol):
    """A client of the proxy's port until its tunnel stands."""

    def __init__(self, standin: StandIn) -> None:
        self._standin = standin
        self._buffer = b""
        self._dialling = False
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._deadline = asyncio.get_running_loop().call_later(2 * _PATIENCE, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._dialling:
            if len(self._buffer) > _MAX_EARLY and self._transport is not None:
                self._transport.pause_reading()
            return
        try:
            parsed = request_head.parse(self._buffer)
        except BadHead as error:
            self._say(400, str(error))
            return
        if parsed is not None:
            head, self._buffer = parsed
            self._answer(head)

    def _answer(self, head: ProxyHead) -> None:
        facts = self._standin.facts()
        if head.method != "CONNECT":
            if head.method == "GET" and head.target == "/proxy.pac" and facts.pac and not head.origin_field:
                self._say(200, facts.pac, kind="application/x-ns-proxy-autoconfig")
            else:
                self._say(501, "Drawbridge tunnels HTTPS (CONNECT); plain HTTP is not proxied")
        elif facts.refuses(head.host):
            self._standin.refused += 1
            self._say(503, f"{_AWAY}, and policy lets nothing pass to {head.host} unseen. Try again soon.")
        else:
            self._dialling = True
            self._standin.tasks.spawn(self._tunnel(head), name="dial")

    async def _tunnel(self, head: ProxyHead) -> None:
        origin = Pipe()
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._standin.dial(origin, head.host, head.port)
        except (OSError, TimeoutError) as error:
            self._say(502, f"cannot reach {head.host}:{head.port}: {type(error).__name__}")
            return
        transport = self._transport
        if transport is None or transport.is_closing():
            origin.close()
            return
        self._standin.passed += 1
        self._stop_waiting()
        transport.write(_ESTABLISHED)
        pipe = Pipe()
        transport.set_protocol(pipe)
        pipe.connection_made(transport)
        if self._buffer:
            pipe.data_received(self._buffer)
        pipe.join(origin)
        transport.resume_reading()

    def _say(self, status: int, text: str, *, kind: str = "text/plain; charset=utf-8") -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(_reply(status, text.encode(), kind))
            self._transport.close()

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()


class _Caller(asyncio.Protocol):
    """A client of the gateway's port: told to come back."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        error = {"message": f"{_AWAY}. Try again soon.", "type": "server_error", "code": "restarting"}
        body = json.dumps({"error": error}).encode()
        self._transport.write(_reply(503, body, "application/json", "retry-after: 5\r\n"))
        self._transport.close()


class _Upstream(asyncio.Protocol):
    """Asks the company's proxy for a tunnel, then gives the connection to its pipe (RFC 9110 section 9.3.6)."""

    def __init__(self, request: bytes, pipe: Pipe, ready: asyncio.Future[None]) -> None:
        self._request = request
        self._pipe = pipe
        self._ready = ready
        self._answer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, end, rest = self._answer.partition(b"\r\n\r\n")
        if not end and len(self._answer) <= _MAX_EARLY:
            return
        assert self._transport is not None
        if not head.split(b" ", 2)[1:2] or not head.split(b" ", 2)[1].startswith(b"2"):
            self._fail("the company proxy refused")
            self._transport.abort()
            return
        self._transport.set_protocol(self._pipe)
        self._pipe.connection_made(self._transport)
        if rest:
            self._pipe.data_received(rest)
        if not self._ready.done():
            self._ready.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail("the company proxy closed the connection")

    def _fail(self, reason: str) -> None:
        if not self._ready.done():
            with suppress(asyncio.InvalidStateError):
                self._ready.set_exception(ConnectionError(reason))


def _endpoint(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 80


def _reply(status: int, body: bytes, kind: str, more: str = "") -> bytes:
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n{more}"
        "cache-control: no-store\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body
