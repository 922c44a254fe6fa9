"""Amazon Bedrock's Converse and ConverseStream.

Owns the paths of that API's content blocks and the meaning of its events. Thoughts that are signed or sealed are never
slots: the model refuses them if a byte differs. A stream's events are messages of `eventstream`, not server-sent: their
name is `:event-type`, their data the payload. Source: the service model `bedrock-runtime` 2023-09-30.
"""

from __future__ import annotations

from urllib.parse import unquote

import orjson

from agent.dialects import counting
from agent.dialects.base import EventView, ParsedAnswer, ParsedRequest, RequestHead
from agent.dialects.eventstream import event as encode
from agent.dialects.eventstream import exception
from agent.dialects.moulds import delta_view, json_delta, new_slot, text_delta
from agent.dialects.replies import AmazonReplies
from agent.dialects.shapes import integer, json_object, mapping, most, objects, string
from agent.dialects.slots import Collector
from agent.model.content import NO_USAGE, Address, Coding, Held, Path, Role, Usage
from agent.model.conversation import TokenCount

_ROLES = {"assistant": Role.ASSISTANT, "system": Role.SYSTEM}
_TEXT: Address = (("delta", "text"),)
_INPUT: Address = (("delta", "toolUse", "input"),)


class BedrockConverse(AmazonReplies):
    """The dialect `bedrock-converse`."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The catalog's name of the format."""
        return "bedrock-converse"

    def parse_request(self, head: RequestHead, body: bytes) -> ParsedRequest:
        """System prompt, messages, prompt variables and tool definitions; the path has the model. Raises
        ContentError."""
        document = json_object(body)
        found = Collector()
        counted = mapping(mapping(document.get("input")).get("converse"))  # of CountTokens
        _read_request(found, ("input", "converse") if counted else (), counted or document)
        config = mapping(document.get("inferenceConfig"))
        return ParsedRequest(
            model=model_in_path(head.path),
            stream=head.path.endswith("-stream"),
            max_tokens=most(config.get("maxTokens")),
            slots=tuple(found.slots),
            attachments=tuple(found.attachments),
        )

    def parse_answer(self, body: bytes) -> ParsedAnswer:
        """The message's content blocks. Raises ContentError."""
        document = json_object(body)
        found = Collector()
        message = mapping(mapping(document.get("output")).get("message"))
        _read_blocks(found, ("output", "message", "content"), Role.ASSISTANT, message.get("content"))
        return ParsedAnswer(
            slots=tuple(found.slots),
            usage=_usage(document.get("usage")),
            finish_reason=string(document.get("stopReason")),
        )

    def count(self, usage: Usage) -> TokenCount:
        """The tokens that an answer reports, normalised."""
        return counting.cache_apart(usage)

    def stream_reader(self, request: ParsedRequest) -> ConverseReader:
        """A reader for the events that answer `request`."""
        return ConverseReader()


class ConverseReader:
    """Reads `contentBlockDelta` and the other events."""

    __slots__ = ("_blocks", "_open", "_started", "_tools")

    def __init__(self) -> None:
        self._started = False
        self._blocks = 0  # the number after that of the last block
        self._open: dict[int | None, str] = {}  # blocks that have not ended: text, input, or another kind
        self._tools: dict[int | None, str] = {}  # of open tool calls, the tool

    def read(self, event: str, data: bytes) -> EventView:
        """What the event means; an empty view where it is none."""
        if not data and not event.endswith("Exception"):
            return EventView(keepalive=True)
        try:
            document = mapping(orjson.loads(data or b"{}"))
        except orjson.JSONDecodeError:
            return EventView()
        index = integer(document.get("contentBlockIndex"))
        match event:
            case "contentBlockDelta":
                return self._read_delta(index, mapping(document.get("delta")))
            case "contentBlockStart":
                tool = mapping(mapping(document.get("start")).get("toolUse"))
                self._tools[index] = string(tool.get("name"))
                self._begin(index, "input" if tool else "other")
            case "contentBlockStop":
                return EventView(closes=self._close(index))
            case "messageStart":
                self._started = True
            case "messageStop":
                return EventView(finish_reason=string(document.get("stopReason")))
            case "metadata":
                return EventView(usage=_usage(document.get("usage")), final=True, closes=self._close_all())
            case _ if event.endswith("Exception"):
                return EventView(final=True, closes=self._close_all(), finish_reason="error")
        return EventView()

    def block(self, message: str, *, in_step: bool = True) -> bytes:
        """The message as the answer's last text, then the end that Bedrock's own guardrails give an answer. Where a
        block other than text is open, or the client is not in step, an exception."""
        kinds = set(self._open.values())
        if not in_step or not self._started or kinds - {"text"}:
            return exception("validationException", orjson.dumps({"message": message}))
        index = next(iter(self._open), None)
        text = message if index is None else f"\n\n{message}"
        index = self._blocks if index is None else index
        return b"".join(
            encode(name, orjson.dumps(content))
            for name, content in (
                ("contentBlockDelta", {"contentBlockIndex": index, "delta": {"text": text}}),
                ("contentBlockStop", {"contentBlockIndex": index}),
                ("messageStop", {"stopReason": "guardrail_intervened"}),
            )
        )

    def _read_delta(self, index: int | None, delta: dict[str, object]) -> EventView:
        match delta:
            case {"text": str() as text} if text:
                channel = self._begin(index, "text")
                return delta_view((text_delta(channel, new_slot(_TEXT, Role.ASSISTANT, text)),))
            case {"toolUse": {"input": str() as text}} if text:
                slot = new_slot(_INPUT, Role.TOOL_CALL, text, self._tools.get(index, ""))
                return delta_view((json_delta(self._begin(index, "input"), slot),))
            case {"text": _} | {"toolUse": _}:
                return EventView()
            case {"reasoningContent": _}:  # signed
                self._begin(index, "other")
                return EventView()
        found = Collector()
        found.prose(("delta",), Role.ASSISTANT, delta)
        return EventView(repeats=tuple(found.slots))

    def _begin(self, index: int | None, kind: str) -> str:
        self._open.setdefault(index, kind)
        self._blocks = max(self._blocks, (index or 0) + 1)
        return f"block/{index}/{kind}"

    def _close(self, index: int | None) -> tuple[str, ...]:
        kind = self._open.pop(index, "other")
        self._tools.pop(index, None)
        return () if kind == "other" else (f"block/{index}/{kind}",)

    def _close_all(self) -> tuple[str, ...]:
        return tuple(channel for index in list(self._open) for channel in self._close(index))


def _read_request(found: Collector, path: Path, document: dict[str, object]) -> None:
    for key, value in document.items():
        at = (*path, key)
        match key:
            case "system":
                _read_blocks(found, at, Role.SYSTEM, value)
            case "messages":
                for index, message in objects(value):
                    role = _ROLES.get(string(message.get("role")), Role.USER)
                    _read_blocks(found, (*at, index, "content"), role, message.get("content"))
            case "promptVariables":
                found.leaves(at, Role.USER, value)
            case "toolConfig" | "outputConfig":  # the latter holds a JSON Schema
                found.schema(at, value)


def model_in_path(path: str) -> str:
    """The model of a path `/model/{name}/converse` or `/invoke`: a name, or an ARN, in which slashes may stand."""
    return unquote(path.partition("/model/")[2].rpartition("/")[0])


def _read_blocks(found: Collector, path: Path, role: Role, value: object) -> None:
    for index, block in objects(value):
        for kind, content in block.items():
            _read_block(found, (*path, index, kind), role, kind, content)


def _read_block(found: Collector, path: Path, role: Role, kind: str, content: object) -> None:
    block = mapping(content)
    match kind:
        case "text":
            found.text(path, role, content)
        case "json":
            found.leaves(path, role, content)
        case "toolUse":
            found.call((*path, "input"), block.get("name"), block.get("input"))
        case "toolResult":
            _read_blocks(found, (*path, "content"), Role.TOOL_RESULT, block.get("content"))
        case "reasoningContent":
            said = mapping(block.get("reasoningText"))
            if not said.get("signature"):  # of a model that signs nothing
                found.text((*path, "reasoningText", "text"), role, said.get("text"))
        case "image" | "document" | "video" | "audio":
            _read_file(found, path, role, kind, block)
        case _:  # guardContent, citationsContent, searchResult, or a kind that is not known
            found.prose(path, role, content)


def _read_file(found: Collector, path: Path, role: Role, kind: str, block: dict[str, object]) -> None:
    found.text((*path, "context"), role, block.get("context"))
    source = mapping(block.get("source"))
    if "text" in source or "content" in source:
        found.prose((*path, "source"), role, source)
        return
    form = string(block.get("format"))
    media_type = f"{kind}/{form}" if kind != "document" else form
    found.attach(
        kind,
        media_type=media_type,
        data=source.get("bytes"),
        name=block.get("name"),
        held=Held(coding=Coding.BASE64, path=(*path, "source", "bytes"), element=path[:-1]),
    )


def _usage(value: object) -> Usage:
    """`inputTokens` is what the provider says: it leaves out what came from or went into the cache."""
    if not isinstance(value, dict):
        return NO_USAGE
    return Usage(
        input_tokens=integer(value.get("inputTokens")),
        output_tokens=integer(value.get("outputTokens")),
        cache_read_tokens=integer(value.get("cacheReadInputTokens")),
        cache_write_tokens=integer(value.get("cacheWriteInputTokens")),
    )
