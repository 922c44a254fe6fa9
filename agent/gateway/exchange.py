"""One exchange, from the request's head to the audit trail: route, read, judge, forward, judge the answer, record.

This is the one place of enforcement. An error of ours never forwards what was not judged.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from functools import partial

from agent.credentials import SecretCache
from agent.dialects import DIALECTS, raw_text
from agent.dialects.base import Block, Dialect, RequestHead, Voice
from agent.dialects.encoding import decode
from agent.errors import AuditError, ConfigError, ContentError, UpstreamError
from agent.gateway import headers
from agent.gateway.answers import Answering
from agent.gateway.conversations import Conversations
from agent.gateway.ledger import Ledger, captured, newest_turn
from agent.gateway.ports import AuditSink, CheckRunner, JustificationSource, PolicyInForce, SecretSource
from agent.gateway.routing import Refusal, Route, route_base_url, route_intercepted
from agent.gateway.scans import ScanPool
from agent.gateway.second_opinion import SecondOpinion
from agent.gateway.subjects import subject_of
from agent.gateway.transport.base import (
    FailureKind,
    Headers,
    Transport,
    TransportError,
    UpstreamRequest,
    UpstreamResponse,
)
from agent.gateway.wire import BodyTooLarge, ClientGone, Wire
from agent.inspection import RequestVerdict, Scope, inspect_request, judge_access
from agent.inspection.justified import Justified
from agent.inspection.verdicts import failed_check
from agent.model.decision import Action, Decision
from agent.model.ids import short_ref, uuid7
from agent.model.record import AuditEvent, CaptureMode, Incident, IncidentKind, Outcome
from agent.model.traffic import Connection, Tier

log = logging.getLogger(__name__)

MAX_BODY = 64 * 1024 * 1024  # bytes of a request, as sent and decoded
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})
_OURS = frozenset({b"accept-encoding", b"content-length", b"expect", b"host"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRequest:
    """A request's head as it came. `target` is the raw request target (path and query)."""

    connection: Connection
    method: str
    target: bytes
    headers: Headers


class Refused(Exception):
    """The exchange ends here with an error that is not policy."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


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
        self._conversations = conversations
        self._policy = policy
        self._transport = transport
        self._audit = audit
        self._secrets = SecretCache(secret, clock=time.monotonic)
        self._scans = scans
        self._capture_key = capture_key
        self._justifications = justifications
        self._max_body = max_body
        self._opinion = SecondOpinion(checks, scans)

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
        scope = self._scope(route, book.ledger, request.connection)
        if (refused := judge_access(scope)) is not None:
            if refused.applied:
                return await self._block(wire, book, _voice(book.ledger), refused)
            book.ledger.decided(refused)
        length = _announced(request.headers)
        has_body = bool(length) or b"chunked" in headers.get(request.headers, b"transfer-encoding").lower()
        response = await self._send(
            request,
            route,
            fields=headers.forwardable(
                request.headers, drop=frozenset({b"expect", b"host", b"content-length"})
            ),
            body=wire.chunks() if has_body else b"",
            length=length if has_body else None,
            ledger=book.ledger,
        )
        return await self._answering(wire, book).relay(response)

    async def _inspect(self, request: ClientRequest, route: Route, wire: Wire, book: _Book) -> bool:
        ledger = book.ledger
        assert route.endpoint is not None
        dialect = DIALECTS[route.endpoint.dialect]
        sent = await self._read(request, wire)
        with ledger.working():
            body = self._decoded(request, sent)
        scope = self._conversing(self._scope(route, ledger, request.connection), request, body)
        verdict = await self._judged(dialect, request, route, body, scope, ledger)
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
        response = await self._send(
            request, route, fields=fields, body=payload, length=len(payload), ledger=ledger
        )
        scope = replace(scope, vault=verdict.vault, open_vault=None)
        scope = scope.informed(verdict.request, unread=0 if verdict.understood else len(body))
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

    async def _judged(
        self,
        dialect: Dialect,
        request: ClientRequest,
        route: Route,
        body: bytes,
        scope: Scope,
        ledger: Ledger,
    ) -> RequestVerdict:
        head = RequestHead(
            method=request.method,
            path=route.plain_path,
            query=route.query.decode("latin-1"),
            content_type=headers.get(request.headers, b"content-type").decode("latin-1"),
        )
        with ledger.working():
            try:
                verdict = await self._scans.run(len(body), inspect_request, dialect, head, body, scope)
                if (excused := await self._justified(verdict.decision, scope)) is not None:
                    scope = excused
                    verdict = await self._scans.run(len(body), inspect_request, dialect, head, body, scope)
            except Exception:
                log.exception("inspection of exchange %s failed", ledger.id)
                verdict = RequestVerdict(decision=failed_check(scope), body=body, understood=False)
            verdict = await self._second_opinion(verdict, dialect, head, len(body), scope)
            capture = scope.rules.policy.capture
            if capture is not CaptureMode.METADATA and verdict.understood:
                ledger.prompt = self._captured_prompt(capture, dialect, head, verdict)
        return verdict

    async def _second_opinion(
        self, verdict: RequestVerdict, dialect: Dialect, head: RequestHead, size: int, scope: Scope
    ) -> RequestVerdict:
        """The verdict with what the checks say. What they ask about can be justified as anything else can."""
        if verdict.blocked or not scope.rules.policy.checks:
            return verdict
        scope = replace(scope, vault=verdict.vault)
        scope = scope.informed(verdict.request, unread=0 if verdict.understood else size)
        ruled = await self._opinion.on_request(verdict, dialect, head, scope)
        if (excused := await self._justified(ruled.decision, scope)) is None:
            return ruled
        return await self._opinion.on_request(verdict, dialect, head, excused)

    def _captured_prompt(
        self, capture: CaptureMode, dialect: Dialect, head: RequestHead, verdict: RequestVerdict
    ) -> str:
        original = newest_turn(verdict.request.slots)
        redacted = original
        if capture is CaptureMode.REDACTED and not verdict.blocked:
            redacted = newest_turn(dialect.parse_request(head, verdict.body).slots)
        elif capture is CaptureMode.REDACTED:
            redacted = ()  # a blocked prompt was not rewritten: keeping it would keep what was blocked
        return captured(capture, redacted, original, self._capture_key)

    def _scope(self, route: Route, ledger: Ledger, connection: Connection) -> Scope:
        subject = subject_of(route, connection, at=ledger.started_at)
        scope = ledger.rules.scope(subject, ref=short_ref(ledger.id))
        key = self._justifications.key if self._justifications is not None else b""
        return replace(scope, justified=Justified(key=key))

    def _conversing(self, scope: Scope, request: ClientRequest, body: bytes) -> Scope:
        """The scope that knows how to find the conversation's pseudonyms, where the policy makes any."""
        if not scope.rules.pseudonymizes:
            return scope
        subject = scope.subject
        process = request.connection.process
        program = subject.app or (process.executable or process.name if process else "")
        principal = (subject.user, program, subject.surface, subject.host)
        return replace(scope, open_vault=partial(self._conversations.vault, principal, request.headers, body))

    async def _justified(self, decision: Decision, scope: Scope) -> Scope | None:
        """The scope with the reasons that were given for findings the user was asked about, None where there are
        none. Only then is the file looked at."""
        if decision.action is not Action.ASK or self._justifications is None:
            return None
        ask = scope.rules.policy.ask
        read = partial(
            self._justifications.reasons, now=time.time(), minutes=ask.minutes, terminal=ask.terminal
        )
        try:
            reasons = await asyncio.get_running_loop().run_in_executor(None, read)
        except Exception:  # whatever is wrong with the file: the question stands
            log.exception("the justifications cannot be read")
            return None
        asked = {(hit.guardrail, print_) for hit in decision.hits for print_ in hit.fingerprints}
        if asked.isdisjoint(reasons):
            return None
        return replace(scope, justified=replace(scope.justified, reasons=reasons))

    async def _send(
        self,
        request: ClientRequest,
        route: Route,
        *,
        fields: list[tuple[bytes, bytes]],
        body: bytes | AsyncIterator[bytes],
        length: int | None,
        ledger: Ledger,
    ) -> UpstreamResponse:
        target = route.target
        default = 443 if target.tls else 80
        authority = (
            target.host
            if target.port == default or (route.upstream == "native" and target.port == 443)
            else f"{target.host}:{target.port}"
        )
        if route.credential is not None:
            name, value = await self._credential(*route.credential)
            gone = headers.CREDENTIALS | {name}
            fields = [*((key, own) for key, own in fields if key not in gone), (name, value)]
        path = f"{target.base_path}{route.path}".encode("latin-1")
        ledger.sent()
        response = await self._transport.send(
            target,
            UpstreamRequest(
                method=request.method.encode(),
                target=path + b"?" + route.query if route.query else path,
                headers=((b"host", authority.encode()), *fields),
                body=body,
                content_length=length,
            ),
        )
        if response.status in (401, 403) and route.credential is not None:
            self._secrets.forget(
                route.credential[1]
            )  # it may have been replaced: the next request reads it anew
        return response

    async def _credential(self, name: str, reference: str) -> tuple[bytes, bytes]:
        try:
            secret = await self._secrets.read(reference)
        except ConfigError as error:
            raise Refused(500, f"{error} {error.hint()}".strip()) from error
        value = f"Bearer {secret}" if name == "authorization" else secret
        return name.encode(), value.encode()

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
