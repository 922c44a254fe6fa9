"""One exchange, from the request's head to the audit trail: route, read, judge, forward, judge the answer, record.

This is the one place of enforcement. An error of ours never forwards what was not judged.
"""

from __future__ import annotations

import asyncio
import logging

from agent.dialects import DIALECTS, raw_text
from agent.dialects.base import Block, Voice
from agent.dialects.encoding import decode
from agent.errors import AuditError, ContentError, UpstreamError
from agent.gateway import headers
from agent.gateway.answers import Answering
from agent.gateway.conversations import Conversations
from agent.gateway.direct import Direct
from agent.gateway.judging import Judge, Question
from agent.gateway.ledger import Ledger
from agent.gateway.ports import AuditSink, CheckRunner, JustificationSource, PolicyInForce, SecretSource
from agent.gateway.routing import Refusal, Refused, Route, route_base_url, route_intercepted
from agent.gateway.scans import ScanPool
from agent.gateway.second_opinion import SecondOpinion
from agent.gateway.transport.base import (
    FailureKind,
    Headers,
    Transport,
    TransportError,
)
from agent.gateway.wire import BodyTooLarge, ClientGone, ClientRequest, Wire
from agent.inspection import judge_access
from agent.model.decision import Decision
from agent.model.ids import short_ref, uuid7
from agent.model.record import AuditEvent, Incident, IncidentKind, Outcome
from agent.model.traffic import Tier

log = logging.getLogger(__name__)

MAX_BODY = 64 * 1024 * 1024  # bytes of a request, as sent and decoded
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})
_OURS = frozenset({b"accept-encoding", b"content-length", b"expect", b"host"})


class ExchangeHandler:
    """Carries exchanges from client to upstream and back."""

    def __init__(
        self,
        *,
        policy: PolicyInForce,
        transport: Transport,
        audit: AuditSink,
        secret: SecretSource,
        scans: ScanPool,
        capture_key: bytes,
        justifications: JustificationSource | None = None,
        conversations: Conversations,
        max_body: int = MAX_BODY,
        checks: CheckRunner | None = None,
    ) -> None:
        self._policy = policy
        self._audit = audit
        self._scans = scans
        self._capture_key = capture_key
        self._max_body = max_body
        self._opinion = SecondOpinion(checks, scans)
        self._direct = Direct(transport, secret)
        self._judge = Judge(
            scans=scans,
            opinion=self._opinion,
            conversations=conversations,
            capture_key=capture_key,
            justifications=justifications,
        )

    async def handle(self, request: ClientRequest, wire: Wire) -> bool:
        """Serve one exchange. Returns False where the client's connection must be cut: the answer could not be ended
        as it should. Never raises."""
        ledger = Ledger(self._policy.rules, request.connection, method=request.method)
        book = _Book(ledger, self._audit, wire)
        try:
            return await self._serve(request, wire, book)
        except (ClientGone, asyncio.CancelledError):
            ledger.outcome = Outcome.CLIENT_CLOSED
            return False
        except Exception as error:
            log.exception("exchange %s failed", ledger.id)
            ledger.outcome, ledger.error = Outcome.FAILED, type(error).__name__
            return await self._say(
                wire, book, _voice(ledger), 500, "Drawbridge could not handle this request"
            )
        finally:
            await book.settle()

    async def _serve(self, request: ClientRequest, wire: Wire, book: _Book) -> bool:
        ledger = book.ledger
        try:
            route = self._route(request, ledger)
            if route.endpoint is None or request.method in _BODILESS:
                return await self._pass(request, route, wire, book)
            return await self._inspect(request, route, wire, book)
        except Refused as refused:
            ledger.outcome, ledger.error = Outcome.REFUSED, str(refused)
            if refused.status == 421:
                await self._misdirected(ledger, str(refused))
            return await self._say(wire, book, _voice(ledger), refused.status, str(refused))
        except UpstreamError as error:
            ledger.outcome, ledger.error = Outcome.UPSTREAM_FAILED, str(error)
            late = isinstance(error, TransportError) and error.kind is FailureKind.TIMEOUT
            status = 504 if late else 502
            return await self._say(wire, book, _voice(ledger), status, f"Drawbridge: {error}")

    def _route(self, request: ClientRequest, ledger: Ledger) -> Route:
        if request.connection.tier is Tier.BASE_URL:
            route = route_base_url(ledger.rules, request.target)
        else:
            route = route_intercepted(ledger.rules, request.connection, request.headers, request.target)
        if isinstance(route, Refusal):
            if route.bound_for is not None:
                ledger.routed(route.bound_for)  # so that the client is answered in its dialect
                ledger.upstream = ""
            raise Refused(route.status, route.message)
        ledger.routed(route)
        return route

    async def _pass(self, request: ClientRequest, route: Route, wire: Wire, book: _Book) -> bool:
        """Anything that asks no model: through as it came, both ways."""
        scope = self._judge.scope(route, book.ledger, request.connection)
        if (refused := judge_access(scope)) is not None:
            if refused.applied:
                return await self._block(wire, book, _voice(book.ledger), refused)
            book.ledger.decided(refused)
        length = _announced(request.headers)
        has_body = bool(length) or b"chunked" in headers.get(request.headers, b"transfer-encoding").lower()
        fields = headers.forwardable(request.headers, drop=frozenset({b"expect", b"host", b"content-length"}))
        body = wire.chunks() if has_body else b""
        book.ledger.sent()
        response = await self._direct.send(
            request.method, route, fields, body, length=length if has_body else None
        )
        return await self._answering(wire, book).relay(response)

    async def _inspect(self, request: ClientRequest, route: Route, wire: Wire, book: _Book) -> bool:
        ledger = book.ledger
        assert route.endpoint is not None
        dialect = DIALECTS[route.endpoint.dialect]
        sent = await self._read(request, wire)
        with ledger.working():
            body = self._decoded(request, sent)
        question = Question(request=request, route=route, dialect=dialect, body=body)
        verdict, scope = await self._judge.judge(question, ledger)
        ledger.request = verdict.request
        ledger.decided(verdict.decision)
        ledger.error = verdict.problem
        if verdict.blocked:
            return await self._block(wire, book, dialect, None)
        changed = verdict.body is not body
        fields = headers.forwardable(request.headers, drop=_OURS)
        fields = headers.without_body_facts(fields) if changed else fields
        fields.append((b"accept-encoding", b"identity"))
        payload = verdict.body if changed else sent
        ledger.sent()
        response = await self._direct.send(request.method, route, fields, payload, length=len(payload))
        return await self._answering(wire, book).inspect(response, dialect, verdict.request, scope)

    async def _read(self, request: ClientRequest, wire: Wire) -> bytes:
        try:
            return await wire.body(limit=self._max_body, announced=_announced(request.headers))
        except BodyTooLarge:
            raise Refused(413, f"the request is larger than {self._max_body // 2**20} MB") from None

    def _decoded(self, request: ClientRequest, sent: bytes) -> bytes:
        encoding = headers.combined(request.headers, b"content-encoding")
        if not encoding:
            return sent
        try:
            return decode(sent, encoding.decode("latin-1"), limit=self._max_body)
        except ContentError as error:
            raise Refused(400, str(error)) from error

    def _answering(self, wire: Wire, book: _Book) -> Answering:
        return Answering(
            wire,
            book.ledger,
            book.settle,
            self._scans,
            self._opinion,
            self._capture_key,
            limit=self._max_body,
        )

    async def _block(self, wire: Wire, book: _Book, voice: Voice, decision: Decision | None) -> bool:
        ledger = book.ledger
        if decision is not None:
            ledger.decided(decision)
        ledger.outcome = Outcome.BLOCKED
        block = voice.block(ledger.decision.message)
        return await self._answer(wire, book, block)

    async def _say(self, wire: Wire, book: _Book, voice: Voice, status: int, message: str) -> bool:
        """Tell the client about an error, unless an answer has already begun."""
        if wire.started:
            return wire.finished
        return await self._answer(wire, book, voice.error(status, message))

    async def _answer(self, wire: Wire, book: _Book, block: Block) -> bool:
        book.ledger.status, book.ledger.response_bytes = block.status, len(block.body)
        book.ledger.first_byte()
        await book.settle()
        reference = (b"x-drawbridge-ref", short_ref(book.ledger.id).encode())
        await wire.answer(block.status, (*block.headers, reference), block.body)
        return True

    async def _misdirected(self, ledger: Ledger, message: str) -> None:
        incident = Incident(
            id=uuid7(ledger.started_at),
            at=ledger.started_at,
            kind=IncidentKind.MISDIRECTED,
            message=message,
            connection=ledger.connection,
        )
        await _append(self._audit, incident)


class _Book:
    """Writes a ledger's record once: before the last byte of an answer leaves, or at the latest when all is over."""

    def __init__(self, ledger: Ledger, audit: AuditSink, wire: Wire) -> None:
        self.ledger = ledger
        self._audit = audit
        self._wire = wire
        self._settled = False

    async def settle(self) -> None:
        """Make the record durable."""
        if not self._settled:
            self._settled = True
            self.ledger.request_bytes = self._wire.bytes_in
            self.ledger.response_bytes = self.ledger.response_bytes or self._wire.bytes_out
            await _append(self._audit, self.ledger.close())


async def _append(audit: AuditSink, event: AuditEvent) -> None:
    try:
        await audit.append(event)
    except AuditError as error:
        log.error("audit event lost: %s", error)  # noqa: TRY400  the cause is in the message


def _voice(ledger: Ledger) -> Voice:
    return DIALECTS[ledger.dialect] if ledger.dialect else raw_text.RawText()


def _announced(fields: Headers) -> int | None:
    value = headers.get(fields, b"content-length")
    return int(value) if value.isdigit() else None
