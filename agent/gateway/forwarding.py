"""Sends a judged request on the way that its route names, and reserves it with whoever pays: straight on, along a way
that is open already, or on the one that policy gives while a central gateway is away."""

from __future__ import annotations

import logging
from dataclasses import replace

from agent.gateway import headers
from agent.gateway.asking import Asking
from agent.gateway.bodies import BODILESS
from agent.gateway.direct import Direct
from agent.gateway.judging import Judge
from agent.gateway.ledger import Ledger
from agent.gateway.ports import Lane
from agent.gateway.routing import Refused, Route
from agent.gateway.signed_bodies import signed_names
from agent.gateway.transport.base import TransportError, UpstreamResponse
from agent.gateway.unified.refusals import refusal
from agent.gateway.unified.serving import Errand, Served, Serving
from agent.gateway.wire import ClientRequest
from agent.inspection import judge_access
from agent.telemetry import trace_context

log = logging.getLogger(__name__)

_TRACE = frozenset({b"traceparent", b"tracestate"})
_SIGNABLE = frozenset({b"accept-encoding"})  # of ours, what a client's signature may cover
_OURS = frozenset({b"accept-encoding", b"content-length", b"expect", b"host"})


class Forwarding:
    """One for all exchanges."""

    def __init__(self, direct: Direct, *, asking: Asking, judge: Judge, serving: Serving) -> None:
        """`serving` answers where policy sends what was meant for a central gateway that is away."""
        self._direct = direct
        self._asking = asking
        self._judge = judge
        self._serving = serving

    async def send(self, errand: Errand, sent: bytes | None) -> Served:
        """On the one way the route names, or where that is away, on the way that policy gives instead. `sent` is the
        body as it came, where nothing in it was changed."""
        request, route, verdict = errand.request, errand.route, errand.verdict
        ledger = errand.ledger
        await self._reserve(errand)
        signed = signed_names(request.headers)
        fields = headers.forwardable(request.headers, drop=_OURS - (signed & _SIGNABLE))
        fields = fields if sent is not None else headers.without_body_facts(fields)
        if b"accept-encoding" not in signed:
            fields.append((b"accept-encoding", b"identity"))
        if route.upstream == "central":  # our own house: its spans belong below ours
            context = trace_context.resumed(ledger.trace, exchange_id=ledger.id)
            fields = [each for each in fields if each[0] not in _TRACE] + trace_context.outgoing(context)
        payload = verdict.body if sent is None else sent
        length = None if request.method in BODILESS and not payload else len(payload)
        ledger.sent()
        try:
            response = await self._direct.send(request.method, route, fields, payload, length=length)
            self.learn(request, route, ledger, response)
            return Served(response=response)
        except TransportError as error:
            if route.instead is None:
                raise
            log.warning("the central gateway is away (%s): going %s", error, route.instead.upstream)
        return await self._instead(replace(errand, route=route.instead), sent)

    def learn(self, request: ClientRequest, route: Route, ledger: Ledger, response: UpstreamResponse) -> None:
        """What the provider says of the account, where it was asked with the user's own credential."""
        if route.upstream != "native" or route.credential is not None or response.status >= 400:
            return
        login = self._asking.learn(ledger.rules, request, route, response.headers)
        if login is not None:
            ledger.login = login

    async def along(self, lane: Lane, errand: Errand, sent: bytes | None) -> Served:
        """On a way that is open already. `sent` is the request as it came, where nothing in it was changed."""
        await self._reserve(errand)
        errand.ledger.sent()
        return Served(response=await lane.send(errand.verdict.body if sent is None else None))

    async def _reserve(self, errand: Errand) -> None:
        """Reserve what goes to whom the route names. Raises Refused."""
        account, ledger = errand.account, errand.ledger
        account.informed(errand.verdict.request, body=errand.verdict.body, operation=ledger.operation)
        provider, model = errand.book.meant(errand.verdict.request.model, door=errand.route.surface)
        if (denial := await account.reserve(provider, model)) is not None:
            raise refusal(denial)
        ledger.served_by(provider=provider, model=model)

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
        return await self.send(errand, sent)
