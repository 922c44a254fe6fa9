"""Reads and writes the events of a streamed chat: server-sent, each a JSON document that names its `type`.

Content blocks and tool calls are numbered apart. A plan, which is words before calls, has no events that open or close
it. Source: the Cohere API reference, "Chat with Streaming", and the SDK's type `V2ChatStreamResponse`.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from agent.dialects.shapes import integer, mapping, string
from agent.dialects.sse import encode
from agent.model.conversation import (
    NO_COUNT,
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
    TokenLogprob,
    UsageKnown,
)
from agent.translation.cohere_chat.answers import (
    finish_of,
    read_logprobs,
    read_usage,
    reason_for,
    write_logprob,
    write_usage,
)
from agent.translation.cohere_chat.reading import read_call
from agent.translation.cohere_chat.writing import Block
from agent.translation.sources import EventSource

type _Key = tuple[str, int | None]  # content, call or plan, and its index

_PLAN: _Key = ("plan", None)
_STATUS = {"TIMEOUT": 504}
_FAILED = 500


class CohereSource(EventSource):
    """Reads one stream."""

    def __init__(self) -> None:
        super().__init__()
        self._open: dict[_Key, tuple[int, PartKind]] = {}
        self._parts = 0

    def _read(self, name: str, data: bytes) -> list[StreamEvent]:
        try:
            document = mapping(orjson.loads(data))
        except orjson.JSONDecodeError:
            return []
        message = mapping(mapping(document.get("delta")).get("message"))
        index = integer(document.get("index"))
        match document.get("type", name):
            case "content-delta":
                return self._content(index, mapping(message.get("content")), document.get("logprobs"))
            case "content-start":
                return self._content_start(index, mapping(message.get("content")))
            case "content-end":
                return self._end(("content", index))
            case "tool-plan-delta":
                return self._grow(_PLAN, PartKind.TEXT, string(message.get("tool_plan")))
            case _ as kind:
                return self._frame(kind, index, document, message)

    def _frame(
        self, kind: object, index: int | None, document: dict[str, object], message: dict[str, object]
    ) -> list[StreamEvent]:
        """Calls, and what stands around the parts."""
        match kind:
            case "tool-call-start":
                return self._call(index, mapping(message.get("tool_calls")))
            case "tool-call-delta":
                function = mapping(mapping(message.get("tool_calls")).get("function"))
                return self._grow(("call", index), PartKind.TOOL_CALL, string(function.get("arguments")))
            case "tool-call-end":
                return self._end(("call", index))
            case "message-start":
                return [Started(id=string(document.get("id")))]
            case "message-end":
                return self._message_end(mapping(document.get("delta")))
            case "" | "error" if document.get("message"):
                return [StreamFailed(message=string(document.get("message")))]
        return []

    def _content_start(self, index: int | None, content: Mapping[str, object]) -> list[StreamEvent]:
        kind = PartKind.THINKING if content.get("type") == "thinking" else PartKind.TEXT
        text = content.get("thinking") if kind is PartKind.THINKING else content.get("text")
        return self._grow(("content", index), kind, string(text), begin=True)

    def _content(
        self, index: int | None, content: Mapping[str, object], logprobs: object
    ) -> list[StreamEvent]:
        """A piece of a block, which tells by its field what it is: not every server opens its blocks."""
        tokens = () if logprobs is None else read_logprobs(logprobs)
        match content:
            case {"thinking": str() as text} if text:
                return self._grow(("content", index), PartKind.THINKING, text, tokens)
            case {"text": str() as text}:
                return self._grow(("content", index), PartKind.TEXT, text, tokens)
        return []

    def _grow(
        self,
        key: _Key,
        kind: PartKind,
        text: str,
        logprobs: tuple[TokenLogprob, ...] = (),
        *,
        begin: bool = False,
    ) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        known = self._open.get(key)
        if known is not None and known[1] is not kind:
            events, known = self._end(key), None
        if known is None:
            if kind is PartKind.TOOL_CALL or not (text or begin):
                return events
            events += self._end_others()
            known = self._open[key] = (self._parts, kind)
            self._parts += 1
            events.append(PartStarted(part=known[0], kind=kind))
        if text or logprobs:
            events.append(PartDelta(part=known[0], text=text, logprobs=logprobs))
        return events

    def _call(self, index: int | None, tool: Mapping[str, object]) -> list[StreamEvent]:
        call = read_call(tool)
        events = self._end_others(PartKind.TOOL_CALL)
        part = self._parts
        self._open["call", index] = (part, PartKind.TOOL_CALL)
        self._parts += 1
        events.append(PartStarted(part=part, kind=PartKind.TOOL_CALL, call_id=call.id, name=call.name))
        begun = string(mapping(tool.get("function")).get("arguments"))
        if begun:
            events.append(PartDelta(part=part, text=begun))
        return events

    def _end(self, key: _Key) -> list[StreamEvent]:
        known = self._open.pop(key, None)
        return [] if known is None else [PartEnded(part=known[0])]

    def _end_others(self, spared: PartKind | None = None) -> list[StreamEvent]:
        """Only calls may be open together."""
        ended = [key for key, (_, kind) in self._open.items() if kind is not spared]
        return [event for key in ended for event in self._end(key)]

    def _message_end(self, delta: Mapping[str, object]) -> list[StreamEvent]:
        events = self._end_others()
        reason = string(delta.get("finish_reason"))
        usage = read_usage(delta.get("usage"))
        if usage != NO_COUNT:
            events.append(UsageKnown(usage=usage))
        if error := string(delta.get("error")):
            return [*events, StreamFailed(message=error, kind=reason, status=_STATUS.get(reason, _FAILED))]
        return [*events, ChoiceEnded(finish=finish_of(reason)), Ended()]


class CohereSink:
    """Writes one stream: its first choice, as Cohere knows no others."""

    def __init__(self) -> None:
        self._id = ""
        self._usage = NO_COUNT
        self._reason = reason_for(Finish.STOP)
        self._places: dict[int, tuple[PartKind, int]] = {}  # of each part, its number among its like
        self._blocks = 0
        self._calls = 0

    def write(self, event: StreamEvent) -> bytes:
        """The events that say it."""
        if getattr(event, "choice", 0):
            return b""
        match event:
            case PartDelta():
                return self._delta(event)
            case PartStarted():
                return self._start(event)
            case PartEnded():
                kind, index = self._places[event.part]
                return _told("tool-call-end" if kind is PartKind.TOOL_CALL else "content-end", index)
            case PartSigned():
                return b""  # Cohere signs nothing
            case _:
                return self._frame(event)

    def _frame(self, event: StreamEvent) -> bytes:
        """What stands around the parts. The end tells the reason and the usage."""
        match event:
            case Started():
                self._id = event.id
                self._usage = self._usage.merged(event.usage)
                message: Block = {
                    "role": "assistant",
                    "content": [],
                    "tool_plan": "",
                    "tool_calls": [],
                    "citations": [],
                }
                return _told("message-start", None, message, id=event.id)
            case UsageKnown():
                self._usage = self._usage.merged(event.usage)
            case ChoiceEnded():
                self._reason = reason_for(event.finish)
            case StreamFailed():
                return self._end({"finish_reason": reason_for(Finish.FAILED), "error": event.message})
            case Ended():
                return self._end({"finish_reason": self._reason})
        return b""

    def _end(self, delta: Block) -> bytes:
        document = {
            "type": "message-end",
            "id": self._id,
            "delta": {**delta, "usage": write_usage(self._usage)},
        }
        return encode("message-end", orjson.dumps(document))

    def _start(self, event: PartStarted) -> bytes:
        if event.kind is PartKind.TOOL_CALL:
            index, self._calls = self._calls, self._calls + 1
            self._places[event.part] = (event.kind, index)
            call = {
                "id": event.call_id,
                "type": "function",
                "function": {"name": event.name, "arguments": ""},
            }
            return _told("tool-call-start", index, {"tool_calls": call})
        index, self._blocks = self._blocks, self._blocks + 1
        self._places[event.part] = (event.kind, index)
        field = _field(event.kind)
        return _told("content-start", index, {"content": {"type": field, field: ""}})

    def _delta(self, event: PartDelta) -> bytes:
        kind, index = self._places[event.part]
        if kind is PartKind.TOOL_CALL:
            return _told("tool-call-delta", index, {"tool_calls": {"function": {"arguments": event.text}}})
        more = {"logprobs": write_logprob(event.logprobs)} if event.logprobs else {}
        return _told("content-delta", index, {"content": {_field(kind): event.text}}, **more)


def _field(kind: PartKind) -> str:
    return "thinking" if kind is PartKind.THINKING else "text"


def _told(name: str, index: int | None, message: Block | None = None, **more: object) -> bytes:
    document: Block = {"type": name, **more}
    if index is not None:
        document["index"] = index
    if message is not None:
        document["delta"] = {"message": message}
    return encode(name, orjson.dumps(document))
