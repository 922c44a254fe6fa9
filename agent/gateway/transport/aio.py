"""The second transport, on aiohttp: for networks that are left through a company proxy, and for servers whose HTTP is
too odd for our own client.

It keeps `base.Transport`'s contract at three to four times the cost, with these differences: trailers are not
reported, pieces that arrived together may come joined, a `?` without a query is lost, header and target bytes must be
UTF-8, a streamed request's head waits for the body's first piece, and llhttp reads answers leniently.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from types import SimpleNamespace
from typing import Self, cast

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_proto import ResponseHandler
from multidict import CIMultiDict
from yarl import URL

from agent.gateway.transport.aio_failures import body_failure, head_failure
from agent.gateway.transport.base import (
    FailureKind,
    Headers,
    TransportConfig,
    TransportError,
    Tunnel,
    UpstreamRequest,
)
from agent.gateway.transport.body import ONE_WRITE, measured, slices
from agent.gateway.transport.dial import ADDRESS_DELAY, Dialer, peer_name, watched_socket
from agent.gateway.transport.head import forwarded_fields, framing_field
from agent.gateway.transport.proxy import Proxy, parse_proxy
from agent.gateway.transport.tunnel import open_proxied_tunnel, open_tunnel
from agent.host.tasks import TaskGroup
from agent.model.traffic import Target

_REPEATED = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"})  # by aiohttp itself, once
_AUTOMATIC = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")  # what aiohttp would add


class AioResponse:
    """An answer read by aiohttp. See `base.UpstreamResponse`."""

    def __init__(
        self, response: aiohttp.ClientResponse, peer: str, lease: _Lease, *, read_timeout: float
    ) -> None:
        self._response = response
        self._peer = peer
        self._lease = lease
        self._read_timeout = read_timeout
        self._failure: TransportError | None = None
        self._ended = False
        self.status = response.status
        self.reason = (response.reason or "").encode("utf-8", "surrogateescape")
        self.headers: Headers = tuple((name.lower(), value) for name, value in response.raw_headers)
        version = response.version
        self.http_version = f"{version.major}.{version.minor}" if version else "1.1"
        self.trailers: Headers = ()

    def __aiter__(self) -> Self:
        """The body, piece by piece."""
        return self

    async def __anext__(self) -> bytes:
        """The next piece. Raises TransportError where the body cannot be completed."""
        if self._failure is not None:
            raise self._failure
        if self._ended:
            raise StopAsyncIteration
        try:
            async with asyncio.timeout(self._read_timeout):
                piece = await self._response.content.readany()
        except (aiohttp.ClientError, OSError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and not self._lease.ended:
                raise  # two readers; when the transport has been closed, aiohttp says RuntimeError, too
            self._failure = body_failure(error, self._peer)
            self._close()
            raise self._failure from None
        except BaseException:
            self._close()
            raise
        if not piece:
            self._ended = True
            self._close()
            raise StopAsyncIteration
        return piece

    def chunks(self) -> AsyncIterator[bytes]:
        """The body, piece by piece."""
        return self

    async def aclose(self) -> None:
        """Give the rest up; the connection survives only if the answer had arrived in full."""
        self._close()

    def _close(self) -> None:
        self._response.close()  # leaves the connection alone once the body has arrived in full
        self._lease.end()


class _Lease:
    """The use of a session by one exchange. A session that was given up is closed with its last lease."""

    def __init__(self, session: _Session) -> None:
        self._session: _Session | None = session
        session.leases += 1

    @property
    def ended(self) -> bool:
        """Whether the session is no longer there to be used."""
        return self._session is None or self._session.http.closed

    def end(self) -> None:
        """Give the session back. Idempotent."""
        session, self._session = self._session, None
        if session is not None:
            session.leases -= 1
            session.close_if_unused()


class _Session:
    """One generation of connections."""

    def __init__(self, config: TransportConfig, context: ssl.SSLContext, tasks: TaskGroup) -> None:
        """`tasks` owns the closing of a session whose last lease ends."""
        self.leases = 0
        self._given_up = False
        self._tasks = tasks
        self.http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=context,
                resolver=_PinnedResolver(config),
                use_dns_cache=False,  # the system's cache notices a change of network
                keepalive_timeout=config.idle_timeout,
                limit=0,
                limit_per_host=config.max_connections or 0,
                happy_eyeballs_delay=ADDRESS_DELAY,
                socket_factory=watched_socket,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            skip_auto_headers=_AUTOMATIC,
            trace_configs=[_reuse_trace()],
            read_bufsize=config.read_buffer // 2,  # aiohttp pauses at twice this
            max_line_size=config.max_head,
            max_field_size=config.max_head,
            max_headers=config.max_headers,
            timeout=aiohttp.ClientTimeout(
                total=None,
                connect=config.connect_timeout + config.tls_timeout,
                sock_connect=config.connect_timeout,
                sock_read=config.head_timeout,
            ),
        )

    def give_up(self) -> None:
        """Take no further exchange; close when the last one ends."""
        self._given_up = True
        self.close_if_unused()

    def close_if_unused(self) -> None:
        """Close a session that was given up and serves nobody."""
        if self._given_up and not self.leases and not self.http.closed:
            self._tasks.spawn(self.http.close(), name="close")


class _Attempt:
    """What one try of a request has come to, for the code that aiohttp calls back."""

    def __init__(self) -> None:
        self.reused = False
        self.settled = False  # the head has come, or never will
        self.error: Exception | None = None  # what the caller's body raised


class AioTransport:
    """`base.Transport` on aiohttp, through a proxy if one is configured."""

    def __init__(self, config: TransportConfig, context: ssl.SSLContext) -> None:
        """`context` comes from `tls.client_context`. Raises ConfigError for a malformed proxy URL."""
        self._config = config
        self._context = context
        self._proxy = parse_proxy(config.proxy_url) if config.proxy_url else None
        self._dialer = Dialer(config, context)
        self._tasks = TaskGroup("aio-transport")
        self._session: _Session | None = None  # for the next exchange
        self._sessions: set[_Session] = set()  # that one, and those given up but still in use
        self._closed = False

    async def send(self, target: Target, request: UpstreamRequest) -> AioResponse:
        """Send `request`, returning at the final head. See `base.Transport`."""
        url, headers = self._encode(target, request)
        attempt = _Attempt()
        try:
            return await self._try(url, headers, request, attempt)
        except TransportError as error:
            unseen = attempt.reused and error.kind is FailureKind.CLOSED
            if not (unseen and isinstance(request.body, bytes)) or request.method in _REPEATED:
                raise
        return await self._try(url, headers, request, _Attempt())

    async def connect(self, target: Target) -> Tunnel:
        """Open a raw connection to the origin, through the proxy if there is one. See `base.Transport`."""
        origin = (target.host, target.port, target.tls)
        if self._proxy is None:
            return await open_tunnel(self._dialer, origin)
        return await open_proxied_tunnel(
            self._dialer, self._proxy, origin, within=self._config.connect_timeout
        )

    def drop_idle(self) -> None:
        """Close the connections kept for reuse."""
        session, self._session = self._session, None
        if session is not None:
            session.give_up()

    async def aclose(self) -> None:
        """Close every connection."""
        self._closed = True
        while self._sessions:
            await self._sessions.pop().http.close()
        await self._tasks.cancel()

    async def _try(
        self, url: URL, headers: CIMultiDict[str], request: UpstreamRequest, attempt: _Attempt
    ) -> AioResponse:
        if self._closed:
            raise TransportError(FailureKind.CLOSED, "the gateway is shutting down", sent=False)
        session, proxy = self._session, self._proxy
        if session is None:
            session = self._session = _Session(self._config, self._context, self._tasks)
            self._sessions = {session, *(old for old in self._sessions if not old.http.closed)}
        lease = _Lease(session)
        peer = peer_name(url.host or "", url.port or 0)
        try:
            async with asyncio.timeout(None) as stall:
                response = await session.http.request(
                    request.method.decode("ascii"),
                    url,
                    headers=headers,
                    data=self._body(request, attempt, stall),
                    allow_redirects=False,
                    proxy=proxy.url if proxy else None,
                    proxy_headers=_introduction(proxy) if proxy and url.scheme == "https" else None,
                    trace_request_ctx=attempt,
                )
        except BaseException as error:
            attempt.settled = True
            lease.end()
            if attempt.error is not None and isinstance(error, aiohttp.ClientError):
                raise attempt.error from None
            if isinstance(error, (aiohttp.ClientError, OSError, ValueError)):
                raise head_failure(error, peer, proxy) from None
            raise
        attempt.settled = True
        _stop_clock(response)
        answer = AioResponse(response, peer, lease, read_timeout=self._config.read_timeout)
        if not _is_plain(answer):
            await answer.aclose()
            raise TransportError(
                FailureKind.PROTOCOL, f"{peer} sent an answer that this transport cannot forward", sent=True
            )
        return answer

    def _encode(self, target: Target, request: UpstreamRequest) -> tuple[URL, CIMultiDict[str]]:
        fields = forwarded_fields(request)
        framing = framing_field(request)
        if framing is not None and framing[0] == b"content-length":  # aiohttp itself says chunked
            fields.append(framing)
        if self._proxy is not None and self._proxy.authorization and not target.tls:
            fields.append((b"proxy-authorization", self._proxy.authorization.encode()))
        try:
            headers = CIMultiDict([(name.decode("ascii"), value.decode()) for name, value in fields])
            path, _, query = request.target.decode().partition("?")
        except UnicodeDecodeError as error:
            raise TransportError(
                FailureKind.PROTOCOL,
                "the request cannot be forwarded: it has header or target bytes that are not UTF-8",
                sent=False,
            ) from error
        url = URL.build(
            scheme="https" if target.tls else "http",
            host=target.host,
            port=target.port,
            path=path,
            query_string=query,
            encoded=True,
        )
        return url, headers

    def _body(
        self, request: UpstreamRequest, attempt: _Attempt, stall: asyncio.Timeout
    ) -> bytes | AsyncGenerator[bytes | memoryview] | None:
        body = request.body
        if not isinstance(body, bytes):
            return self._timed(measured(body, request.content_length), attempt, stall)
        if len(body) > ONE_WRITE:
            return self._timed(slices(body), attempt, stall)
        return body or None

    async def _timed(
        self, pieces: AsyncGenerator[bytes | memoryview], attempt: _Attempt, stall: asyncio.Timeout
    ) -> AsyncGenerator[bytes | memoryview]:
        """`pieces`, with a limit on how long aiohttp needs to get rid of each, and a note of what they raise."""
        loop = asyncio.get_running_loop()

        def limit(when: float | None) -> None:
            if not attempt.settled:
                stall.reschedule(when)

        try:
            async for piece in pieces:
                limit(loop.time() + self._config.write_timeout)
                yield piece
                limit(None)
        except Exception as error:
            attempt.error = error
            raise
        finally:
            await pieces.aclose()


class _PinnedResolver(AbstractResolver):
    """The system's resolver, but for names that the configuration pins."""

    def __init__(self, config: TransportConfig) -> None:
        self._pinned = config.resolve
        self._system = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of `host`."""
        address, at_port = self._pinned.get((host, port), (host, port))
        try:
            return await self._system.resolve(address, at_port, family)
        except UnicodeError as error:
            raise OSError("no valid name") from error

    async def close(self) -> None:
        """Nothing is held."""
        await self._system.close()


def _reuse_trace() -> aiohttp.TraceConfig:
    async def reused(session: aiohttp.ClientSession, context: SimpleNamespace, params: object) -> None:
        attempt = cast("_Attempt", context.trace_request_ctx)
        attempt.reused = True

    trace = aiohttp.TraceConfig()
    trace.on_connection_reuseconn.append(reused)
    return trace


def _introduction(proxy: Proxy) -> dict[str, str]:
    return {"Proxy-Authorization": proxy.authorization} if proxy.authorization else {}


def _stop_clock(response: aiohttp.ClientResponse) -> None:
    """End aiohttp's count of silence, which is set for the head: the body has its own."""
    connection = response.connection
    if connection is not None and isinstance(protocol := connection.protocol, ResponseHandler):
        protocol.read_timeout = None
        protocol.start_timeout()


def _is_plain(answer: AioResponse) -> bool:
    """Whether the answer is framed as our own client demands; aiohttp would pass on what it does not undo."""
    codings = [value.lower() for name, value in answer.headers if name == b"transfer-encoding"]
    return answer.status >= 200 and codings in ([], [b"chunked"])
