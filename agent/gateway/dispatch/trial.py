"""One try: admit, prepare, sign, send, and hold the answer until it is worth committing to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from agent.dialects.encoding import decode
from agent.errors import ConfigError, ContentError, UpstreamError
from agent.gateway.dispatch.following import Following
from agent.gateway.dispatch.holding import MAX_ERROR, Held, collect, hold
from agent.gateway.dispatch.patience import Deadline, Stalled, silent
from agent.gateway.dispatch.ports import Credentials, Order, Prepared
from agent.gateway.dispatch.relayed import Relayed
from agent.gateway.plain import coding
from agent.gateway.transport.base import (
    FailureKind,
    Headers,
    Transport,
    TransportError,
    UpstreamRequest,
    UpstreamResponse,
)
from agent.routing.attempts import Try
from agent.routing.failures import ANSWERS, Cause, Failure, of_status
from agent.routing.health import HealthBook, Route

_CAUSES: Mapping[FailureKind, Cause] = MappingProxyType(
    {
        FailureKind.DNS: Cause.DNS,
        FailureKind.CONNECT: Cause.CONNECT,
        FailureKind.TLS: Cause.TLS,
        FailureKind.TIMEOUT: Cause.TIMEOUT,
        FailureKind.PROTOCOL: Cause.PROTOCOL,
        FailureKind.CLOSED: Cause.CLOSED,
    }
)
_ERROR_SECONDS = 10.0
"""So long an error's body is waited for: its status says enough."""

_PIECES = 5
"""So many pieces of a stream give a speed."""


@dataclass(slots=True)
class Committed:
    """The try was answered."""

    response: Relayed
    prepared: Prepared
    status: int
    ms: float
    first_token_ms: float | None


@dataclass(slots=True)
class Setback:
    """The try came to nothing. `sent`: bytes of the request may have reached the provider. `answer`: what the provider
    said, whole, where that is the client's to see."""

    failure: Failure
    ms: float
    sent: bool = False
    answer: Relayed | None = None
    prepared: Prepared | None = None


class Trial:
    """Makes tries. Composed once."""

    def __init__(
        self,
        transport: Transport,
        credentials: Credentials,
        health: HealthBook,
        *,
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._transport = transport
        self._following = Following(transport)
        self._credentials = credentials
        self._health = health
        self._clock = clock
        self._wall = wall

    async def run(self, order: Order, attempt: Try, *, first_token: float | None) -> Committed | Setback:
        """Make one. `first_token` limits the wait for a stream's first content. Cancelled, it leaves nothing open."""
        started = self._clock()
        try:
            prepared = await self._prepared(order, attempt)
        except _NotSent as reason:
            return Setback(reason.failure, self._ms(started))
        candidate, key = attempt.candidate, attempt.key
        route = (candidate.provider.id, key.name, candidate.model)
        if not self._health.began(route, started, key.concurrency):
            failure = Failure(cause=Cause.BUSY, message="is at the key's limit of requests at a time")
            return Setback(failure, self._ms(started))
        outcome: Committed | Setback | None = None
        try:
            outcome = await self._sent(order, attempt, prepared, route, started, first_token)
        finally:
            if not isinstance(outcome, Committed):
                self._health.released(route)
        if isinstance(outcome, Setback):
            self._judge(route, outcome.failure)
            if outcome.failure.cause is Cause.CREDENTIALS:
                self._credentials.refused(key)
        return outcome

    async def _prepared(self, order: Order, attempt: Try) -> Prepared:
        refusal = await order.admit(attempt.candidate)
        if refusal is not None:
            failure = Failure(
                cause=Cause.BUDGET,
                status=refusal.status,
                retry_after=refusal.retry_after,
                message=refusal.message,
            )
            raise _NotSent(failure)
        try:
            return order.prepare(attempt.candidate)
        except ContentError as error:
            raise _NotSent(
                Failure(cause=Cause.UNTRANSLATABLE, message=f"cannot be asked this: {error}")
            ) from error

    async def _sent(
        self,
        order: Order,
        attempt: Try,
        prepared: Prepared,
        route: Route,
        started: float,
        first_token: float | None,
    ) -> Committed | Setback:
        try:
            request = await self._signed(order, attempt, prepared)
        except ConfigError:
            message = "has a key that cannot be read on this machine"
            return Setback(Failure(cause=Cause.SECRET, message=message), self._ms(started))
        response: UpstreamResponse | None = None
        outcome: Committed | Setback | None = None
        try:
            if first_token is None or prepared.source is None:
                response = await self._head(prepared, request)
                outcome = await self._judged(order, prepared, response, route, started)
            else:
                with Deadline(first_token):
                    response = await self._head(prepared, request)
                    outcome = await self._judged(order, prepared, response, route, started)
        except Stalled:
            failure = Failure(cause=Cause.STALLED, message="gave no content in time")
            return Setback(failure, self._ms(started), sent=True)
        except TransportError as error:
            failure = Failure(cause=_CAUSES[error.kind], message=f"failed: {error}")
            return Setback(failure, self._ms(started), sent=error.sent)
        finally:
            if response is not None and not isinstance(outcome, Committed):
                await response.aclose()
        return outcome

    async def _head(self, prepared: Prepared, request: UpstreamRequest) -> UpstreamResponse:
        if prepared.follow is not None:
            return await self._following.send(prepared, request, prepared.follow)
        if prepared.silence is None:
            return await self._transport.send(prepared.target, request)
        try:
            with Deadline(prepared.silence):
                return await self._transport.send(prepared.target, request)
        except Stalled:
            raise silent() from None

    async def _signed(self, order: Order, attempt: Try, prepared: Prepared) -> UpstreamRequest:
        credentials = await self._credentials.headers(attempt.candidate, attempt.key, prepared)
        fields = _with_credentials(prepared, credentials)
        body: bytes | AsyncIterator[bytes] = prepared.body
        if not order.repeatable:
            body = _once(prepared.body)  # so that the transport, too, sends it only once
        return UpstreamRequest(
            method=prepared.method,
            target=prepared.wire_target,
            headers=fields,
            body=body,
            content_length=len(prepared.body),
        )

    async def _judged(
        self,
        order: Order,
        prepared: Prepared,
        response: UpstreamResponse,
        route: Route,
        started: float,
    ) -> Committed | Setback:
        if response.status >= 300:
            return await self._refused(prepared, response, started)
        held = await hold(response, prepared.source, silence=prepared.silence)
        now = self._clock()
        ms = (now - started) * 1000.0
        if held.failure is not None:
            answer = self._answer(response, held.chunks) if held.failure.cause in ANSWERS else None
            return Setback(held.failure, ms, sent=True, answer=answer, prepared=prepared)
        first_token_ms = ms if held.streamed else None
        self._health.answered(route, now, first_ms=first_token_ms, tokens=order.tokens)
        return Committed(
            Relayed(
                response,
                held.chunks,
                held.rest,
                partial(self._over, route, now, streamed=held.streamed),
                stall=order.plan.limits.stall,
            ),
            prepared,
            response.status,
            ms,
            first_token_ms,
        )

    async def _refused(self, prepared: Prepared, response: UpstreamResponse, started: float) -> Setback:
        """An answer that is an error, or a redirection, which nobody follows."""
        held = Held()
        try:
            async with asyncio.timeout(_ERROR_SECONDS):
                held = await collect(response, MAX_ERROR)
        except (TimeoutError, UpstreamError):
            pass  # the status says enough
        body = _plain(response, b"".join(held.chunks))
        failure = of_status(response.status, response.headers, body, wall=self._wall())
        answer = self._answer(response, held.chunks) if failure.cause in ANSWERS else None
        return Setback(failure, self._ms(started), sent=True, answer=answer, prepared=prepared)

    def _answer(self, response: UpstreamResponse, chunks: list[bytes]) -> Relayed:
        fields = tuple(pair for pair in response.headers if pair[0] != b"content-length")
        size = b"%d" % sum(map(len, chunks))
        return Relayed(
            response, chunks, None, _nothing, stall=1.0, headers=(*fields, (b"content-length", size))
        )

    def _judge(self, route: Route, failure: Failure) -> None:
        now = self._clock()
        if failure.cause in ANSWERS and failure.cause is not Cause.EMPTY:
            self._health.answered(route, now)  # it said no to the request, and works
        else:
            self._health.failed(route, failure, now)

    def _over(
        self, route: Route, since: float, pieces: int, error: UpstreamError | None, *, streamed: bool
    ) -> None:
        """An answer that was committed to is over."""
        self._health.released(route)
        now = self._clock()
        if error is not None:
            kind = error.kind if isinstance(error, TransportError) else FailureKind.CLOSED
            self._health.failed(route, Failure(cause=_CAUSES[kind]), now)
        elif streamed and pieces >= _PIECES and now > since:
            self._health.streamed(route, chunks_per_second=pieces / (now - since))

    def _ms(self, started: float) -> float:
        return (self._clock() - started) * 1000.0


class _NotSent(Exception):
    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def _nothing(pieces: int, error: UpstreamError | None) -> None:
    del pieces, error


def _with_credentials(prepared: Prepared, credentials: Headers) -> Headers:
    names = {name for name, _ in credentials}
    fields = [pair for pair in prepared.headers if pair[0] not in names]
    fields += credentials
    for name, _ in fields:
        if name == b"host":
            return tuple(fields)
    return ((b"host", prepared.authority), *fields)


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body


def _plain(response: UpstreamResponse, body: bytes) -> bytes:
    named = coding(response)
    if not named:
        return body
    try:
        return decode(body, named, limit=MAX_ERROR * 4)
    except ContentError:
        return b""
