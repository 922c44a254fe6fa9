"""Asks on where a provider's first answer is only the promise of one: a job that was taken (Replicate's predictions).

Until the answer is there, or its stream has begun, nothing has gone to the client, so all of it is one try. A URL that
a provider names is followed only to the address that was asked and, by TLS, to the hosts of the provider's catalog row.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from urllib.parse import urlsplit

from agent.catalog.patterns import fits
from agent.errors import ContentError
from agent.gateway.dispatch.holding import MAX_WHOLE, collect
from agent.gateway.dispatch.patience import Deadline, Stalled, silent
from agent.gateway.dispatch.ports import Follow, Prepared
from agent.gateway.transport.base import (
    FailureKind,
    Headers,
    Transport,
    TransportError,
    UpstreamRequest,
    UpstreamResponse,
)
from agent.model.conversation import Ended, StreamFailed
from agent.model.traffic import Target
from agent.translation.base import Promise

_PAUSES = (0.2, 0.4, 0.8, 1.5)  # seconds between looks, the last one again and again
_PATIENCE = 600.0  # seconds until a job is taken for lost: as long as a transport waits for an answer
_FAREWELL = 10.0  # seconds to tell a provider that nobody waits any more
_KEPT = frozenset({b"authorization", b"user-agent", b"accept-encoding"})
_FAILED = 500


class Following:
    """Sends requests, and asks on. Composed once."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._farewells: set[asyncio.Task[None]] = set()

    async def send(self, prepared: Prepared, request: UpstreamRequest, follow: Follow) -> UpstreamResponse:
        """The answer, or the failure in its place: of status 500 where the job came to nothing. A job that is left is
        given up at the provider. Raises TransportError."""
        errand = _Errand(self._transport, prepared, request, follow)
        try:
            response = await errand.run()
        except BaseException:
            self._give_up(errand)
            raise
        return _Followed(response, self, errand, follow) if errand.waits else response

    def _give_up(self, errand: _Errand) -> None:
        if errand.waits:
            errand.waits = False
            farewell = asyncio.get_running_loop().create_task(errand.cancel(), name="cancel-job")
            self._farewells.add(farewell)
            farewell.add_done_callback(self._farewells.discard)


class _Errand:
    """One job. `waits`: it may be under way."""

    def __init__(
        self, transport: Transport, prepared: Prepared, request: UpstreamRequest, follow: Follow
    ) -> None:
        self._transport = transport
        self._prepared = prepared
        self._request = request
        self._follow = follow
        self._cancel = ""
        self.waits = False

    async def run(self) -> UpstreamResponse:
        """To the answer, or to the head of its stream."""
        loop = asyncio.get_running_loop()
        until = loop.time() + (self._prepared.silence or _PATIENCE)
        response = await self._sent(self._prepared.target, self._request)
        for look in range(1_000_000):
            if response.status >= 300:
                return response
            body, promise = await self._read(response)
            if promise.failed or promise.over:
                return _Whole(response, body, status=_FAILED if promise.failed else 200)
            if self._follow.stream and promise.stream:
                return await self._ask(b"GET", promise.stream, accept=b"text/event-stream")
            if not promise.poll:
                raise TransportError(FailureKind.PROTOCOL, "promises an answer and names no place", sent=True)
            if loop.time() >= until:
                raise TransportError(FailureKind.TIMEOUT, "gave no answer in time", sent=True)
            await asyncio.sleep(_PAUSES[min(look, len(_PAUSES) - 1)])
            response = await self._ask(b"GET", promise.poll, accept=b"application/json")
        raise AssertionError  # by then time is long over

    async def cancel(self) -> None:
        """Tell the provider that nobody waits."""
        with suppress(TransportError, Stalled), Deadline(_FAREWELL):
            response = await self._ask(b"POST", self._cancel, accept=b"application/json")
            await response.aclose()

    async def _read(self, response: UpstreamResponse) -> tuple[bytes, Promise]:
        try:
            held = await collect(response, MAX_WHOLE, silence=self._prepared.silence)
        finally:
            await response.aclose()
        if held.rest is not None:
            raise TransportError(FailureKind.PROTOCOL, "sent more than an answer can be", sent=True)
        body = b"".join(held.chunks)
        try:
            promise = self._follow.read(body)
        except ContentError as error:
            raise TransportError(FailureKind.PROTOCOL, str(error), sent=True) from error
        self._cancel = promise.cancel
        self.waits = bool(promise.cancel) and not (promise.over or promise.failed)
        return body, promise

    async def _ask(self, method: bytes, url: str, *, accept: bytes) -> UpstreamResponse:
        target, path = self._place(url)
        asked = Prepared(target=target, path=path, body=b"")
        fields = [(b"host", asked.authority), (b"accept", accept)]
        fields += [pair for pair in self._request.headers if pair[0] in _KEPT]
        request = UpstreamRequest(method=method, target=path, headers=tuple(fields))
        return await self._sent(target, request)

    async def _sent(self, target: Target, request: UpstreamRequest) -> UpstreamResponse:
        if self._prepared.silence is None:
            return await self._transport.send(target, request)
        try:
            with Deadline(self._prepared.silence):
                return await self._transport.send(target, request)
        except Stalled:
            raise silent() from None

    def _place(self, url: str) -> tuple[Target, bytes]:
        """Where a URL leads. Raises TransportError where the provider has no business there."""
        own = self._prepared.target
        try:
            parts = urlsplit(url)
            host, tls = (parts.hostname or "").lower(), parts.scheme == "https"
            port = parts.port or (443 if tls else 80)
        except ValueError:
            host, tls, port = "", False, 0
            parts = urlsplit("")
        here = (host, port, tls) == (own.host.lower(), own.port, own.tls) and parts.scheme in (
            "http",
            "https",
        )
        near = tls and port == 443 and any(fits(pattern, host) for pattern in self._follow.hosts)
        if not host or parts.username is not None or not (here or near):
            raise TransportError(FailureKind.PROTOCOL, "names a place that is not the provider's", sent=True)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if not path.isascii() or any(char <= " " for char in path):
            raise TransportError(FailureKind.PROTOCOL, "names a place that cannot be asked", sent=True)
        return Target(host=host, port=port, tls=tls), path.encode("ascii")


class _Whole:
    """Implements `UpstreamResponse`: an answer that was read to its end, under the status that it means."""

    def __init__(self, response: UpstreamResponse, body: bytes, *, status: int) -> None:
        self.status = status
        self.reason = b""
        self.headers: Headers = response.headers
        self.http_version = response.http_version
        self.trailers: Headers = ()
        self._body = body

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body."""
        yield self._body

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.chunks()

    async def aclose(self) -> None:
        """It is over already."""


class _Followed:
    """Implements `UpstreamResponse`: a stream whose job is given up where it is left, or breaks off, before its end."""

    def __init__(
        self, response: UpstreamResponse, following: Following, errand: _Errand, follow: Follow
    ) -> None:
        self.status = response.status
        self.reason = response.reason
        self.headers: Headers = response.headers
        self.http_version = response.http_version
        self._response = response
        self._following = following
        self._errand = errand
        self._source = follow.source()

    @property
    def trailers(self) -> Headers:
        """The stream's."""
        return self._response.trailers

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body."""
        async for piece in self._response:
            self._watch(piece)
            yield piece
        self._following._give_up(self._errand)  # noqa: SLF001  of one module

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.chunks()

    async def aclose(self) -> None:
        """See `UpstreamResponse`."""
        self._following._give_up(self._errand)  # noqa: SLF001  of one module
        await self._response.aclose()

    def _watch(self, piece: bytes) -> None:
        """After its own end there is nothing to give up."""
        if self.status < 300 and self._errand.waits:
            with suppress(ContentError):
                events = self._source.feed(piece)
                self._errand.waits = not any(isinstance(event, Ended | StreamFailed) for event in events)
