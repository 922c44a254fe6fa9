"""Ollama's own API: `/api/chat`, `/api/generate`, `/api/embed` and the older `/api/embeddings`.

Streams are lines of JSON, and are what comes unless a request says `"stream": false`. Source: Ollama's API
documentation and `api/types.go`.
"""

from __future__ import annotations

from collections.abc import Callable

import orjson

from agent.dialects import counting
from agent.dialects.base import Block, Delta, EventView, ParsedAnswer, ParsedRequest, RequestHead
from agent.dialects.framing import Framing, LinesFraming
from agent.dialects.moulds import delta_view, new_slot, text_delta
from agent.dialects.replies import JsonEdits, json_reply
from agent.dialects.shapes import integer, json_object, mapping, most, objects, string
from agent.dialects.slots import Collector
from agent.dialects.turns import read_turns
from agent.model.content import NO_USAGE, Address, Path, Role, Usage
from agent.model.conversation import TokenCount

_ROLES = {"system": Role.SYSTEM, "assistant": Role.ASSISTANT, "tool": Role.TOOL_RESULT}
_TEXTS: tuple[tuple[str, Address], ...] = (
    ("content", (("message", "content"),)),
    ("thinking", (("message", "thinking"),)),
)
_GENERATED: tuple[tuple[str, Address], ...] = (("response", (("response",),)), ("thinking", (("thinking",),)))
_JSON_LINES = (b"application/x-ndjson", b"application/ndjson", b"application/jsonl")


class OllamaNative(JsonEdits):
    """The dialect `ollama-native`."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The catalog's name of the format."""
        return "ollama-native"

    def parse_request(self, head: RequestHead, body: bytes) -> ParsedRequest:
        """Messages or a prompt, the system prompt, tool definitions and a schema. Raises ContentError."""
        document = json_object(body)
        found = Collector()
        for key, value in document.items():
            match key:
                case "messages":
                    read_turns(found, (key,), value, _ROLES, _read_message)
                case "system" | "template":
                    found.text((key,), Role.SYSTEM, value)
                case "prompt" | "suffix" | "input":
                    found.prose((key,), Role.USER, value)
                case "tools" | "format":  # the latter may be a JSON Schema
                    found.schema((key,), value)
                case "images":
                    _attach(found, value)
        return ParsedRequest(
            model=string(document.get("model")),
            stream=document.get("stream") is not False and head.path.endswith(("/chat", "/generate")),
            max_tokens=most(mapping(document.get("options")).get("num_predict")),
            slots=tuple(found.slots),
            attachments=tuple(found.attachments),
        )

    def parse_answer(self, body: bytes) -> ParsedAnswer:
        """The message, or the text. Raises ContentError."""
        document = json_object(body)
        found = Collector()
        _read_message(found, ("message",), Role.ASSISTANT, mapping(document.get("message")))
        for key in ("response", "thinking"):
            found.text((key,), Role.ASSISTANT, document.get(key))
        return ParsedAnswer(
            slots=tuple(found.slots),
            model=string(document.get("model")),
            usage=_usage(document),
            finish_reason=string(document.get("done_reason")),
        )

    def count(self, usage: Usage) -> TokenCount:
        """The tokens that an answer reports, normalised."""
        return counting.inclusive(usage)

    @property
    def stream_type(self) -> bytes:
        """The `content-type` of its streams."""
        return LinesFraming.content_type

    def framing(self) -> Framing:
        """Lines of JSON."""
        return LinesFraming()

    def framing_of(self, kind: bytes, request: ParsedRequest) -> Callable[[], Framing] | None:
        """Lines under each of the names that servers give them."""
        del request
        return LinesFraming if kind in _JSON_LINES else None

    def stream_reader(self, request: ParsedRequest) -> OllamaReader:
        """A reader for the lines that answer `request`."""
        return OllamaReader()

    def block(self, message: str) -> Block:
        """HTTP 400 with `error`, which every client shows; none retries."""
        return json_reply(400, {"error": message})

    def error(self, status: int, message: str) -> Block:
        """An error that is not policy."""
        return json_reply(status, {"error": message})


class OllamaReader:
    """Reads lines, each of which adds to the message or the text; the last says `done`."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: list[str] = []

    def read(self, event: str, data: bytes) -> EventView:
        """What the line means; an empty view where it is none."""
        if not data:
            return EventView(keepalive=True)
        try:
            document = mapping(orjson.loads(data))
        except orjson.JSONDecodeError:
            return EventView()
        message = document.get("message")
        inner = message if isinstance(message, dict) else document
        deltas = tuple(
            self._delta(name, address, text)
            for name, address in (_TEXTS if inner is message else _GENERATED)
            if isinstance(text := inner.get(name), str) and text
        )
        model = string(document.get("model"))
        done = document.get("done") is True
        calls, failure = inner.get("tool_calls"), document.get("error")
        if not (done or calls or failure):
            return delta_view(deltas, model)
        found = Collector()
        if inner is message:
            _read_calls(found, ("message", "tool_calls"), calls)
        found.text(("error",), Role.ASSISTANT, failure)
        ends = done or bool(failure)
        reason = string(document.get("done_reason"))
        return EventView(
            deltas=deltas,
            repeats=tuple(found.slots),
            closes=tuple(self._open) if ends else (),
            model=model,
            usage=_usage(document),
            finish_reason=reason or ("error" if failure else ""),
            final=ends,
        )

    def block(self, message: str, *, in_step: bool = True) -> bytes:
        """A line with `error`: what Ollama itself sends where it fails midway, and what its clients raise."""
        del in_step
        return orjson.dumps({"error": message}) + b"\n"

    def _delta(self, name: str, address: Address, text: str) -> Delta:
        if name not in self._open:
            self._open.append(name)
        return text_delta(name, new_slot(address, Role.ASSISTANT, text))


def _read_message(found: Collector, path: Path, role: Role, message: dict[str, object]) -> None:
    for key, value in message.items():
        match key:
            case "content" | "thinking":
                found.text((*path, key), role, value)
            case "tool_calls":
                _read_calls(found, (*path, key), value)
            case "images":
                _attach(found, value)


def _read_calls(found: Collector, path: Path, value: object) -> None:
    for index, call in objects(value):
        function = mapping(call.get("function"))
        found.call((*path, index, "function", "arguments"), function.get("name"), function.get("arguments"))


def _attach(found: Collector, value: object) -> None:
    for image in value if isinstance(value, list) else ():
        found.attach("image", data=image)


def _usage(document: dict[str, object]) -> Usage:
    given, made = integer(document.get("prompt_eval_count")), integer(document.get("eval_count"))
    return NO_USAGE if given is None and made is None else Usage(input_tokens=given, output_tokens=made)
