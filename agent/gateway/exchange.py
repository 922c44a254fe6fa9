"""One exchange, from the request's head to the audit trail: route, read, judge, forward, judge the answer, record.

This is the one place of enforcement. An error of ours never forwards what was not judged.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from agent.accounts import presented
from agent.accounts.accounts import Accounts
from agent.accounts.denials import Denial
from agent.dialects import DIALECTS, opaque
from agent.dialects.base import Block, ParsedRequest, Voice
from agent.dialects.encoding import decode
from agent.errors import ContentError, UpstreamError
from agent.gateway import headers
from agent.gateway.accounting import Account
from agent.gateway.answers import Answering
from agent.gateway.conversations import Conversations
from agent.gateway.direct import Direct
from agent.gateway.judging import Judge, Question
from agent.gateway.ledger import Ledger
from agent.gateway.ports import AuditSink, CheckRunner, JustificationSource, PolicyInForce, SecretSource
from agent.gateway.routing import PAGES, Refusal, Refused, Route, route_base_url, route_intercepted
from agent.gateway.scans import ScanPool
from agent.gateway.second_opinion import SecondOpinion
from agent.gateway.settlement import Settlement, append
from agent.gateway.signed_bodies import signed_names
from agent.gateway.transport.base import Headers, Transport, TransportError
from agent.gateway.unified.pages import page
from agent.gateway.unified.passing import FILES, way_of
from agent.gateway.unified.refusals import refusal
from agent.gateway.unified.serving import Errand, Served, Serving
from agent.gateway.voices import told, voice
from agent.gateway.wire import BodyTooLarge, ClientGone, ClientRequest, Wire
from agent.inspection import judge_access, judge_unread
from agent.model.decision import Decision
from agent.model.ids import short_ref, uuid7
from agent.model.record import Incident, IncidentKind, Outcome
from agent.model.traffic import Tier
from agent.telemetry import trace_context

log = logging.getLogger(__name__)

MAX_BODY = 64 * 1024 * 1024  # bytes of a request, as sent and decoded
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})
_TRACE = frozenset({b"traceparent", b"tracestate"})
_SIGNABLE = frozenset({b"accept-encoding"})  # of ours, what a client's signature may cover
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
        accounts: Accounts,
        serving: Serving,
        device: str = "",
        max_body: int = MAX_BODY,
        checks: CheckRunner | None = None,
    ) -> None:
        """`device` is this machine's id, by which a policy may give it a virtual key."""
        self._policy = policy
        self._audit = audit
        self._scans = scans
        self._capture_key = capture_key
        self._max_body = max_body
        self._opinion = SecondOpinion(checks, scans)
        self._accounts = accounts
        self._serving = serving
        self._device = device
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
        ledger.request_id = trace_context.request_id(request.headers, exchange_id=ledger.id)
        if headers.get(request.headers, b"traceparent"):
            ledger.trace = trace_context.accept(request.headers, exchange_id=ledger.id).traceparent
        book = Settlement(ledger, self._audit, wire, Account(self._accounts), self._policy.book)
        try:
            return await self._serve(request, wire, book)
        except (ClientGone, asyncio.CancelledError):
            ledger.outcome = Outcome.CLIENT_CLOSED
            return False
        except Exception as error:
            log.exception("exchange %s failed", ledger.id)
            ledger.outcome, ledger.error = Outcome.FAILED, type(error).__name__
            return await self._say(wire, book, 500, "Drawbridge could not handle this request")
        finally:
            await book.settle()

    async def _serve(self, request: ClientRequest, wire: Wire, book: Settlement) -> bool:
        ledger = book.ledger
        try:
            route = self._route(request, ledger)
            request, route = self._identified(request, route, book)
            kept = route.endpoint is not None and route.endpoint.operation == FILES
            if route.surface.own and route.endpoint is not None and not kept and request.method != "POST":
                raise Refused(405, "models are asked with POST", headers=((b"allow", b"POST"),))
            if route.endpoint is None or (request.method in _BODILESS and not _has_body(request.headers)):
                return await self._pass(request, route, wire, book)
            if route.endpoint.dialect == opaque.NAME:
                return await self._opaque(request, route, wire, book)
            return await self._inspect(request, route, wire, book)
        except Refused as error:
            ledger.outcome, ledger.error = Outcome.REFUSED, str(error)
            if error.status == 421:
                await self._misdirected(ledger, str(error))
            return await self._say(wire, book, error.status, str(error), error.headers)
        except UpstreamError as error:
            ledger.outcome, ledger.error = Outcome.UPSTREAM_FAILED, str(error)
            status, fields = told(error)
            said = f"Drawbridge: {str(error).removesuffix('.')}. {error.hint()}".strip()
            return await self._say(wire, book, status, said, fields)

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

    def _identified(
        self, request: ClientRequest, route: Route, book: Settlement
    ) -> tuple[ClientRequest, Route]:
        """Find out whose account it is, and take our own keys out of what travels on. Raises Refused."""
        connection = request.connection
        shown = presented.find(request.headers, route.query)
        if shown is not None:
            request = ClientRequest(
                connection=connection,
                method=request.method,
                target=request.target,
                headers=tuple(presented.without_keys(request.headers)),
            )
            if (query := presented.query_without_keys(route.query)) != route.query:
                route = replace(route, query=query)
        if not self._accounts.active:
            return request, route
        principal = self._accounts.principal(
            shown,
            now=book.ledger.started_at,
            user=connection.process.user if connection.process else "",
            device=self._device,
            app=connection.app,
            intercepted=connection.tier is not Tier.BASE_URL,
        )
        if isinstance(principal, Denial):
            raise refusal(principal)
        book.account = Account(self._accounts, principal)
        book.ledger.served_by(virtual_key=principal.key_id, team=principal.team, customer=principal.customer)
        return request, route

    async def _pass(self, request: ClientRequest, route: Route, wire: Wire, book: Settlement) -> bool:
        """Anything that asks no model: through as it came, both ways."""
        scope = self._judge.scope(route, book.ledger, request.connection)
        if (decision := judge_access(scope)) is not None:
            if decision.applied:
                return await self._block(wire, book, voice(book.ledger.dialect, request.headers), decision)
            book.ledger.decided(decision)
        if route.upstream == "gateway" and route.plain_path in PAGES:
            return await self._page(request, route, wire, book)
        return await self._relay(request, route, wire, book)

    async def _relay(self, request: ClientRequest, route: Route, wire: Wire, book: Settlement) -> bool:
        """Body and answer as they come."""
        route, headed = way_of(request, route, book.routes, book.account)
        length = _announced(request.headers)
        has_body = _has_body(request.headers)
        fields = headers.forwardable(headed, drop=frozenset({b"expect", b"host", b"content-length"}))
        body = wire.chunks() if has_body else b""
        book.ledger.sent()
        response = await self._direct.send(
            request.method, route, fields, body, length=length if has_body else None
        )
        return await self._answering(wire, book).relay(response)

    async def _opaque(self, request: ClientRequest, route: Route, wire: Wire, book: Settlement) -> bool:
        """A model is asked in a format that is one maker's secret: through both ways at once, if policy lets that pass
        unread. Its records say that it was."""
        scope = self._judge.scope(route, book.ledger, request.connection)
        scope = scope.informed(ParsedRequest(), unread=_announced(request.headers) or 0)
        book.ledger.error = opaque.PROBLEM
        if (decision := judge_unread(scope, opaque.PROBLEM)) is not None:
            if decision.applied:
                return await self._block(wire, book, voice(book.ledger.dialect, request.headers), decision)
            book.ledger.decided(decision)
        return await self._relay(request, route, wire, book)

    async def _page(self, request: ClientRequest, route: Route, wire: Wire, book: Settlement) -> bool:
        """What the gateway answers itself."""
        if request.method not in ("GET", "HEAD"):
            raise Refused(405, "this page can only be read")
        body = await page(
            route.plain_path,
            request.headers,
            book=book.routes,
            account=book.account,
            accounts=self._accounts,
        )
        book.ledger.outcome = Outcome.COMPLETED
        fields = ((b"content-type", b"application/json"), (b"cache-control", b"no-store"))
        return await self._answer(wire, book, Block(status=200, headers=fields, body=body))

    async def _inspect(self, request: ClientRequest, route: Route, wire: Wire, book: Settlement) -> bool:
        ledger = book.ledger
        assert route.endpoint is not None
        dialect = DIALECTS[route.endpoint.dialect]
        sent = await self._read(request, wire)
        with ledger.working():
            body = self._decoded(request, sent)
        asker = book.account.principal.key_id
        question = Question(request=request, route=route, dialect=dialect, body=body, asker=asker)
        verdict, scope = await self._judge.judge(question, ledger)
        ledger.request = verdict.request
        ledger.decided(verdict.decision)
        ledger.error = verdict.problem
        if verdict.blocked:
            return await self._block(wire, book, dialect, None)
        errand = Errand(
            request=request,
            route=route,
            verdict=verdict,
            scope=scope,
            ledger=ledger,
            account=book.account,
            book=book.routes,
        )
        if route.upstream in ("gateway", "provider") and route.endpoint.operation == FILES:
            served = await self._kept(errand)
        elif route.upstream in ("gateway", "provider"):
            served = await self._serving.send(errand)
        else:
            served = await self._direct_answer(errand, None if verdict.body is not body else sent)
        parsed = replace(verdict.request, hides_usage=True) if served.hides_usage else verdict.request
        answering = self._answering(wire, book, served)
        whole = await answering.inspect(served.response, dialect, parsed, scope)
        if served.keeping is not None:
            self._serving.recall.keep(served.keeping, ledger)
        return whole

    async def _direct_answer(self, errand: Errand, sent: bytes | None) -> Served:
        """On the one way the route names, or where that is away, on the way that policy gives instead. `sent` is the
        body as it came, where nothing in it was changed."""
        request, route, verdict = errand.request, errand.route, errand.verdict
        ledger, account = errand.ledger, errand.account
        account.informed(verdict.request, operation=ledger.operation)
        provider, model = errand.book.meant(verdict.request.model, door=route.surface)
        if (denial := await account.reserve(provider, model)) is not None:
            raise refusal(denial)
        ledger.served_by(provider=provider, model=model)
        signed = signed_names(request.headers)
        fields = headers.forwardable(request.headers, drop=_OURS - (signed & _SIGNABLE))
        fields = fields if sent is not None else headers.without_body_facts(fields)
        if b"accept-encoding" not in signed:
            fields.append((b"accept-encoding", b"identity"))
        if route.upstream == "central":  # our own house: its spans belong below ours
            context = trace_context.resumed(ledger.trace, exchange_id=ledger.id)
            fields = [each for each in fields if each[0] not in _TRACE] + trace_context.outgoing(context)
        payload = verdict.body if sent is None else sent
        ledger.sent()
        try:
            return Served(
                response=await self._direct.send(request.method, route, fields, payload, length=len(payload))
            )
        except TransportError as error:
            if route.instead is None:
                raise
            log.warning("the central gateway is away (%s): going %s", error, route.instead.upstream)
        return await self._instead(replace(errand, route=route.instead), sent)

    async def _kept(self, errand: Errand) -> Served:
        """What one provider is to keep, judged as what is asked of it is."""
        route, headed = way_of(errand.request, errand.route, errand.book, errand.account)
        fields = headers.without_body_facts(headers.forwardable(headed, drop=_OURS))
        body = errand.verdict.body
        errand.ledger.sent()
        response = await self._direct.send(errand.request.method, route, fields, body, length=len(body))
        return Served(response=response)

    async def _instead(self, errand: Errand, sent: bytes | None) -> Served:
        """While the central gateway is away, if the policy's access rules have nothing against that way."""
        errand.ledger.routed(errand.route)
        scope = self._judge.scope(errand.route, errand.ledger, errand.request.connection)
        if (decision := judge_access(scope.informed(errand.verdict.request))) is not None:
            errand.ledger.decided(decision)
            if decision.applied:
                raise Refused(403, decision.message)
        if errand.route.upstream == "gateway":
            return await self._serving.send(errand)
        return await self._direct_answer(errand, sent)

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

    def _answering(self, wire: Wire, book: Settlement, served: Served | None = None) -> Answering:
        return Answering(
            wire,
            book.ledger,
            book.settle,
            self._scans,
            self._opinion,
            self._capture_key,
            limit=self._max_body,
            facts=served.facts if served is not None else (),
            failing=served.failing if served is not None else None,
        )

    async def _block(self, wire: Wire, book: Settlement, voice: Voice, decision: Decision | None) -> bool:
        ledger = book.ledger
        if decision is not None:
            ledger.decided(decision)
        ledger.outcome = Outcome.BLOCKED
        block = voice.block(ledger.decision.message)
        return await self._answer(wire, book, block)

    async def _say(
        self, wire: Wire, book: Settlement, status: int, message: str, fields: Headers = ()
    ) -> bool:
        """Tell the client about an error, unless an answer has already begun."""
        if wire.started:
            return wire.finished
        return await self._answer(wire, book, voice(book.ledger.dialect).error(status, message), fields)

    async def _answer(self, wire: Wire, book: Settlement, block: Block, fields: Headers = ()) -> bool:
        book.ledger.status, book.ledger.response_bytes = block.status, len(block.body)
        book.ledger.first_byte()
        await book.settle()
        names = (
            (b"x-drawbridge-ref", short_ref(book.ledger.id).encode()),
            (b"x-request-id", book.ledger.request_id.encode("ascii")),
        )
        await wire.answer(block.status, (*block.headers, *fields, *names), block.body)
        return True

    async def _misdirected(self, ledger: Ledger, message: str) -> None:
        incident = Incident(
            id=uuid7(ledger.started_at),
            at=ledger.started_at,
            kind=IncidentKind.MISDIRECTED,
            message=message,
            connection=ledger.connection,
        )
        await append(self._audit, incident)


def _has_body(fields: Headers) -> bool:
    return bool(_announced(fields)) or bool(headers.get(fields, b"transfer-encoding"))


def _announced(fields: Headers) -> int | None:
    value = headers.get(fields, b"content-length")
    return int(value) if value.isdigit() else None
