"""The way back: an upstream's answer to the client, inspected while it flows."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial

from agent.dialects.base import Dialect, ParsedRequest
from agent.dialects.framing import Framing
from agent.errors import ContentError, UpstreamError
from agent.gateway import headers
from agent.gateway.ledger import Ledger, captured
from agent.gateway.pacing import COMMENT, Pacing
from agent.gateway.plain import collected, decoded
from agent.gateway.scans import ScanPool
from agent.gateway.second_opinion import SecondOpinion
from agent.gateway.transport.base import Headers, UpstreamResponse
from agent.gateway.unified.failing import Failing
from agent.gateway.wire import Wire
from agent.inspection import AnswerVerdict, Scope, StreamInspector, inspect_answer
from agent.inspection.tool_calls import calls_in
from agent.inspection.verdicts import failed_check
from agent.model.content import Role, Slot, Where, outermost
from agent.model.record import CaptureMode, Outcome

log = logging.getLogger(__name__)

MAX_HEARD = 1024 * 1024
_DROPPED = frozenset({b"alt-svc"})  # an offer of HTTP/3 would lead the client around us
_ERRORS = 400  # statuses from here on
_BODILESS = (204, 304)  # a length in their head is that of no body of theirs (RFC 9110 section 8.6)


class Answering:
    """Carries one answer. The methods return False where the client's connection must be cut, because its answer
    could not be ended in order."""

    def __init__(
        self,
        wire: Wire,
        ledger: Ledger,
        settle: Callable[[], Awaitable[None]],
        scans: ScanPool,
        opinion: SecondOpinion,
        capture_key: bytes,
        *,
        limit: int,
        facts: Headers = (),
        failing: Failing | None = None,
    ) -> None:
        """`limit` is the largest answer, in bytes; `facts` are headers of the gateway's own for the client. With
        `failing` a stream that breaks off is ended by it, and so is one that ends before its answer does; without, the
        client's connection is cut, as the upstream's was."""
        self._facts = facts
        self._failing = failing
        self._wire = wire
        self._ledger = ledger
        self._settle = settle
        self._scans = scans
        self._opinion = opinion
        self._capture_key = capture_key
        self._limit = limit

    async def relay(self, response: UpstreamResponse, heard: Callable[[bytes], object] | None = None) -> bool:
        """An answer that is nobody's to read: through as it comes. `heard` is told its first `MAX_HEARD` bytes, before
        the client has all of it."""
        ledger = self._ledger
        kept: list[bytes] = []
        size = 0
        dropped = _DROPPED if response.status not in _BODILESS else _DROPPED | {b"content-length"}
        try:
            await self._begin(response, self._fields(response, dropped))
            async for chunk in response.chunks():
                if heard is not None and size < MAX_HEARD:
                    kept.append(chunk)
                    size += len(chunk)
                await self._wire.write(chunk)
            if heard is not None:
                heard(b"".join(kept)[:MAX_HEARD])
        except UpstreamError as error:
            return await self._broken(error)
        finally:
            ledger.received()
            await response.aclose()
        return await self._end(Outcome.COMPLETED)

    async def inspect(
        self, response: UpstreamResponse, dialect: Dialect, request: ParsedRequest, scope: Scope
    ) -> bool:
        """A model's answer, by what it says it is."""
        kind = headers.get(response.headers, b"content-type").partition(b";")[0].strip().lower()
        framing = dialect.framing_of(kind, request)
        if framing is not None and (kind != b"application/json" or response.status < _ERRORS):
            return await self._stream(response, dialect, framing, request, scope)
        if b"json" in kind or kind.startswith(b"text/") or not kind:
            return await self._whole(response, dialect, scope)
        return await self.relay(response)

    async def _whole(self, response: UpstreamResponse, dialect: Dialect, scope: Scope) -> bool:
        ledger = self._ledger
        try:
            body = await collected(response, limit=self._limit)
        except ContentError as error:
            raise UpstreamError(f"the provider's answer cannot be read: {error}") from error
        finally:
            ledger.received()
            await response.aclose()
        with ledger.working():
            try:
                verdict = await self._scans.run(len(body), inspect_answer, dialect, body, scope)
            except Exception:
                log.exception("inspection of the answer of exchange %s failed", ledger.id)
                verdict = AnswerVerdict(decision=failed_check(scope), body=body, understood=False)
            verdict = await self._opinion.on_answer(verdict, dialect, scope)
            self._note(verdict, dialect, scope)
        if verdict.blocked:
            ledger.outcome = Outcome.BLOCKED
            block = dialect.block(ledger.decision.message)
            ledger.status, ledger.response_bytes = block.status, len(block.body)
            await self._settle()
            await self._wire.answer(block.status, block.headers, block.body)
            return True
        ledger.outcome, ledger.status = Outcome.COMPLETED, response.status
        ledger.response_bytes = len(verdict.body)
        ledger.first_byte()
        await self._settle()
        fields = headers.without_body_facts(self._fields(response))
        await self._wire.answer(response.status, fields, verdict.body)
        return True

    async def _stream(
        self,
        response: UpstreamResponse,
        dialect: Dialect,
        framing: Callable[[], Framing],
        request: ParsedRequest,
        scope: Scope,
    ) -> bool:
        checked = bool(self._opinion.wanted(scope, Where.ANSWER))
        inspector = StreamInspector(
            dialect,
            dialect.stream_reader(request),
            scope,
            framing=framing,
            keep_text=checked or scope.capture is not CaptureMode.METADATA,
            hide_usage=request.hides_usage,
            whole_events=self._failing is not None,
            keep_calls=scope.rules.report is not None,
        )
        fields = headers.without_body_facts(self._fields(response))
        try:
            await self._begin(response, fields)
            failure = await self._pump(response, inspector, scope)
        finally:
            self._ledger.received()
            self._heard(inspector, scope)
            await response.aclose()
        if inspector.blocked:
            return await self._end(Outcome.BLOCKED)
        if checked:  # all of it has been sent; the stream's end waits, so that the record is whole
            _, sent = inspector.texts()
            with self._ledger.working():
                self._ledger.decided(await self._opinion.on_sent(sent, scope))
        if failure is None and self._failing is not None and not inspector.ended:
            failure = UpstreamError("the provider's stream ended before the answer did")
        if failure is not None:
            failing = self._failing
            return await self._broken(failure, failing and _reframed(failing, inspector))
        return await self._end(Outcome.COMPLETED)

    async def _pump(
        self, response: UpstreamResponse, inspector: StreamInspector, scope: Scope
    ) -> UpstreamError | None:
        """Move the stream until its end, a block, or a failure of the upstream, which is returned."""
        failure: UpstreamError | None = None
        spent = 0.0

        def step(what: Callable[..., bytes], *data: bytes) -> bytes:
            nonlocal spent
            begun = time.perf_counter()
            try:
                return self._step(inspector, scope, what, *data)
            finally:
                spent += time.perf_counter() - begun

        pacing = Pacing(
            rest=partial(step, inspector.rest),
            holding=lambda: inspector.holding,
            write=self._wire.write,
            clock=time.monotonic,
            comment=COMMENT if inspector.comments else b"",
        )
        try:
            async with pacing.running():
                async for chunk in decoded(response, limit=self._limit):
                    await pacing.step(partial(step, inspector.feed, chunk))
                    if inspector.blocked:
                        return None
        except UpstreamError as error:
            failure = error
        except ContentError as error:
            failure = UpstreamError(f"the provider's stream cannot be read: {error}")
        finally:
            self._ledger.add_work(spent)
        if ready := self._step(inspector, scope, inspector.finish):
            await self._wire.write(ready)
        return failure

    def _step(
        self, inspector: StreamInspector, scope: Scope, step: Callable[..., bytes], *data: bytes
    ) -> bytes:
        """What one step of the inspection lets go. A step that crashes follows the policy's `on_error`."""
        try:
            return step(*data)
        except ContentError:
            raise
        except Exception:
            log.exception("inspection of the answer of exchange %s failed", self._ledger.id)
            decision = failed_check(scope)
            self._ledger.decided(decision)
            if decision.stops:
                return inspector.stop(decision.message)
            return inspector.release()

    def _fields(
        self, response: UpstreamResponse, drop: frozenset[bytes] = _DROPPED
    ) -> list[tuple[bytes, bytes]]:
        """The head of the answer for the client: the upstream's, with what the gateway says itself."""
        ours = frozenset(name for name, _ in self._facts)
        return [*headers.forwardable(response.headers, drop=drop | ours), *self._facts]

    async def _begin(self, response: UpstreamResponse, fields: list[tuple[bytes, bytes]]) -> None:
        self._ledger.status = response.status
        self._ledger.first_byte()
        await self._wire.start(response.status, fields)

    async def _end(self, outcome: Outcome) -> bool:
        self._ledger.outcome = outcome
        self._ledger.response_bytes = self._wire.bytes_out
        await self._settle()  # what a client has seen finished is in the trail
        await self._wire.finish()
        return True

    async def _broken(self, error: UpstreamError, failing: Failing | None = None) -> bool:
        """The upstream broke off: the client must not take what it has for a whole answer."""
        self._ledger.outcome, self._ledger.error = Outcome.UPSTREAM_FAILED, str(error)
        if not self._wire.started:
            raise error
        if failing is None:
            return False
        await self._wire.write(failing(f"Drawbridge: {error}"))
        return await self._end(Outcome.UPSTREAM_FAILED)

    def _note(self, verdict: AnswerVerdict, dialect: Dialect, scope: Scope) -> None:
        ledger, answer = self._ledger, verdict.answer
        ledger.decided(verdict.decision)
        ledger.usage, ledger.model, ledger.finish_reason = answer.usage, answer.model, answer.finish_reason
        ledger.characters = sum(len(slot.text) for slot in outermost(answer.slots))
        capture = scope.capture
        if scope.rules.report is not None and verdict.understood and not verdict.blocked:
            ledger.called(scope, calls_in(verdict.judged, answer.slots))
        if capture is not CaptureMode.METADATA and verdict.understood and not verdict.blocked:
            kept = dialect.parse_answer(verdict.judged).slots if capture is CaptureMode.REDACTED else ()
            ledger.answer = captured(capture, kept, answer.slots, self._capture_key)

    def _heard(self, inspector: StreamInspector, scope: Scope) -> None:
        ledger = self._ledger
        ledger.decided(inspector.decision())
        ledger.usage, ledger.model = inspector.usage, inspector.model
        ledger.finish_reason = inspector.finish_reason
        ledger.characters, ledger.chunks = inspector.characters, inspector.chunks
        capture = scope.capture
        if scope.rules.report is not None:
            ledger.called(scope, inspector.calls())
        if capture is not CaptureMode.METADATA:
            original, redacted = inspector.texts()
            ledger.answer = captured(capture, _slots(redacted), _slots(original), self._capture_key)


def _reframed(failing: Failing, inspector: StreamInspector) -> Failing:
    """The end of a failed stream in the framing that the client is reading."""
    return lambda message: inspector.ending(failing(message))


def _slots(texts: list[str]) -> tuple[Slot, ...]:
    return tuple(Slot(address=((),), role=Role.ASSISTANT, text=text) for text in texts)
