"""Streams, read: response objects, each of which holds the next parts, become the hub's events.

The format has no events for where a part begins or ends, and no end of its own. Neighbouring texts of one kind are one
part. A finish reason ends nothing before the body does: some models give one with every object. A body that ends
without one broke off.
"""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from agent.dialects.shapes import integer, mapping, objects, string
from agent.errors import ContentError
from agent.model.conversation import (
    ChoiceEnded,
    Ended,
    Finish,
    PartDelta,
    PartEnded,
    PartKind,
    PartSigned,
    PartStarted,
    Started,
    StreamEvent,
    StreamFailed,
    TokenCount,
    TokenLogprob,
    UsageKnown,
)
from agent.translation.gemini_generate import answers, parts
from agent.translation.gemini_generate.framing import Framing
from agent.translation.gemini_generate.names import camel
from agent.translation.gemini_generate.parts import Fields
from agent.translation.moulds import new_delta


class GeminiSource:
    """Reads one stream."""

    __slots__ = ("_choices", "_failed", "_framing", "_id", "_said", "_started", "_usage")

    def __init__(self) -> None:
        self._framing = Framing()
        self._choices: dict[int, _Choice] = {}
        self._id = ""
        self._started = False
        self._failed = False
        self._said = False  # whether bytes came at all
        self._usage: TokenCount | None = None

    def feed(self, data: bytes) -> tuple[StreamEvent, ...]:
        """The events that `data` completes."""
        self._said = self._said or bool(data)
        return self._read_all(self._framing.feed(data))

    def finish(self) -> tuple[StreamEvent, ...]:
        """What is left, and the end where every choice has come to one."""
        events = list(self._read_all(self._framing.finish()))
        if self._said and not self._started and not self._failed:
            raise ContentError("not a stream of the gemini-generate-content format")
        whole = bool(self._choices) and all(choice.reason for choice in self._choices.values())
        if self._failed or not whole:
            return tuple(events)
        for number, choice in self._choices.items():
            choice.end_part(events)
            finish = Finish.FILTERED if choice.blocked else choice.finish()
            events.append(ChoiceEnded(choice=number, finish=finish))
        events.append(Ended())
        return tuple(events)

    def _read_all(self, documents: Iterable[bytes]) -> tuple[StreamEvent, ...]:
        events: list[StreamEvent] = []
        for data in documents:
            if self._failed or data == b"[DONE]":  # sent by compatible servers
                continue
            try:
                document = orjson.loads(data)
            except orjson.JSONDecodeError:
                raise ContentError("an object of the stream is not a JSON document") from None
            if isinstance(document, dict):
                self._read(camel(document), events)
        return tuple(events)

    def _read(self, document: Fields, events: list[StreamEvent]) -> None:
        if isinstance(error := document.get("error"), dict):
            self._fail(error, events)
            return
        if not self._started:
            self._start(document, events)
        for _, candidate in objects(document.get("candidates")):
            self._read_candidate(camel(candidate), events)
        if not self._choices and answers.is_blocked(document):
            self._choices[0] = _Choice(self._id, 0, blocked=True)
        usage = parts.read_usage(document.get("usageMetadata"))
        if (
            usage and usage != self._usage
        ):  # told with every object, so that a stream cut short has been counted
            self._usage = usage
            events.append(UsageKnown(usage=usage))

    def _start(self, document: Fields, events: list[StreamEvent]) -> None:
        self._started = True
        self._id = string(document.get("responseId"))
        model = string(document.get("modelVersion"))
        events.append(Started(id=self._id, model=model, created=answers.created(document)))

    def _fail(self, error: Fields, events: list[StreamEvent]) -> None:
        self._failed = True
        events.append(
            StreamFailed(
                message=string(error.get("message")) or "the provider gave up",
                kind=string(error.get("status")),
                status=integer(error.get("code")) or 0,
            )
        )

    def _read_candidate(self, candidate: Fields, events: list[StreamEvent]) -> None:
        number = integer(candidate.get("index")) or 0
        choice = self._choices.get(number)
        if choice is None:
            choice = self._choices[number] = _Choice(self._id, number)
        result = candidate.get("logprobsResult")
        logprobs = parts.read_logprobs(result) if result else ()
        for _, part in objects(mapping(candidate.get("content")).get("parts")):
            choice.read(camel(part), logprobs, events)
            logprobs = ()
        reason = string(candidate.get("finishReason"))
        if reason and reason != "FINISH_REASON_UNSPECIFIED":
            choice.reason = reason


class _Choice:
    """One candidate: its part under way, and why it ended."""

    __slots__ = ("_calls", "_id", "_kind", "_next", "_number", "_open", "blocked", "reason")

    def __init__(self, id: str, number: int, *, blocked: bool = False) -> None:  # noqa: A002
        self._id = id
        self._number = number
        self._next = 0
        self._calls = False
        self._open = -1
        self._kind = PartKind.TEXT
        self.blocked = blocked
        self.reason = "SAFETY" if blocked else ""

    def read(self, part: Fields, logprobs: tuple[TokenLogprob, ...], events: list[StreamEvent]) -> None:
        """The next part, or more of the one under way. Files and code that ran have no events."""
        text = part.get("text")
        if isinstance(text, str):
            kind = PartKind.THINKING if part.get("thought") is True else PartKind.TEXT
            signature = string(part.get("thoughtSignature")) if kind is PartKind.THINKING else ""
            if text or signature:
                self._read_text(kind, text, logprobs, events)
            if signature:
                self._sign(signature, events)
        elif isinstance(call := part.get("functionCall"), dict):
            self._read_call(call, string(part.get("thoughtSignature")), events)

    def _read_text(
        self, kind: PartKind, text: str, logprobs: tuple[TokenLogprob, ...], events: list[StreamEvent]
    ) -> None:
        if self._open < 0 or kind is not self._kind:
            self.end_part(events)
            self._open, self._kind = self._next, kind
            self._next += 1
            events.append(PartStarted(part=self._open, choice=self._number, kind=kind))
        if text:
            events.append(
                PartDelta(part=self._open, choice=self._number, text=text, logprobs=logprobs)
                if logprobs
                else new_delta(self._open, text, self._number)
            )

    def _sign(self, signature: str, events: list[StreamEvent]) -> None:
        """A signature ends its thought."""
        thought = parts.read_thought("", signature)
        events.append(
            PartSigned(
                part=self._open,
                choice=self._number,
                signature=thought.signature,
                sealed=thought.sealed,
                id=thought.id,
            )
        )
        self.end_part(events)

    def _read_call(self, called: Fields, signature: str, events: list[StreamEvent]) -> None:
        self.end_part(events)
        number, choice = self._next, self._number
        self._next += 1
        self._calls = True
        call = answers.read_call(called, signature, number, self._id, str(choice))
        events.append(
            PartStarted(part=number, choice=choice, kind=PartKind.TOOL_CALL, call_id=call.id, name=call.name)
        )
        events.append(new_delta(number, call.arguments, choice))
        if call.signature:
            events.append(PartSigned(part=number, choice=choice, signature=call.signature))
        events.append(PartEnded(part=number, choice=choice))

    def end_part(self, events: list[StreamEvent]) -> None:
        """The text or thought under way is whole."""
        if self._open >= 0:
            events.append(PartEnded(part=self._open, choice=self._number))
            self._open = -1

    def finish(self) -> Finish:
        """Why it ended."""
        return parts.read_finish(self.reason, calls=self._calls)
