"""One check, asked: which texts are new, in which calls they go, and what their answers come to in the texts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from agent.checks.breaker import CircuitBreaker
from agent.checks.bundles import bundled, bundles, parted
from agent.checks.known import FRESH_SECONDS, Memory, Said, key_of
from agent.checks.pieces import Cut, cuts, sendable, spread
from agent.checks.ports import MAX_MARKS, Adapter, CheckError, Failure, Mark, Piece
from agent.inspection.outside import Located, Report, Segment
from agent.inspection.veil import Veiled
from agent.model.content import Role, Where
from agent.model.findings import Family, Finding
from agent.policy.checks import Breaker, Check, OnnxCheck

log = logging.getLogger(__name__)

_PARTS = 4  # at least so many of a text that is too long are looked at
_SMALLEST_PART = 100  # characters


@dataclass(slots=True)
class _Text:
    """One segment's text as it is sent, and what has been said of it."""

    segment: Segment
    sent: Veiled
    text: str = field(repr=False)
    key: bytes
    cuts: tuple[Cut, ...] = ()
    marks: list[Mark] = field(default_factory=list)
    needed: bool = True  # nothing may pass before it was asked about
    failure: Failure | None = None  # why not all of it was


type _Part = tuple[_Text, Cut]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    where: Where
    parts: tuple[_Part, ...]
    bundle: bool = False  # its parts are sent as one text

    def pieces(self) -> tuple[Piece, ...]:
        texts = [text.text[cut.start : cut.end] for text, cut in self.parts]
        roles = [text.segment.slot.role for text, _ in self.parts]
        if self.bundle:
            texts, roles = [bundled(texts)], roles[:1]
        return tuple(Piece(role=role, text=text) for role, text in zip(roles, texts, strict=True))

    def one_by_one(self) -> tuple[_Call, ...]:
        return tuple(replace(self, parts=(part,), bundle=False) for part in self.parts)


class AskedCheck:
    """One check under one configuration, with what it remembers: answers, failures, calls under way."""

    def __init__(self, check: Check, adapter: Adapter, *, clock: Callable[[], float]) -> None:
        """`clock` is monotonic, in seconds."""
        breaker = Breaker() if isinstance(check, OnnxCheck) else check.breaker
        self.adapter = adapter
        self._check = check
        self._digest = check.digest
        self._private = not isinstance(check, OnnxCheck) and check.redact_first
        self._clock = clock
        self._memory = Memory()
        self._breaker = CircuitBreaker(failures=breaker.failures, seconds=breaker.seconds)
        self._gate = asyncio.Semaphore(1 if isinstance(check, OnnxCheck) else check.concurrency)

    async def report(self, segments: tuple[Segment, ...]) -> Report:
        """What the check says of `segments`. Never raises."""
        texts = [self._text(segment) for segment in segments]
        unknown = [text for text in texts if not self._remembered(text)]
        self._cut(unknown)
        calls = self._calls(unknown)
        if calls:
            deadline = asyncio.get_running_loop().time() + self._check.timeout_ms / 1e3
            await asyncio.gather(*(self._made(call, deadline) for call in calls))
        now = self._clock()
        for text in unknown:
            if text.needed or (text.cuts and text.failure is None):
                self._memory.put(text.key, Said(marks=tuple(text.marks), failure=text.failure), now=now)
        findings = tuple(located for text in texts for located in self._located(text))
        failure = next((text.failure for text in texts if text.needed and text.failure is not None), "")
        return Report(check=self._check.id, findings=findings, failure=failure)

    def _text(self, segment: Segment) -> _Text:
        sent = segment.veiled if self._private else segment.bare
        text = sendable(sent.text)
        key = key_of(self._digest, segment.where, segment.slot.role, text)
        return _Text(segment=segment, sent=sent, text=text, key=key)

    def _remembered(self, text: _Text) -> bool:
        """Whether the check has said of that text what it has to say.

        New text is asked about anew after a while. What an earlier exchange has sent keeps its verdict; where there
        was none then, because the check failed, it is still owed.
        """
        fresh = text.segment.fresh
        said = self._memory.get(text.key, now=self._clock(), max_age=FRESH_SECONDS if fresh else None)
        text.needed = fresh or (said is not None and said.failure is not None)
        if said is None or (said.failure is not None and (fresh or said.failure is not Failure.TOO_LONG)):
            return False
        text.marks, text.failure = list(said.marks), said.failure
        return True

    def _cut(self, texts: list[_Text]) -> None:
        """Choose what is asked about: what is needed, then older tool results as far as `max_chars` goes. Persons'
        older words were asked about when they were new."""
        left = self._check.max_chars
        for text in sorted(texts, key=lambda text: not text.needed):
            length = len(text.text)
            if not text.needed and (text.segment.where is not Where.TOOL_RESULT or length > left):
                continue
            size = self.adapter.limits.chars
            if length <= left:
                text.cuts = cuts(text.text, size)
            else:  # head, tail, and what lies between, as far as it goes
                text.failure = Failure.TOO_LONG
                text.cuts = _some(text.text, min(size, left // _PARTS), left)
            left -= min(length, left)

    def _calls(self, texts: list[_Text]) -> list[_Call]:
        kinds: dict[tuple[Where, bool, Role], list[_Part]] = {}
        for text in texts:
            kind = (text.segment.where, text.needed, text.segment.slot.role)
            kinds.setdefault(kind, []).extend((text, cut) for cut in text.cuts)
        alone = self.adapter.limits.pieces == 1
        return [
            _Call(where=where, parts=parts, bundle=alone and len(parts) > 1)
            for (where, _, _), all_parts in kinds.items()
            for parts in (self._bundles(all_parts) if alone else self._batches(all_parts))
        ]

    def _bundles(self, parts: list[_Part]) -> list[tuple[_Part, ...]]:
        lengths = [cut.end - cut.start for _, cut in parts]
        return [
            tuple(parts[place] for place in places) for places in bundles(lengths, self.adapter.limits.chars)
        ]

    def _batches(self, parts: list[_Part]) -> list[tuple[_Part, ...]]:
        limits = self.adapter.limits
        batches: list[tuple[_Part, ...]] = []
        batch: list[_Part] = []
        size = 0
        for part in parts:
            length = part[1].end - part[1].start
            full = len(batch) == limits.pieces or (limits.total is not None and size + length > limits.total)
            if batch and full:
                batches.append(tuple(batch))
                batch, size = [], 0
            batch.append(part)
            size += length
        return [*batches, tuple(batch)] if batch else batches

    async def _made(self, call: _Call, deadline: float) -> None:
        """Make a call, and note in its texts what was said or why nothing was."""
        try:
            async with asyncio.timeout_at(deadline), self._gate:
                answer = await self._admitted(call, deadline)
        except (CheckError, TimeoutError) as error:
            failure = error.failure if isinstance(error, CheckError) else Failure.TIMEOUT
            if failure is not Failure.LEFT_ALONE:
                log.warning("check %s: %s", self._check.id, error if str(error) else failure)
            for text, _ in call.parts:
                text.failure = text.failure or failure
            return
        if call.bundle:
            own = parted(answer[0], [cut.end - cut.start for _, cut in call.parts])
            if own is None:
                await asyncio.gather(*(self._made(one, deadline) for one in call.one_by_one()))
                return
            answer = own
        for (text, cut), marks in zip(call.parts, answer, strict=True):
            text.marks += [
                replace(mark, start=mark.start + cut.start, end=mark.end + cut.start) for mark in marks
            ]

    async def _admitted(self, call: _Call, deadline: float) -> tuple[tuple[Mark, ...], ...]:
        if not self._breaker.admits(self._clock()):
            raise CheckError(Failure.LEFT_ALONE)
        pieces = call.pieces()
        try:
            answer = await self.adapter.ask(call.where, pieces)
            _believable(pieces, answer)
        except asyncio.CancelledError:
            if asyncio.get_running_loop().time() >= deadline:
                self._breaker.failed(self._clock())
            else:  # the client has left
                self._breaker.abandoned()
            raise
        except CheckError:
            self._breaker.failed(self._clock())
            raise
        except Exception as error:  # an adapter that trips over an answer must not take the exchange with it
            self._breaker.failed(self._clock())
            raise CheckError(Failure.MALFORMED, type(error).__name__) from None
        self._breaker.succeeded()
        return answer

    def _located(self, text: _Text) -> list[Located]:
        """The findings in a segment's own text. Overlapping parts say the same twice."""
        best: dict[tuple[int, int, str], float] = {}
        for mark in text.marks:
            span = text.sent.original(mark.start, mark.end)
            if span is not None:
                key = (*span, mark.category)
                best[key] = max(mark.score, best.get(key, 0.0))
        return [
            Located(
                segment=text.segment.id,
                finding=Finding(
                    start=start,
                    end=end,
                    family=Family.CHECK,
                    type=self._check.id,
                    rule=category,
                    score=score,
                ),
            )
            for (start, end, category), score in sorted(best.items())
        ]


def _some(text: str, size: int, most: int) -> tuple[Cut, ...]:
    """Parts of a text, evenly spread, that together hold at most `most` characters."""
    if size < _SMALLEST_PART:
        return ()
    parts = cuts(text, size)
    return tuple(parts[place] for place in spread(len(parts), most // size))


def _believable(pieces: tuple[Piece, ...], answer: tuple[tuple[Mark, ...], ...]) -> None:
    """Raises CheckError where an answer says what cannot be."""
    fits = len(answer) == len(pieces) and all(
        len(marks) <= MAX_MARKS
        and all(0 <= mark.start < mark.end <= len(piece.text) and 0 < mark.score <= 1 for mark in marks)
        for piece, marks in zip(pieces, answer, strict=False)
    )
    if not fits:
        raise CheckError(Failure.MALFORMED, "the findings do not fit the text")
