"""The cache of answers on the way of a request: what was said before is said again, and what is new is kept.

A recalled answer is an `UpstreamResponse` like any other: it is inspected again by the rules of today, so that nothing
goes out that they would stop.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

from agent.caching.cache import AnswerCache
from agent.caching.control import BadControl, read_control
from agent.caching.entry import Form
from agent.caching.flights import Flights
from agent.caching.question import VARIANTS, Answer, Asker, Hit, Miss, Question
from agent.errors import ContentError
from agent.gateway import headers
from agent.gateway.accounting import Account
from agent.gateway.ledger import Ledger
from agent.gateway.plain import decoded
from agent.gateway.routing import Refused
from agent.gateway.transport.base import Headers, UpstreamResponse
from agent.gateway.unified.forms import CHAT, Forms
from agent.host.tasks import TaskGroup
from agent.inspection import Scope
from agent.model.conversation import Conversation, Reply
from agent.model.record import CacheUse, Outcome
from agent.policy.caching import Caching
from agent.routing.plan import Plan
from agent.translation.gather import reply_of
from agent.translation.registry import translator
from agent.translation.replay import events_of, streamable

log = logging.getLogger(__name__)

_VARIANTS = frozenset(name.encode() for name in VARIANTS)
_CONTROLS = frozenset({b"cache-control", b"pragma"})
_OWN = b"x-drawbridge-cache"


class Recalled:
    """An answer that was given before. Implements `UpstreamResponse`."""

    status = 200
    reason = b""
    http_version = "1.1"
    trailers: Headers = ()

    def __init__(self, pieces: Iterator[bytes], content_type: bytes) -> None:
        self.headers: Headers = ((b"content-type", content_type),)
        self._pieces = pieces

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.chunks()

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body."""
        for piece in self._pieces:
            yield piece

    async def aclose(self) -> None:
        """There is nothing to close."""


class Recording:
    """An answer of which a copy is kept as it passes, as far as `limit` bytes. Implements `UpstreamResponse`."""

    trailers: Headers = ()

    def __init__(self, response: UpstreamResponse, *, limit: int) -> None:
        packed = headers.get(response.headers, b"content-encoding")
        gone = (b"content-encoding", b"content-length") if packed else ()
        self._response = response
        self._limit = limit
        self._parts: list[bytes] | None = []
        self._size = 0
        self.ended = False
        self.status = response.status
        self.reason = response.reason
        self.http_version = response.http_version
        self.headers: Headers = tuple(each for each in response.headers if each[0] not in gone)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.chunks()

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body, plain."""
        async for chunk in decoded(self._response, limit=self._limit * 64):
            self._size += len(chunk)
            if self._parts is not None:
                self._parts.append(chunk)
                if self._size > self._limit:
                    self._parts = None
            yield chunk
        self.ended = True

    async def aclose(self) -> None:
        """See `UpstreamResponse`."""
        await self._response.aclose()

    @property
    def body(self) -> bytes | None:
        """The copy, None where the answer grew too long for one."""
        return None if self._parts is None else b"".join(self._parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A request as the cache looks at it."""

    forms: Forms
    plan: Plan
    account: Account
    scope: Scope
    ledger: Ledger
    fields: Headers
    settings: Caching

    @property
    def model(self) -> str:
        """`provider/model` of the first that would be asked."""
        return self.plan.candidates[0].name

    @property
    def private(self) -> bool:
        """Whether nobody outside would be asked."""
        return all(each.private for each in self.plan.candidates)


@dataclass(slots=True)
class Keeping:
    """A miss and the answer to it, while that passes. `model` is who was to give it."""

    miss: Miss
    model: str
    form: Form
    recording: Recording | None = field(default=None)
    leads: bool = False  # others may wait for it, until it has landed


class Recall:
    """One for all exchanges. Without a cache it does nothing."""

    def __init__(self, cache: AnswerCache | None, tasks: TaskGroup) -> None:
        self.cache = cache
        self._tasks = tasks
        self._flights = Flights()

    async def look(self, asking: Asking) -> tuple[Recalled, Headers] | Keeping | None:
        """An answer, or what will keep the one to come, or None where the cache has nothing to do. Raises Refused where
        the client wants no new answer, or says what no cache understands."""
        cache = self.cache
        asked = asking.forms.asked
        if cache is None or not asking.settings.enabled or asked.operation != CHAT or asked.wants_array:
            return None
        question = self._question(asking)
        found = await cache.lookup(question, asking.settings)
        leads = False
        if isinstance(found, Miss) and _may_share(found, asking):
            leads = self._flights.begin(found.key)
            if not leads:
                await self._flights.wait(found.key, asking.settings.wait_seconds)
                found = await cache.lookup(question, asking.settings)
        asking.ledger.served_by(cache=found.use)
        form = Form(dialect=question.dialect, streamed=asked.stream)
        if isinstance(found, Hit):
            recalled = _recalled(found, form, asking.forms)
            if recalled is not None:
                asking.ledger.served_by(provider=found.entry.provider, model=found.entry.model)
                return recalled, found.headers
            asking.ledger.served_by(cache=CacheUse.MISS)
            return None
        if found.refused:
            raise Refused(
                504, "there is no answer in the cache, and the request wants no other", headers=found.headers
            )
        if not isinstance(found, Miss):
            return None
        return Keeping(miss=found, form=form, model=asking.model, leads=leads)

    def record(self, keeping: Keeping, response: UpstreamResponse) -> Recording:
        """`response`, with a copy taken of it."""
        limit = keeping.miss.settings.max_entry_bytes
        keeping.recording = Recording(response, limit=limit)
        return keeping.recording

    def keep(self, keeping: Keeping, ledger: Ledger) -> None:
        """The answer has passed: keep it where it may be kept, beside the way of requests."""
        recording, cache = keeping.recording, self.cache
        if recording is None or cache is None:
            return
        body, served = recording.body, ledger.served
        if body is None or ledger.outcome is not Outcome.COMPLETED:
            return
        if f"{served.provider}/{served.model}" != keeping.model:
            return  # a fallback's words are not what the question's model says
        answer = Answer(
            form=keeping.form,
            body=body,
            content_type=headers.get(recording.headers, b"content-type").decode("latin-1"),
            reply=_reply(keeping.form, body),
            status=recording.status,
            complete=recording.ended,
            decision=ledger.decision,
            provider=served.provider,
            model=served.model,
        )
        self._tasks.spawn(self._stored(cache, keeping.miss, answer, leads=keeping.leads), name="keep-answer")
        keeping.leads = False

    def land(self, keeping: Keeping) -> None:
        """Whoever waits for the answer need not wait longer: it is not kept. Nothing, where it is about to be."""
        if keeping.leads:
            keeping.leads = False
            self._flights.end(keeping.miss.key)

    async def _stored(self, cache: AnswerCache, miss: Miss, answer: Answer, *, leads: bool) -> None:
        try:
            await cache.store(miss, answer)
        finally:
            if leads:
                self._flights.end(miss.key)

    def _question(self, asking: Asking) -> Question:
        control = read_control(
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in asking.fields
            if name in _CONTROLS or name.startswith(_OWN)
        )
        if isinstance(control, BadControl):
            raise Refused(400, str(control))
        principal = asking.account.principal
        asked = asking.forms.asked
        return Question(
            dialect=asked.dialect,
            model=asking.model,
            body=asked.body,
            subject=asking.scope.subject,
            asker=Asker(
                virtual_key=principal.key_id,
                app=asking.scope.subject.app,
                user=asking.scope.subject.user,
                team=principal.team,
                customer=principal.customer,
            ),
            conversation=_conversation(asking),
            control=control,
            decision=asking.ledger.decision,
            rulebook=asking.scope.rules.digest,
            variant=tuple(
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in asking.fields
                if name in _VARIANTS
            ),
            operation=asked.operation,
        )


def _may_share(miss: Miss, asking: Asking) -> bool:
    """Whether an answer to the same question, asked at the same time, would do: one in a piece, which nobody sees
    before its end anyway. Who waited for a stream's end would wait for its beginning, too."""
    wanted = asking.settings.wait_seconds > 0 and not asking.forms.asked.stream
    return wanted and miss.keep and miss.terms.exact and not miss.reason and not miss.refused


def _conversation(asking: Asking) -> Conversation | None:
    if not asking.settings.semantic.enabled or (asking.private and not _embeds_inside(asking)):
        return None
    try:
        return asking.forms.conversation()
    except ContentError:
        return None


def _embeds_inside(asking: Asking) -> bool:
    """Whether prompts stay in the house when the cache has their vectors made."""
    source = asking.settings.semantic.embedder
    name = source.provider if source is not None else None
    provider = asking.forms.book.providers.get(name.partition("/")[0]) if name else None
    return provider is None or provider.private


def _recalled(hit: Hit, form: Form, forms: Forms) -> Recalled | None:
    """The answer in the form that the client wants: as it was, else written anew; None where neither can be."""
    entry = hit.entry
    if (body := hit.body_for(form)) is not None:
        return Recalled(iter((body,)), entry.content_type.encode("latin-1"))
    format_ = translator(form.dialect)
    if entry.reply is None or format_ is None:
        return None
    if not form.streamed:
        return Recalled(iter((format_.write_answer(entry.reply),)), b"application/json")
    if not streamable(entry.reply):
        return None
    sink = format_.stream_sink(forms.conversation())
    return Recalled(map(sink.write, events_of(entry.reply)), format_.stream_type)


def _reply(form: Form, body: bytes) -> Reply | None:
    """What the answer says, in no API's words; None where that cannot be read."""
    format_ = translator(form.dialect)
    if format_ is None:
        return None
    try:
        if not form.streamed:
            return format_.read_answer(body)
        source = format_.stream_source()
        return reply_of((*source.feed(body), *source.finish()))
    except ContentError:
        return None
