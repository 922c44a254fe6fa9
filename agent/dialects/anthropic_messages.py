"""Anthropic Messages, as Claude Code and the Anthropic SDK speak it (also on Vertex: the model stands in the path).

Owns the paths of that API's content blocks and the meaning of its stream events. Blocks that carry a signature or are
encrypted (thinking, redacted thinking, compaction) are never slots: the API refuses them if a byte differs.
Source: the Anthropic API reference, "Messages" and "Streaming messages", and the official SDK's types.
"""

from __future__ import annotations

import orjson

from agent.dialects import counting
from agent.dialects.anthropic_errors import KIND_OF_STATUS
from agent.dialects.base import Block, Delta, EventView, ParsedAnswer, ParsedRequest, RequestHead
from agent.dialects.moulds import delta_view, json_delta, new_slot, text_delta
from agent.dialects.replies import JsonEdits, json_reply
from agent.dialects.shapes import integer, json_object, mapping, most, objects, string
from agent.dialects.slots import Collector
from agent.dialects.sse import encode
from agent.errors import ContentError
from agent.model.content import NO_USAGE, Address, Coding, Held, Path, Role, Usage
from agent.model.conversation import TokenCount

_ROLES = {"assistant": Role.ASSISTANT, "system": Role.SYSTEM}
_TEXT: Address = (("delta", "text"),)
_INPUT: Address = (("delta", "partial_json"),)


class AnthropicMessages(JsonEdits):
    """The dialect `anthropic-messages`."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The catalog's name of the format."""
        return "anthropic-messages"

    def parse_request(self, head: RequestHead, body: bytes) -> ParsedRequest:
        """System prompt, messages and tool definitions. Raises ContentError."""
        document = json_object(body)
        found = Collector()
        model = string(document.get("model"))
        _read_request(found, (), document)
        if "requests" in document:
            model = _read_batch(found, document["requests"]) or model
        return ParsedRequest(
            model=model or model_in_path(head.path),
            stream=document.get("stream") is True or head.path.endswith(":streamRawPredict"),
            max_tokens=most(document.get("max_tokens")),
            slots=tuple(found.slots),
            attachments=tuple(found.attachments),
            files=tuple(found.files),
        )

    def parse_answer(self, body: bytes) -> ParsedAnswer:
        """The message's content blocks. Raises ContentError."""
        document = json_object(body)
        found = Collector()
        _read_content(found, ("content",), Role.ASSISTANT, document.get("content"))
        found.text(("completion",), Role.ASSISTANT, document.get("completion"))  # of the old endpoint
        return ParsedAnswer(
            slots=tuple(found.slots),
            model=string(document.get("model")),
            usage=_usage(document.get("usage")),
            finish_reason=string(document.get("stop_reason")),
        )

    def count(self, usage: Usage) -> TokenCount:
        """The tokens that an answer reports, normalised."""
        return counting.cache_apart(usage)

    def stream_reader(self, request: ParsedRequest) -> AnthropicReader:
        """A reader for the events that answer `request`."""
        return AnthropicReader()

    def block(self, message: str) -> Block:
        """HTTP 400 `invalid_request_error`, with the header that forbids a retry."""
        return json_reply(400, _error("invalid_request_error", message), (b"x-should-retry", b"false"))

    def error(self, status: int, message: str) -> Block:
        """An error that is not policy."""
        kind = KIND_OF_STATUS.get(status, "api_error" if status >= 500 else "invalid_request_error")
        return json_reply(status, _error(kind, message))


class AnthropicReader:
    """Reads `message_start`, `content_block_delta` and the other events."""

    __slots__ = ("_blocks", "_channels", "_open", "_started", "_tools")

    def __init__(self) -> None:
        self._started = False
        self._blocks = 0  # how many have begun
        self._open: dict[int | None, str] = {}  # blocks that have not ended, by kind
        self._channels: dict[tuple[int | None, str], str] = {}  # of open blocks that have had a piece
        self._tools: dict[int | None, str] = {}  # of open tool calls, the tool

    def read(self, event: str, data: bytes) -> EventView:
        """What the event means; an empty view where it is none."""
        if not data or event == "ping":
            return EventView(keepalive=True)
        try:
            document = orjson.loads(data)
        except orjson.JSONDecodeError:
            return EventView()
        if not isinstance(document, dict):
            return EventView()
        kind = document.get("type", event)
        if kind == "content_block_delta":
            return self._read_delta(integer(document.get("index")), document.get("delta"))
        return self._read_frame(kind, document)

    def _read_frame(self, kind: object, document: dict[str, object]) -> EventView:
        """The events around the text."""
        match kind:
            case "content_block_start":
                return self._read_start(integer(document.get("index")), document.get("content_block"))
            case "content_block_stop":
                return EventView(closes=self._close(integer(document.get("index"))))
            case "message_start":
                self._started = True
                return _read_message_start(mapping(document.get("message")))
            case "message_delta":
                reason = string(mapping(document.get("delta")).get("stop_reason"))
                return EventView(usage=_usage(document.get("usage")), finish_reason=reason)
            case "message_stop":
                return EventView(final=True, closes=self._close_all())
            case "error":
                return EventView(final=True, closes=self._close_all(), finish_reason="error")
            case "ping":
                return EventView(keepalive=True)
            case "completion":  # of the old endpoint
                return _read_completion(document)
        return EventView()

    def block(self, message: str, *, in_step: bool = True) -> bytes:
        """The message as the answer's last text, then a regular end; agents show it and go no further.

        Where a block other than text is open (half a tool call must not look like a whole one), or the client is not in
        step, an `error` event: the SDK raises it with the message. Claude Code then asks again without streaming.
        """
        kinds = set(self._open.values())
        if not in_step or not self._started or kinds - {"text"}:
            return encode("error", orjson.dumps(_error("invalid_request_error", message)))
        events: list[dict[str, object]] = []
        index = next(iter(self._open), None)
        if index is None:
            index, text = self._blocks, message
            block = {"type": "text", "text": ""}
            events.append({"type": "content_block_start", "index": index, "content_block": block})
        else:
            text = f"\n\n{message}"
        delta = {"type": "text_delta", "text": text}
        events += [
            {"type": "content_block_delta", "index": index, "delta": delta},
            {"type": "content_block_stop", "index": index},
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                "usage": {"output_tokens": 0},
            },
            {"type": "message_stop"},
        ]
        return b"".join(encode(str(each["type"]), orjson.dumps(each)) for each in events)

    def _read_delta(self, index: int | None, delta: object) -> EventView:
        if not isinstance(delta, dict):
            return EventView()
        match delta.get("type"):
            case "text_delta":
                text = delta.get("text")
                if isinstance(text, str) and text:
                    piece = text_delta(self._channel(index, "text"), new_slot(_TEXT, Role.ASSISTANT, text))
                    return delta_view((piece,))
            case "input_json_delta":
                text = delta.get("partial_json")
                if isinstance(text, str) and text:
                    slot = new_slot(_INPUT, Role.TOOL_CALL, text, self._tools.get(index, ""))
                    return delta_view((json_delta(self._channel(index, "input"), slot),))
            case "thinking_delta" | "signature_delta" | "compaction_delta":  # signed
                pass
            case _:
                return self._read_unknown_delta(index, delta)
        return EventView()

    def _read_unknown_delta(self, index: int | None, delta: dict[str, object]) -> EventView:
        """A citation, or a kind that is not known: text continues the block's text, the rest is read whole."""
        text = delta.pop("text", None)
        found = Collector()
        found.prose(("delta",), Role.ASSISTANT, delta)
        deltas: tuple[Delta, ...] = ()
        if isinstance(text, str) and text:
            slot = new_slot(_TEXT, Role.ASSISTANT, text)
            deltas = (text_delta(self._channel(index, "text"), slot),)
        return EventView(deltas=deltas, repeats=tuple(found.slots))

    def _read_start(self, index: int | None, block: object) -> EventView:
        """Most blocks begin empty; a server tool's result comes whole."""
        if not isinstance(block, dict):
            return EventView()
        self._blocks += 1
        self._open[index] = string(block.get("type"))
        if block.get("type") == "text":
            text = block.get("text")
            if not isinstance(text, str) or not text:
                return EventView()
            slot = new_slot((("content_block", "text"),), Role.ASSISTANT, text)
            return EventView(deltas=(text_delta(self._channel(index, "text"), slot),))
        self._tools[index] = string(block.get("name"))
        found = Collector()
        _read_block(found, ("content_block",), Role.ASSISTANT, block)
        return EventView(repeats=tuple(found.slots))

    def _channel(self, index: int | None, part: str) -> str:
        channel = self._channels.get((index, part))
        if channel is None:
            channel = self._channels[index, part] = f"block/{index}/{part}"
        return channel

    def _close(self, index: int | None) -> tuple[str, ...]:
        self._open.pop(index, None)
        self._tools.pop(index, None)
        keys = [key for key in self._channels if key[0] == index]
        return tuple(self._channels.pop(key) for key in keys)

    def _close_all(self) -> tuple[str, ...]:
        closes = tuple(self._channels.values())
        self._channels.clear()
        return closes


def _read_completion(document: dict[str, object]) -> EventView:
    text, reason = string(document.get("completion")), string(document.get("stop_reason"))
    slot = new_slot((("completion",),), Role.ASSISTANT, text)
    return EventView(
        deltas=(text_delta("completion", slot),) if text else (),
        closes=("completion",) if reason else (),
        model=string(document.get("model")),
        finish_reason=reason,
    )


def _read_message_start(message: dict[str, object]) -> EventView:
    found = Collector()
    content = message.get("content")
    _read_content(found, ("message", "content"), Role.ASSISTANT, content)
    return EventView(
        model=string(message.get("model")), usage=_usage(message.get("usage")), repeats=tuple(found.slots)
    )


def _read_batch(found: Collector, value: object) -> str:
    """The requests of a batch; returns the model they all ask. Raises ContentError where it is not one: rules about
    models could be passed by."""
    models: dict[str, None] = {}
    for index, one in objects(value):
        params = mapping(one.get("params"))
        models[string(params.get("model"))] = None
        _read_request(found, ("requests", index, "params"), params)
    if len(models) > 1:
        raise ContentError("a batch that asks several models")
    return next(iter(models), "")


def _read_request(found: Collector, path: Path, document: dict[str, object]) -> None:
    for key, value in document.items():
        at = (*path, key)
        match key:
            case "system":
                _read_content(found, at, Role.SYSTEM, value)
            case "messages":
                for index, message in objects(value):
                    role = _ROLES.get(string(message.get("role")), Role.USER)
                    _read_content(found, (*at, index, "content"), role, message.get("content"))
            case "tools" | "output_config" | "output_format":  # the latter two hold a JSON Schema
                found.schema(at, value)
            case "prompt":  # of the old completions endpoint
                found.text(at, Role.USER, value)


def _read_content(found: Collector, path: Path, role: Role, value: object) -> None:
    if isinstance(value, list):
        for index, block in enumerate(value):
            if isinstance(block, dict):
                _read_block(found, (*path, index), role, block)
            else:
                found.text((*path, index), role, block)
    elif isinstance(value, dict):
        _read_block(found, path, role, value)
    else:
        found.text(path, role, value)


def _read_block(found: Collector, path: Path, role: Role, block: dict[str, object]) -> None:
    kind = string(block.get("type"))
    match kind:
        case "text":
            found.text((*path, "text"), role, block.get("text"))
            found.prose((*path, "citations"), role, block.get("citations"))
        case "thinking":
            if not block.get("signature"):  # of a server that signs nothing
                found.text((*path, "thinking"), role, block.get("thinking"))
        case "redacted_thinking" | "compaction":
            pass
        case "image":
            _read_source(found, path, role, "image", block)
        case "document":
            found.text((*path, "title"), role, block.get("title"))
            found.text((*path, "context"), role, block.get("context"))
            _read_source(found, path, role, "document", block)
        case "container_upload":
            found.attach("file", file=block.get("file_id"))
        case _ if kind.endswith("tool_use"):
            found.call((*path, "input"), block.get("name"), block.get("input"))
        case _ if kind.endswith("tool_result"):
            _read_content(found, (*path, "content"), Role.TOOL_RESULT, block.get("content"))
        case _:
            _read_unknown(found, path, role, block)


def _read_unknown(found: Collector, path: Path, role: Role, block: dict[str, object]) -> None:
    """A search result, a server tool's result, or a kind that is not known: its content and whatever names text."""
    if block.get("signature"):
        return
    for key, value in block.items():
        if key == "content":
            _read_content(found, (*path, key), role, value)
        else:
            found.field(path, key, role, value)


def _read_source(found: Collector, path: Path, role: Role, kind: str, block: dict[str, object]) -> None:
    source = mapping(block.get("source"))
    match source.get("type"):
        case "text":
            found.text((*path, "source", "data"), role, source.get("data"))
        case "content":
            _read_content(found, (*path, "source", "content"), role, source.get("content"))
        case "url":
            found.attach_url(kind, source.get("url"), name=block.get("title"))
        case _:
            found.attach(
                kind,
                media_type=source.get("media_type"),
                data=source.get("data"),
                name=block.get("title"),
                file=source.get("file_id"),
                held=Held(
                    coding=Coding.BASE64, path=(*path, "source", "data"), element=path, text_type="text"
                ),
            )


def model_in_path(path: str) -> str:
    """The model of a Vertex path: `…/models/{name}:rawPredict`."""
    _, found, rest = path.partition("/models/")
    return rest.rpartition(":")[0] if found else ""


def _usage(value: object) -> Usage:
    """`input_tokens` is what the provider says: it leaves out what came from or went into the cache."""
    if not isinstance(value, dict):
        return NO_USAGE
    return Usage(
        input_tokens=integer(value.get("input_tokens")),
        output_tokens=integer(value.get("output_tokens")),
        cache_read_tokens=integer(value.get("cache_read_input_tokens")),
        cache_write_tokens=integer(value.get("cache_creation_input_tokens")),
        reasoning_tokens=integer(mapping(value.get("output_tokens_details")).get("thinking_tokens")),
    )


def _error(kind: str, message: str) -> dict[str, object]:
    return {"type": "error", "error": {"type": kind, "message": message}}
