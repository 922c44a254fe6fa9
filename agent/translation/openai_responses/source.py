"""Streams, read: `response.*` events become the hub's.

Servers that speak this format leave events out: some never open a content part, some send a call's arguments only when
they are whole, some send nothing but the last event. So each part counts what of it was streamed, and what arrives
whole fills the gap.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

import orjson

from agent.dialects.shapes import integer, mapping, objects, string
from agent.dialects.sse import SseDecoder, SseEvent
from agent.errors import ContentError
from agent.model.conversation import (
    ChoiceEnded,
    Ended,
    PartDelta,
    PartEnded,
    PartKind,
    PartSigned,
    PartStarted,
    Started,
    StreamEvent,
    StreamFailed,
    UsageKnown,
)
from agent.translation.moulds import new_delta
from agent.translation.openai_responses import items
from agent.translation.openai_responses.items import BETWEEN_SUMMARIES, CallSigned

_STATUS = {"rate_limit_exceeded": 429, "server_error": 500, "invalid_prompt": 400}
_ENDS = ("response.completed", "response.incomplete", "response.failed", "response.cancelled")
_TEXTS = {  # the events that bring more of a part: what the part is, and the field of the whole
    "response.output_text": (PartKind.TEXT, "text"),
    "response.refusal": (PartKind.REFUSAL, "refusal"),
    "response.reasoning_summary_text": (PartKind.THINKING, "text"),
    "response.reasoning_text": (PartKind.THINKING, "text"),
    "response.function_call_arguments": (PartKind.TOOL_CALL, "arguments"),
}
_SIGNED = -1  # a place in an item that no content has: the signature of the whole item


class ResponsesSource:
    """Reads one stream."""

    __slots__ = ("_calls", "_decoder", "_ended", "_numbers", "_parts", "_said", "_spoken", "_started")

    def __init__(self) -> None:
        self._decoder = SseDecoder()
        self._numbers = count()
        self._parts: dict[
            tuple[int, int], _Part
        ] = {}  # by item and content; calls and thoughts are content 0
        self._calls: dict[str, int] = {}  # the parts of calls, by call id
        self._spoken: _Part | None = None  # the text or thought under way
        self._started = False
        self._ended = False
        self._said = False  # whether bytes came at all

    def feed(self, data: bytes) -> tuple[StreamEvent, ...]:
        """The events that `data` completes."""
        self._said = self._said or bool(data)
        return self._read_all(self._decoder.feed(data))

    def finish(self) -> tuple[StreamEvent, ...]:
        """What is left. The format ends by itself, so a stream without its last event broke off."""
        events = self._read_all(self._decoder.finish())
        if self._said and not self._started and not events:
            raise ContentError("not a stream of the openai-responses format")
        return events

    def _read_all(self, received: Iterable[SseEvent]) -> tuple[StreamEvent, ...]:
        events: list[StreamEvent] = []
        for event in received:
            if event.data and not self._ended and event.data != b"[DONE]":
                self._read(event, events)
        return tuple(events)

    def _read(self, event: SseEvent, events: list[StreamEvent]) -> None:
        try:
            document = orjson.loads(event.data)
        except orjson.JSONDecodeError:
            raise ContentError("an event of the stream is not a JSON document") from None
        if not isinstance(document, dict):
            return
        kind = document.get("type") or event.event
        if not self._started:
            self._start(mapping(document.get("response")), kind == "error", events)
        name, _, step = str(kind).rpartition(".")
        if name in _TEXTS:
            self._read_text(name, step, document, events)
        elif kind in _ENDS:
            self._end(kind, mapping(document.get("response")), events)
        elif kind == "error":
            self._fail(mapping(document.get("error")) or document, events)
        else:
            self._read_structure(kind, document, events)

    def _start(self, response: dict[str, object], failed: bool, events: list[StreamEvent]) -> None:  # noqa: FBT001
        self._started = True
        created = response.get("created_at")
        if not failed:
            events.append(
                Started(
                    id=string(response.get("id")),
                    model=string(response.get("model")),
                    created=int(created) if isinstance(created, (int, float)) else 0,
                )
            )

    def _read_text(
        self, name: str, step: str, document: dict[str, object], events: list[StreamEvent]
    ) -> None:
        kind, whole = _TEXTS[name]
        output = integer(document.get("output_index")) or 0
        place = (integer(document.get("content_index")) or 0) if kind in _SPOKEN else 0
        part = self._parts.get((output, place)) or self._open(output, place, kind, events)
        if part.source and part.source != name:
            return  # a thought's summary beside the thought itself, or the reverse
        part.source = name
        if step == "delta":
            piece = string(document.get("delta"))
            logprobs = document.get("logprobs")
            if piece:
                part.length += len(piece)
                events.append(
                    PartDelta(part=part.number, text=piece, logprobs=items.read_logprobs(logprobs))
                    if logprobs
                    else new_delta(part.number, piece)
                )
        elif step == "done" and not part.length:
            part.add(string(document.get(whole)), events)

    def _read_structure(self, kind: object, document: dict[str, object], events: list[StreamEvent]) -> None:
        output = integer(document.get("output_index")) or 0
        match kind:
            case "response.output_item.added":
                self._open_item(output, mapping(document.get("item")), events)
            case "response.output_item.done":
                self._close_item(output, mapping(document.get("item")), events)
            case "response.content_part.added" | "response.content_part.done":
                place = integer(document.get("content_index")) or 0
                self._read_content(output, place, mapping(document.get("part")), events)
                if kind == "response.content_part.done" and (part := self._parts.get((output, place))):
                    part.end(events)
            case "response.reasoning_summary_part.added":
                part = self._parts.get((output, 0))
                if part and part.length and document.get("summary_index"):
                    part.add(BETWEEN_SUMMARIES, events)

    def _read_content(
        self, output: int, place: int, content: dict[str, object], events: list[StreamEvent]
    ) -> None:
        match content.get("type"):
            case "output_text":
                kind, text = PartKind.TEXT, string(content.get("text"))
            case "refusal":
                kind, text = PartKind.REFUSAL, string(content.get("refusal"))
            case _:
                return
        part = self._parts.get((output, place)) or self._open(output, place, kind, events)
        if not part.length:
            part.add(text, events)

    def _open_item(self, output: int, item: dict[str, object], events: list[StreamEvent]) -> None:
        """Messages open with their content, calls and thoughts with the item."""
        match item.get("type"):
            case "function_call":
                call = items.read_call(item)
                self._open(output, 0, PartKind.TOOL_CALL, events, call_id=call.id, name=call.name)
            case "reasoning" if not isinstance(items.read_reasoning(item), CallSigned):
                self._open(output, 0, PartKind.THINKING, events)

    def _close_item(self, output: int, item: dict[str, object], events: list[StreamEvent]) -> None:
        """An item is whole: what of it was not streamed is now."""
        if (output, _SIGNED) in self._parts:
            return
        match item.get("type"):
            case "message":
                for place, content in objects(item.get("content")):
                    self._read_content(output, place, content, events)
            case "function_call":
                self._fill(output, item, PartKind.TOOL_CALL, string(item.get("arguments")), events)
            case "reasoning":
                self._close_thought(output, item, events)
        for (owner, _), part in self._parts.items():
            if owner == output:
                part.end(events)
        self._parts[output, _SIGNED] = _Part(number=-1, ended=True)

    def _close_thought(self, output: int, item: dict[str, object], events: list[StreamEvent]) -> None:
        thought = items.read_reasoning(item)
        if isinstance(thought, CallSigned):
            number = self._calls.get(thought.call_id)
            if number is not None:
                events.append(PartSigned(part=number, signature=thought.signature))
            return
        part = self._fill(output, item, PartKind.THINKING, thought.text if thought else "", events)
        if thought and (thought.signature or thought.sealed):
            events.append(
                PartSigned(
                    part=part.number, signature=thought.signature, sealed=thought.sealed, id=thought.id
                )
            )

    def _fill(
        self, output: int, item: dict[str, object], kind: PartKind, text: str, events: list[StreamEvent]
    ) -> _Part:
        if (output, 0) not in self._parts:
            self._open_item(output, item, events)
        part = self._parts.get((output, 0)) or self._open(output, 0, kind, events)
        if not part.length:
            part.add(text, events)
        return part

    def _open(
        self,
        output: int,
        place: int,
        kind: PartKind,
        events: list[StreamEvent],
        *,
        call_id: str = "",
        name: str = "",
    ) -> _Part:
        if self._spoken:  # only calls may overlap
            self._spoken.end(events)
        part = self._parts[output, place] = _Part(number=next(self._numbers))
        self._spoken = None if kind is PartKind.TOOL_CALL else part
        if call_id:
            self._calls[call_id] = part.number
        events.append(PartStarted(part=part.number, kind=kind, call_id=call_id, name=name))
        return part

    def _end(self, kind: object, response: dict[str, object], events: list[StreamEvent]) -> None:
        if usage := items.read_usage(response.get("usage")):
            events.append(UsageKnown(usage=usage))
        if kind in ("response.failed", "response.cancelled"):
            self._fail(mapping(response.get("error")), events)
            return
        if not self._parts:  # a server that streams nothing but its end
            for output, item in objects(response.get("output")):
                self._close_item(output, item, events)
        for part in self._parts.values():
            part.end(events)
        events.append(ChoiceEnded(finish=items.read_finish(response, calls=bool(self._calls))))
        events.append(Ended())
        self._ended = True

    def _fail(self, error: dict[str, object], events: list[StreamEvent]) -> None:
        code = string(error.get("code")) or string(error.get("type"))
        message = string(error.get("message")) or "the provider gave up"
        events.append(StreamFailed(message=message, kind=code, status=_STATUS.get(code, 0)))
        self._ended = True


_SPOKEN = (PartKind.TEXT, PartKind.REFUSAL)


class _Part:
    """A part under way: its number, how much of it came, by which events, and whether it is over."""

    __slots__ = ("ended", "length", "number", "source")

    def __init__(self, *, number: int, ended: bool = False) -> None:
        self.number = number
        self.length = 0
        self.source = ""
        self.ended = ended

    def add(self, text: str, events: list[StreamEvent]) -> None:
        """More of it, if it is more."""
        if text and not self.ended:
            self.length += len(text)
            events.append(new_delta(self.number, text))

    def end(self, events: list[StreamEvent]) -> None:
        """It is whole, if it was not before."""
        if not self.ended:
            self.ended = True
            events.append(PartEnded(part=self.number))
