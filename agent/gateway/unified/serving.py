"""Has a request answered by whichever provider the policy says: plan, dispatch, and the answer in the client's format.

What it returns is an `UpstreamResponse` like any other: inspection, the client's side and the books come after it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial

from agent.accounts.denials import Denial
from agent.dialects import DIALECTS
from agent.dialects.faults import Fault
from agent.errors import ContentError
from agent.gateway import headers
from agent.gateway.accounting import Account
from agent.gateway.dispatch import Dispatched, Dispatcher, DispatchFailed, NotAdmitted, Prepared
from agent.gateway.ledger import Ledger
from agent.gateway.routing import Refused, Route
from agent.gateway.transport.base import Headers, UpstreamResponse
from agent.gateway.unified.failing import Failing, failing
from agent.gateway.unified.forms import Asked, Forms
from agent.gateway.unified.own_words import own_words
from agent.gateway.unified.planning import NotAllowed, Planner, Wanted
from agent.gateway.unified.recall import Asking, Keeping, Recall
from agent.gateway.unified.refusals import refusal
from agent.gateway.unified.routebook import Backing, RouteBook
from agent.gateway.unified.translated import Languages, TranslatedAnswer
from agent.gateway.wire import ClientRequest
from agent.inspection import RequestVerdict, Scope
from agent.model.direct import direct
from agent.routing.failures import Cause
from agent.routing.names import UnknownModel
from agent.routing.plan import Candidate, NoRoute, Plan
from agent.telemetry.trace_context import resumed
from agent.translation.registry import provider_translator, translator

_LONGEST_FACT = 1000  # characters of a header that tells of a request's way


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One judged request on its way to whoever serves it."""

    request: ClientRequest
    route: Route
    verdict: RequestVerdict
    scope: Scope
    ledger: Ledger
    account: Account
    book: RouteBook

    @property
    def operation(self) -> str:
        """What is asked for, as provider rows call it."""
        assert self.route.endpoint is not None
        return self.route.endpoint.operation

    @property
    def dialect(self) -> str:
        """The client's format."""
        assert self.route.endpoint is not None
        return self.route.endpoint.dialect


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """An answer to hand on, with the headers that tell of its way. `hides_usage`: counts of tokens in its stream are
    none of the client's business. `failing` ends its stream where that breaks off."""

    response: UpstreamResponse
    facts: Headers = ()
    hides_usage: bool = False
    failing: Failing | None = None
    keeping: Keeping | None = None


@dataclass(slots=True)
class _Order:
    """Implements `dispatch.Order`."""

    plan: Plan
    forms: Forms
    account: Account
    hedged: bool
    asking: Candidate | None = None  # the last one that was to be asked
    denial: Denial | None = None  # the first one
    repeatable: bool = True

    @property
    def tokens(self) -> int:
        """See `dispatch.Order`."""
        return self.account.input_tokens

    def prepare(self, candidate: Candidate) -> Prepared:
        """See `dispatch.Order`."""
        prepared = self.forms.prepare(candidate, bound=self.account.bound)
        self.asking = candidate
        return prepared

    async def admit(self, candidate: Candidate) -> NotAdmitted | None:
        """Reserves the call, in place of the one before it."""
        backing = candidate.settings
        assert isinstance(backing, Backing)
        denial = await self.account.reserve(
            candidate.provider.id, candidate.model, name=backing.ref.name, beside=self.hedged
        )
        if denial is None:
            return None
        self.denial = self.denial or denial
        return NotAdmitted(status=denial.status, message=denial.message, retry_after=denial.retry_after)


class Serving:
    """One for all exchanges."""

    def __init__(self, dispatcher: Dispatcher, planner: Planner, recall: Recall, *, limit: int) -> None:
        """`limit` is the largest answer that is translated, in bytes."""
        self.recall = recall
        self._dispatcher = dispatcher
        self._planner = planner
        self._limit = limit

    async def send(self, errand: Errand) -> Served:
        """The answer to hand on, in the client's format, and what it took noted in the ledger. Raises Refused,
        DispatchFailed, UpstreamError."""
        ledger = errand.ledger
        with ledger.working():
            forms, plan = self._planned(errand)
        found = (
            await self.recall.look(_asking(errand, forms, plan)) if self.recall.cache is not None else None
        )
        if found is not None and not isinstance(found, Keeping):
            response, facts = found
            request_id = (b"x-request-id", ledger.request_id.encode("ascii"))
            return Served(response=response, facts=(request_id, *facts), hides_usage=forms.hides_usage)
        try:
            return await self._asked(errand, forms, plan, found)
        except BaseException:
            if found is not None:
                self.recall.land(found)
            raise

    async def _asked(self, errand: Errand, forms: Forms, plan: Plan, found: Keeping | None) -> Served:
        """The answer of a provider. `found` is what keeps it."""
        ledger = errand.ledger
        order = _Order(
            plan=plan,
            forms=forms,
            account=errand.account,
            hedged=plan.limits.hedge_after is not None,
        )
        ledger.sent()
        try:
            done = await self._dispatcher.send(order)
        except DispatchFailed as failed:
            ledger.served_by(attempts=failed.trail, rule=plan.rule)
            if failed.cause is Cause.BUDGET and order.denial is not None:  # no provider failed
                raise refusal(order.denial) from failed
            raise
        except asyncio.CancelledError:  # the client left: who was being asked may charge for it
            if (asking := order.asking) is not None:
                ledger.served_by(provider=asking.provider.id, model=asking.model, rule=plan.rule)
            raise
        served = self._answer(errand, forms, plan, done)
        if found is None:
            return served
        recording = self.recall.record(found, served.response)
        return replace(served, response=recording, keeping=found, facts=(*served.facts, *found.miss.headers))

    def _planned(self, errand: Errand) -> tuple[Forms, Plan]:
        own = own_words(errand.verdict.body, thought=bool(errand.book.routing.rules))
        request = errand.verdict.request
        if not request.model and errand.verdict.problem:
            raise Refused(400, f"the request cannot be read: {errand.verdict.problem}")
        errand.account.informed(request, body=errand.verdict.body, operation=errand.operation)
        wanted = Wanted(
            subject=errand.scope.subject,
            request=request,
            decision=errand.verdict.decision,
            fields=errand.request.headers,
            preferred="" if errand.route.surface.own else errand.route.surface.id,
            fallbacks=own.fallbacks,
            tools=own.tools,
            thought=own.thought,
        )
        try:
            plan = self._planner.plan(errand.book, errand.account, wanted)
        except NotAllowed as error:
            raise refusal(error.denial) from error
        except NoRoute as error:
            raise Refused(error.status, f"{error} {error.hint()}".strip()) from error
        except UnknownModel as error:
            raise Refused(404, f"{error}: {error.hint()}", fault=Fault.MODEL) from error
        except ContentError as error:
            raise Refused(400, f"{error} {error.hint()}".strip()) from error
        asked = Asked(
            dialect=errand.dialect,
            operation=errand.operation,
            path=errand.route.plain_path,
            query=errand.route.query,
            fields=errand.request.headers,
            body=errand.verdict.body,
            model=request.model,
            stream=request.stream,
            has_our_fields=own.fallbacks is not None,
            usage_wanted=own.usage,
            max_tokens=request.max_tokens,
        )
        ledger = errand.ledger
        forms = Forms(
            asked=asked,
            book=errand.book,
            drop=errand.book.drops_fields,
            trace=partial(resumed, ledger.trace, exchange_id=ledger.id),
            propagate=errand.book.propagates,
        )
        return forms, plan

    def _answer(self, errand: Errand, forms: Forms, plan: Plan, done: Dispatched) -> Served:
        candidate = done.candidate
        dropped = forms.dropped.get(candidate.name, ())
        errand.ledger.served_by(
            provider=candidate.provider.id,
            model=candidate.model,
            key=done.key.name,
            attempts=done.trail,
            dropped=dropped,
            rule=plan.rule,
        )
        response: UpstreamResponse = done.response
        if done.prepared.dialect != errand.dialect:
            response = TranslatedAnswer(response, self._languages(errand, forms, done), limit=self._limit)
        return Served(
            response=response,
            facts=_facts(errand.ledger, candidate, done, dropped),
            hides_usage=forms.hides_usage,
            failing=failing(forms),
        )

    def _languages(self, errand: Errand, forms: Forms, done: Dispatched) -> Languages:
        client, provider = translator(errand.dialect), provider_translator(done.prepared.dialect)
        assert client is not None
        assert provider is not None
        return Languages(
            client=client,
            provider=provider,
            conversation=replace(forms.conversation(), usage_in_stream=True),  # hidden later, if need be
            voice=DIALECTS[errand.dialect],
            array=forms.asked.wants_array,
        )


def _asking(errand: Errand, forms: Forms, plan: Plan) -> Asking:
    return Asking(
        forms=forms,
        plan=plan,
        account=errand.account,
        scope=errand.scope,
        ledger=errand.ledger,
        fields=errand.request.headers,
        settings=errand.scope.rules.policy.cache,
    )


def _facts(ledger: Ledger, candidate: Candidate, done: Dispatched, dropped: tuple[str, ...]) -> Headers:
    """What the client is told of the way: who answered, after how many tries, and what was left out."""
    facts = [
        (b"x-request-id", ledger.request_id.encode("ascii")),
        (b"x-drawbridge-provider", candidate.provider.id.encode()),
        (b"x-drawbridge-model", _shown(candidate.model)),
        (b"x-drawbridge-attempts", str(len(done.trail)).encode()),
    ]
    if upstream := headers.get(done.response.headers, b"x-request-id"):
        facts.append((b"x-drawbridge-upstream-request-id", upstream))
    if dropped:
        facts.append((b"x-drawbridge-dropped", _shown(", ".join(dropped))))
    return tuple(facts)


def _shown(text: str) -> bytes:
    """Words that may be a client's own, as a header can carry them."""
    short = text[:_LONGEST_FACT]
    if not short.isprintable():
        short = "".join(each if each.isprintable() else "?" for each in short)
    return short.encode("ascii", "replace")
