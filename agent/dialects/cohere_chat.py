"""Cohere's API, version 2: chat (`/v2/chat`), and the texts of embed and rerank.

Owns the paths of that API's messages and the meaning of its stream events. Its thoughts are unsigned, so they are texts
like others. Source: the Cohere API reference, "Chat" and "Chat with Streaming", and the official SDK's types.
"""

from __future__ import annotations

import orjson

from agent.dialects import counting
from agent.dialects.base import Block, EventView, ParsedAnswer, ParsedRequest, RequestHead
from agent.dialects.moulds import delta_view, json_delta, new_slot, text_delta
from agent.dialects.replies import JsonEdits, json_reply
from agent.dialects.shapes import integer, json_object, mapping, most, objects, string
from agent.dialects.slots import Collector
from agent.dialects.sse import encode
from agent.dialects.turns import read_turns
from agent.model.content import NO_USAGE, Coding, Held, Path, Role, Usage
from agent.model.conversation import TokenCount

_ROLES = {"assistant": Role.ASSISTANT, "system": Role.SYSTEM, "tool": Role.TOOL_RESULT}
_MESSAGE: Path = ("delta", "message")
_FIELDS = ("text", "thinking")  # of a content block: the one that its kind has


class CohereReplies(JsonEdits):
    """How both versions of Cohere's API count, and say no."""

    __slots__ = ()

    def count(self, usage: Usage) -> TokenCount:
        """The tokens that an answer reports, normalised."""
        return counting.inclusive(usage)

    def block(self, message: str) -> Block:
        """HTTP 400; the SDK raises it with the message and does not retry."""
        return json_reply(400, {"message": message})

    def error(self, status: int, message: str) -> Block:
        """An error that is not policy."""
        return json_reply(status, {"message": message})


class CohereChat(CohereReplies):
    """The dialect `cohere-chat`."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The catalog's name of the format."""
        return "cohere-chat"

    def parse_request(self, head: RequestHead, body: bytes) -> ParsedRequest:
        """Messages, documents and tool definitions. Raises ContentError."""
        document = json_object(body)
        found = Collector()
        for key, value in document.items():
            match key:
                case "messages":
                    read_turns(found, (key,), value, _ROLES, _read_message)
                case "documents":
                    found.leaves((key,), Role.TOOL_RESULT, value)
                case "tools" | "response_format":
                    found.schema((key,), value)
                case _:
                    _read_compared(found, key, value)
        return ParsedRequest(
            model=string(document.get("model")),
            stream=document.get("stream") is True,
            max_tokens=most(document.get("max_tokens")),
            slots=tuple(found.slots),
            attachments=tuple(found.attachments),
        )

    def parse_answer(self, body: bytes) -> ParsedAnswer:
        """The message. Raises ContentError."""
        document = json_object(body)
        found = Collector()
        _read_message(found, ("message",), Role.ASSISTANT, document.get("message"))
        return ParsedAnswer(
            slots=tuple(found.slots),
            usage=_usage(document.get("usage")),
            finish_reason=string(document.get("finish_reason")),
        )

    def stream_reader(self, request: ParsedRequest) -> CohereReader:
        """A reader for the events that answer `request`."""
        return CohereReader()


class CohereReader:
    """Reads `content-delta` and the other events."""

    __slots__ = ("_blocks", "_open", "_started", "_tools")

    def __init__(self) -> None:
        self._started = False
        self._blocks = 0  # content blocks that have begun
        self._open: dict[
            str, None
        ] = {}  # channels of blocks, calls and the plan, in the order in which they began
        self._tools: dict[int | None, str] = {}  # of open calls, the tool

    def read(self, event: str, data: bytes) -> EventView:
        """What the event means; an empty view where it is none."""
        if not data:
            return EventView(keepalive=True)
        try:
            document = mapping(orjson.loads(data))
        except orjson.JSONDecodeError:
            return EventView()
        message = mapping(mapping(document.get("delta")).get("message"))
        index = integer(document.get("index"))
        match document.get("type", event):
            case "content-delta":
                return self._content(index, mapping(message.get("content")))
            case "content-start":
                self._blocks += 1
                self._open.setdefault(f"content/{index}")
                return self._content(index, mapping(message.get("content")))
            case "content-end":
                return EventView(closes=self._close(f"content/{index}"))
            case "tool-plan-delta":
                self._open.setdefault("plan")
                return _text("plan", (*_MESSAGE, "tool_plan"), message.get("tool_plan"))
            case _ as kind:
                return self._read_frame(kind, index, document, message)

    def _read_frame(
        self, kind: object, index: int | None, document: dict[str, object], message: dict[str, object]
    ) -> EventView:
        """Calls, citations, and the events around the text."""
        match kind:
            case "tool-call-start":
                function = mapping(mapping(message.get("tool_calls")).get("function"))
                self._tools[index] = string(function.get("name"))
                self._open.setdefault(f"call/{index}")
                return self._arguments(index, function.get("arguments"))
            case "tool-call-delta":
                function = mapping(mapping(message.get("tool_calls")).get("function"))
                return self._arguments(index, function.get("arguments"))
            case "tool-call-end":
                self._tools.pop(index, None)
                return EventView(closes=self._close(f"call/{index}"))
            case "citation-start":
                found = Collector()
                found.prose((*_MESSAGE, "citations"), Role.ASSISTANT, message.get("citations"))
                return EventView(repeats=tuple(found.slots))
            case "message-start":
                self._started = True
            case "message-end":
                return self._end(mapping(document.get("delta")))
        return EventView()

    def block(self, message: str, *, in_step: bool = True) -> bytes:
        """The message as the answer's last text, then a regular end. Where a call is open (half of it must not look
        like a whole one), or the client is not in step, an end that tells of an error."""
        calls = any(channel.startswith("call/") for channel in self._open)
        if not in_step or not self._started or calls:
            return _told("message-end", delta={"finish_reason": "ERROR", "error": message, "usage": {}})
        events = b""
        channel = next((each for each in reversed(self._open) if each.startswith("content/")), "")
        if channel:
            index, text = int(channel.partition("/")[2]), f"\n\n{message}"
        else:
            index, text = self._blocks, message
            content = {"type": "text", "text": ""}
            events = _told("content-start", index=index, delta={"message": {"content": content}})
        return b"".join(
            (
                events,
                _told("content-delta", index=index, delta={"message": {"content": {"text": text}}}),
                _told("content-end", index=index),
                _told("message-end", delta={"finish_reason": "COMPLETE", "usage": {}}),
            )
        )

    def _content(self, index: int | None, content: dict[str, object]) -> EventView:
        for field in _FIELDS:
            if content.get(field):
                channel = f"content/{index}"
                self._open.setdefault(channel)
                return _text(channel, (*_MESSAGE, "content", field), content[field])
        return EventView()

    def _arguments(self, index: int | None, text: object) -> EventView:
        if not isinstance(text, str) or not text:
            return EventView()
        path = (*_MESSAGE, "tool_calls", "function", "arguments")
        slot = new_slot((path,), Role.TOOL_CALL, text, self._tools.get(index, ""))
        self._open.setdefault(f"call/{index}")
        return delta_view((json_delta(f"call/{index}", slot),))

    def _end(self, delta: dict[str, object]) -> EventView:
        found = Collector()
        found.text(("delta", "error"), Role.ASSISTANT, delta.get("error"))
        closes = tuple(self._open)
        self._open.clear()
        return EventView(
            closes=closes,
            repeats=tuple(found.slots),
            usage=_usage(delta.get("usage")),
            finish_reason=string(delta.get("finish_reason")),
            final=True,
        )

    def _close(self, channel: str) -> tuple[str, ...]:
        if channel not in self._open:
            return ()
        del self._open[channel]
        return (channel,)


def _text(channel: str, path: Path, text: object) -> EventView:
    if not isinstance(text, str) or not text:
        return EventView()
    return delta_view((text_delta(channel, new_slot((path,), Role.ASSISTANT, text)),))


def _told(kind: str, **fields: object) -> bytes:
    return encode(kind, orjson.dumps({"type": kind, **fields}))


def _read_compared(found: Collector, key: str, value: object) -> None:
    """What embed and rerank are given."""
    match key:
        case "query" | "texts":
            found.prose((key,), Role.USER, value)
        case "inputs":
            for index, one in objects(value):
                _read_content(found, (key, index, "content"), Role.USER, one.get("content"))
        case "images":
            for url in value if isinstance(value, list) else ():
                found.attach_url("image", url)


def _read_message(found: Collector, path: Path, role: Role, value: object) -> None:
    message = mapping(value)
    for key, content in message.items():
        match key:
            case "content":
                _read_content(found, (*path, key), role, content)
            case "tool_plan":
                found.text((*path, key), role, content)
            case "tool_calls":
                for index, call in objects(content):
                    function = mapping(call.get("function"))
                    at = (*path, key, index, "function", "arguments")
                    found.call(at, function.get("name"), function.get("arguments"))
            case _:
                found.field(path, key, role, content)


def _read_content(found: Collector, path: Path, role: Role, value: object) -> None:
    found.text(path, role, value)
    for index, block in objects(value):
        at = (*path, index)
        match block.get("type"):
            case "text" | "thinking" as field:
                found.text((*at, str(field)), role, block.get(str(field)))
            case "image_url":
                held = Held(
                    coding=Coding.BASE64, path=(*at, "image_url", "url"), element=at, text_type="text"
                )
                found.attach_url("image", mapping(block.get("image_url")).get("url"), held=held)
            case "document":
                found.leaves((*at, "document", "data"), role, mapping(block.get("document")).get("data"))
            case _:
                found.prose(at, role, block)


def _usage(value: object) -> Usage:
    """Tokens as they are billed, or else as they are counted; cached ones are part of the input."""
    if not isinstance(value, dict):
        return NO_USAGE
    counts = mapping(value.get("billed_units")) or mapping(value.get("tokens"))
    return Usage(
        input_tokens=cohere_count(counts.get("input_tokens")),
        output_tokens=cohere_count(counts.get("output_tokens")),
        cache_read_tokens=cohere_count(value.get("cached_tokens")),
    )


def cohere_count(value: object) -> int | None:
    """Cohere writes counts with or without a point."""
    return int(value) if isinstance(value, float) and value.is_integer() else integer(value)
