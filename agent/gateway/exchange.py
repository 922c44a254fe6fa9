"""One exchange, from the request's head to the audit trail: route, read, judge, forward, judge the answer, record.

This is the one place of enforcement. An error of ours never forwards what was not judged.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace

from agent.accounts.accounts import Accounts
from agent.dialects import opaque
from agent.dialects.base import Block, ConversationVoice, ParsedRequest, Voice
from agent.dialects.faults import Fault, error_about
from agent.errors import UpstreamError
from agent.gateway import headers
from agent.gateway.accounting import Account
from agent.gateway.answers import Answering
from agent.gateway.asking import Asking, Ownerless
from agent.gateway.bodies import BODILESS, MAX_BODY, Bodies, announced, has_body, in_address, reads_query
from agent.gateway.conversations import Conversations
from agent.gateway.direct import Direct
from agent.gateway.filebook import FileBook
from agent.gateway.files import FileReader
from agent.gateway.forwarding import Forwarding
from agent.gateway.judging import Judge, Question
from agent.gateway.ledger import Ledger
from agent.gateway.ports import AuditSink, CheckRunner, JustificationSource, Lane, PolicyInForce, SecretSource
from agent.gateway.routing import Refusal, Refused, Route, is_page
from agent.gateway.scans import ScanPool
from agent.gateway.second_opinion import SecondOpinion
from agent.gateway.settlement import Settlement, append
from agent.gateway.transport.base import Headers, Transport
from agent.gateway.unified.pages import page
from agent.gateway.unified.passing import way_of
from agent.gateway.unified.refusals import refusal
from agent.gateway.unified.serving import Errand, Served, Serving
from agent.gateway.unlisted import Unlisted
from agent.gateway.uploads import Uploads
from agent.gateway.voices import fault_of, told, voice
from agent.gateway.wire import ClientGone, ClientRequest, Wire
from agent.inspection import judge_access, judge_unread
from agent.inspection.mcp_tools import offers
from agent.inspection.verdicts import refusal as refusal_of
from agent.model.decision import Decision
from agent.model.ids import short_ref
from agent.model.record import Outcome
from agent.model.surface import Endpoint
from agent.policy import UnknownSurface
from agent.telemetry import trace_context

log = logging.getLogger(__name__)


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
        asking: Asking,
        serving: Serving,
        max_body: int = MAX_BODY,
        checks: CheckRunner | None = None,
        files: FileReader | None = None,
    ) -> None:
        """`asking` tells who asks. Without `files` attachments are noted and not read."""
        self._policy = policy
        self._audit = audit
        self._scans = scans
        self._capture_key = capture_key
        self._max_body = max_body
        self._bodies = Bodies(max_body)
        self._opinion = SecondOpinion(checks, scans)
        self._accounts = accounts
        self._serving = serving
        self._direct = Direct(transport, secret)
        self._unlisted = Unlisted(audit, scans)
        self._asking = asking
        self._judge = Judge(
            scans=scans,
            opinion=self._opinion,
            conversations=conversations,
            capture_key=capture_key,
            justifications=justifications,
            files=files,
            device=self._asking.device,
        )
        self._forwarding = Forwarding(self._direct, asking=asking, judge=self._judge, serving=serving)
        filebook = files.book if files is not None else FileBook(time.monotonic)
        self._uploads = Uploads(self._judge, self._direct, filebook, max_body=max_body)

    async def handle(self, request: ClientRequest, wire: Wire, lane: Lane | None = None) -> bool:
        """Serve one exchange, on `lane` where its way is open already. Returns False where the client's connection
        must be cut: the answer could not be ended as it should. Never raises."""
        ledger = Ledger(
            self._policy.rules,
            request.connection,
            method=request.method,
            capture_key=self._capture_key,
        )
        ledger.request_id = trace_context.request_id(request.headers, exchange_id=ledger.id)
        if lane is not None:
            ledger.voice = lane.dialect
        if headers.get(request.headers, b"traceparent"):
            ledger.trace = trace_context.accept(request.headers, exchange_id=ledger.id).traceparent
        book = Settlement(ledger, self._audit, wire, Account(self._accounts), self._policy.book)
        try:
            return await self._serve(request, wire, book, lane)
        except (ClientGone, asyncio.CancelledError):
            ledger.outcome = Outcome.CLIENT_CLOSED
            return False
        except Exception as error:
            log.exception("exchange %s failed", ledger.id)
            ledger.outcome, ledger.error = Outcome.FAILED, type(error).__name__
            return await self._say(wire, book, 500, "Drawbridge could not handle this request")
        finally:
            await book.settle()

    async def _serve(self, request: ClientRequest, wire: Wire, book: Settlement, lane: Lane | None) -> bool:
        ledger = book.ledger
        try:
            request, route = self._bound(request, book)
            return await self._answered(request, route, wire, book, lane)
        except Refused as error:
            ledger.outcome, ledger.error = Outcome.REFUSED, str(error)
            if error.status == 421:
                await append(self._audit, ledger.misdirection(str(error)))
            return await self._say(wire, book, error.status, str(error), error.headers, error.fault)
        except UpstreamError as error:
            ledger.outcome, ledger.error = Outcome.UPSTREAM_FAILED, str(error)
            status, fields = told(error)
            said = f"Drawbridge: {str(error).removesuffix('.')}. {error.hint()}".strip()
            return await self._say(wire, book, status, said, fields, fault_of(error))

    async def _answered(
        self, request: ClientRequest, route: Route, wire: Wire, book: Settlement, lane: Lane | None
    ) -> bool:
        """By what the request is for."""
        ledger = book.ledger
        if lane is not None:
            route = lane.admit(route)
            ledger.routed(route)
            ledger.on_lane(lane.dialect.name, lane.operation)
        refused = self._judge.admits(route, ledger, request.connection)
        if refused is not None and refused.stops:
            return await self._block(wire, book, voice(ledger), None)
        if lane is not None:
            return await self._inspect(request, route, wire, book, lane=lane)
        if route.endpoint is not None:
            return await self._at(route.endpoint, request, route, wire, book)
        if self._unlisted.suspects(request, route, ledger.rules):
            return await self._suspected(request, route, wire, book)
        return await self._pass(request, route, wire, book)

    async def _at(
        self, endpoint: Endpoint, request: ClientRequest, route: Route, wire: Wire, book: Settlement
    ) -> bool:
        """By what is spoken at a path that the catalog lists."""
        if route.surface.own and not endpoint.takes_files and request.method != "POST":
            raise Refused(405, "models are asked with POST", headers=((b"allow", b"POST"),))
        bodiless = request.method in BODILESS and not has_body(request.headers)
        if not endpoint.dialect and not bodiless:
            fields = ((b"upgrade", b"websocket"),)
            raise Refused(426, "models are asked over a WebSocket here", headers=fields)
        if bodiless and not reads_query(endpoint, book.ledger.rules):
            return await self._pass(request, route, wire, book)
        if endpoint.dialect == opaque.NAME:
            return await self._opaque(request, route, wire, book)
        if endpoint.takes_files:
            return await self._upload(request, route, wire, book)
        return await self._inspect(request, route, wire, book, route.query if bodiless else None)

    def _bound(self, request: ClientRequest, book: Settlement) -> tuple[ClientRequest, Route]:
        """Find out where it goes, who asks and whose account it is; what may travel on of it. Raises Refused."""
        ledger = book.ledger
        found = self._asking.bearings(ledger.rules, request, at=ledger.started_at)
        if isinstance(found, Refusal):
            if found.bound_for is not None:
                ledger.routed(found.bound_for)  # so that the client is answered in its dialect
                ledger.upstream = ""
            raise Refused(found.status, found.message)
        ledger.routed(found.route)
        if isinstance(found, Ownerless):
            ledger.asker, ledger.login = found.who.asker, found.who.login
            raise refusal(found.denial)
        ledger.asker, ledger.login = found.asker, found.login
        if self._accounts.active:
            principal = found.principal
            book.account = Account(self._accounts, principal)
            ledger.served_by(virtual_key=principal.key_id, team=principal.team, customer=principal.customer)
        return found.travelling(request), found.onward

    async def _suspected(self, request: ClientRequest, route: Route, wire: Wire, book: Settlement) -> bool:
        """What may ask a model at a path that the catalog does not list."""
        action = book.ledger.rules.policy.unknown_surface
        if action is UnknownSurface.REPORT and (announced(request.headers) or 0) > self._max_body:
            return await self._pass(request, route, wire, book)
        sent = await self._bodies.read(request, wire)
        way = self._asking.way(book.ledger.rules, request, at=book.ledger.started_at)
        route = await self._unlisted.bind(request, route, self._bodies.plain(request, sent), book.ledger, way)
        if route.endpoint is None:
            return await self._pass(request, route, wire, book, sent)
        refused = self._judge.admits(route, book.ledger, request.connection)  # now that it asks a model
        if refused is not None and refused.stops:
            return await self._block(wire, book, voice(book.ledger), None)
        if action is UnknownSurface.BLOCK:
            scope = self._judge.scope(route, book.ledger, request.connection)
            reason = "the catalog does not list the path at which this model is asked"
            decision = refusal_of(scope, reason, rule="unknown_surface")
            if decision.applied:
                return await self._block(wire, book, voice(book.ledger), decision)
            book.ledger.decided(decision)
        return await self._inspect(request, route, wire, book, sent)

    async def _pass(
        self, request: ClientRequest, route: Route, wire: Wire, book: Settlement, sent: bytes | None = None
    ) -> bool:
        """Anything that asks no model: through as it came, both ways. `sent` is its body where it was read already."""
        scope = self._judge.scope(route, book.ledger, request.connection)
        if (decision := judge_access(scope)) is not None:
            if decision.applied:
                return await self._block(wire, book, voice(book.ledger, request.headers), decision)
            book.ledger.decided(decision)
        if route.upstream == "gateway" and is_page(route.plain_path):
            return await self._page(request, route, wire, book)
        return await self._relay(request, route, wire, book, sent)

    async def _relay(
        self, request: ClientRequest, route: Route, wire: Wire, book: Settlement, sent: bytes | None = None
    ) -> bool:
        """Body and answer as they come."""
        route, headed = way_of(request, route, book.routes, book.account)
        length = announced(request.headers)
        with_body = has_body(request.headers)
        fields = headers.forwardable(headed, drop=frozenset({b"expect", b"host", b"content-length"}))
        body = (wire.chunks() if with_body else b"") if sent is None else sent
        length = length if sent is None else len(sent)
        book.ledger.sent()
        response = await self._direct.send(
            request.method, route, fields, body, length=length if with_body else None
        )
        self._forwarding.learn(request, route, book.ledger, response)
        return await self._answering(wire, book).relay(response)

    async def _opaque(self, request: ClientRequest, route: Route, wire: Wire, book: Settlement) -> bool:
        """A model is asked in a format that is one maker's secret: through both ways at once, if policy lets that pass
        unread. Its records say that it was."""
        scope = self._judge.scope(route, book.ledger, request.connection)
        scope = scope.informed(ParsedRequest(), unread=announced(request.headers) or 0)
        book.ledger.error = opaque.PROBLEM
        if (decision := judge_unread(scope, opaque.PROBLEM)) is not None:
            if decision.applied:
                return await self._block(wire, book, voice(book.ledger, request.headers), decision)
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

    async def _upload(self, request: ClientRequest, route: Route, wire: Wire, book: Settlement) -> bool:
        """A file, or a part of one: judged before it leaves, and its id remembered."""
        sending = await self._uploads.receive(request, route, wire)
        judged = await self._uploads.judged(sending, book, book.account.principal.key_id)
        if judged.verdict.blocked:
            return await self._block(wire, book, voice(book.ledger), None)
        response = await self._uploads.forwarded(sending, judged, book)
        heard = self._uploads.hears(sending, judged, response, at=book.ledger.started_at)
        return await self._answering(wire, book).relay(response, heard)

    async def _inspect(
        self,
        request: ClientRequest,
        route: Route,
        wire: Wire,
        book: Settlement,
        sent: bytes | None = None,
        *,
        lane: Lane | None = None,
    ) -> bool:
        """`sent` is the body where it was read before; of a request without one, the query of its address."""
        ledger = book.ledger
        assert route.endpoint is not None
        dialect = ledger.rules.dialects[route.endpoint.dialect] if lane is None else lane.dialect
        bodiless = lane is None and not has_body(request.headers) and request.method in BODILESS
        sent = await self._bodies.read(request, wire) if sent is None else sent
        with ledger.working():
            body = sent if bodiless or lane is not None else self._bodies.decoded(request, sent)
        asker = book.account.principal.key_id
        named = lane.conversation if lane is not None else ""
        question = Question(
            request=request, route=route, dialect=dialect, body=body, asker=asker, conversation=named
        )
        verdict, scope = await self._judge.judge(question, ledger)
        ledger.request = verdict.request
        ledger.decided(verdict.decision)
        ledger.error = verdict.problem
        if verdict.blocked:
            return await self._block(wire, book, dialect, None)
        if book.account.limits_tools and (denial := book.account.may_offer(offers(verdict.body))) is not None:
            raise refusal(denial)
        if bodiless:
            query = verdict.body if verdict.body is body else in_address(verdict.body)
            route, verdict = replace(route, query=query), replace(verdict, body=b"")
            sent = body = b""
        errand = Errand(
            request=request,
            route=route,
            verdict=verdict,
            scope=scope,
            ledger=ledger,
            account=book.account,
            book=book.routes,
        )
        if lane is not None:
            served = await self._forwarding.along(lane, errand, None if verdict.body is not body else sent)
        elif route.upstream in ("gateway", "provider"):
            served = await self._serving.send(errand)
        else:
            served = await self._forwarding.send(errand, None if verdict.body is not body else sent)
        parsed = replace(verdict.request, hides_usage=True) if served.hides_usage else verdict.request
        answering = self._answering(wire, book, served)
        try:
            if not parsed.asks:
                return await answering.relay(served.response)
            whole = await answering.inspect(served.response, dialect, parsed, scope)
            if served.keeping is not None:
                self._serving.recall.keep(served.keeping, ledger)
            return whole
        finally:
            if served.keeping is not None:
                self._serving.recall.land(served.keeping)

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
        message = ledger.decision.message
        if isinstance(voice, ConversationVoice):
            block = voice.block_in(message, ledger.request)
        else:
            block = voice.block(message)
        return await self._answer(wire, book, block)

    async def _say(
        self,
        wire: Wire,
        book: Settlement,
        status: int,
        message: str,
        fields: Headers = (),
        fault: Fault = Fault.UNSAID,
    ) -> bool:
        """Tell the client about an error, unless an answer has already begun."""
        if wire.started:
            return wire.finished
        error = error_about(voice(book.ledger), fault, book.ledger.told_as(status), message)
        return await self._answer(wire, book, error, fields)

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
