"""Cohere's first API: `/v1/chat` and `/v1/generate`. Bedrock serves Command models in the same form.

A stream is lines of JSON, or server-sent events where the client accepts those, with an `event_type` in each document.
Source: the Cohere API reference, version 1, and the `v1` half of the official SDK.
"""

from __future__ import annotations

from collections.abc import Callable

import orjson

from agent.dialects.base import EventView, ParsedAnswer, ParsedRequest, RequestHead
from agent.dialects.cohere_chat import CohereReplies, cohere_count
from agent.dialects.framing import Framing, ServerSentLines
from agent.dialects.moulds import delta_view, json_delta, new_slot, text_delta
from agent.dialects.shapes import integer, json_object, mapping, most, objects, string
from agent.dialects.slots import Collector
from agent.dialects.sse import encode
from agent.model.content import NO_USAGE, Address, Path, Role, Usage

_ROLES = {"CHATBOT": Role.ASSISTANT, "SYSTEM": Role.SYSTEM, "TOOL": Role.TOOL_RESULT}
_TEXT: Address = (("text",),)
_PARAMETERS: Address = (("tool_call_delta", "parameters"),)
_CHANNEL = "text"


class CohereV1(CohereReplies):
    """The dialect `cohere-v1`."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The catalog's name of the format."""
        return "cohere-v1"

    def parse_request(self, head: RequestHead, body: bytes) -> ParsedRequest:
        """The message, what was said before, documents, tools and their results. Raises ContentError."""
        document = json_object(body)
        found = Collector()
        for key, value in document.items():
            match key:
                case "message" | "prompt":
                    found.text((key,), Role.USER, value)
                case "preamble":
                    found.text((key,), Role.SYSTEM, value)
                case "chat_history":
                    _read_history(found, (key,), value)
                case "documents" | "tool_results":
                    found.leaves((key,), Role.TOOL_RESULT, value)
                case "tools" | "response_format":
                    found.schema((key,), value)
        return ParsedRequest(
            model=string(document.get("model")),
            stream=document.get("stream") is True,
            max_tokens=most(document.get("max_tokens")),
            slots=tuple(found.slots),
        )

    def parse_answer(self, body: bytes) -> ParsedAnswer:
        """The text, and calls of tools. Raises ContentError."""
        document = json_object(body)
        found = Collector()
        _read_answer(found, (), document)
        return ParsedAnswer(
            slots=tuple(found.slots),
            usage=_usage(document),
            finish_reason=string(document.get("finish_reason")),
        )

    def framing_of(self, kind: bytes, request: ParsedRequest) -> Callable[[], Framing] | None:
        """Lines of JSON, besides events."""
        lines = kind == ServerSentLines.content_type
        return ServerSentLines if lines else super().framing_of(kind, request)

    def stream_reader(self, request: ParsedRequest) -> CohereV1Reader:
        """A reader for the events that answer `request`."""
        return CohereV1Reader()


class CohereV1Reader:
    """Reads `text-generation` and the other events."""

    __slots__ = ()

    def read(self, event: str, data: bytes) -> EventView:
        """What the event means; an empty view where it is none."""
        if not data:
            return EventView(keepalive=True)
        try:
            document = mapping(orjson.loads(data))
        except orjson.JSONDecodeError:
            return EventView()
        ends = document.get("event_type") == "stream-end" or document.get("is_finished") is True
        text = document.get("text")
        if isinstance(text, str) and text and not ends:
            return delta_view((text_delta(_CHANNEL, new_slot(_TEXT, Role.ASSISTANT, text)),))
        call = mapping(document.get("tool_call_delta"))
        pieces = call.get("parameters")
        if isinstance(pieces, str) and pieces:
            slot = new_slot(_PARAMETERS, Role.TOOL_CALL, pieces, string(call.get("name")))
            return delta_view((json_delta(f"call/{integer(call.get('index'))}", slot),))
        found = Collector()
        response = mapping(document.get("response"))
        for path, said in (((), document), (("response",), response)):
            _read_answer(found, path, said)
        return EventView(
            repeats=tuple(found.slots),
            closes=(_CHANNEL,) if ends else (),
            usage=_usage(response),
            finish_reason=string(document.get("finish_reason")) or ("COMPLETE" if ends else ""),
            final=ends,
        )

    def block(self, message: str, *, in_step: bool = True) -> bytes:
        """An end that tells of an error: the SDK hands it on as it is."""
        del in_step
        ended = {
            "is_finished": True,
            "event_type": "stream-end",
            "finish_reason": "ERROR",
            "response": {"text": message, "generation_id": "", "finish_reason": "ERROR"},
        }
        return encode("", orjson.dumps(ended))


def _read_history(found: Collector, path: Path, value: object) -> None:
    for index, turn in objects(value):
        role = _ROLES.get(string(turn.get("role")).upper(), Role.USER)
        found.text((*path, index, "message"), role, turn.get("message"))
        found.leaves((*path, index, "tool_results"), Role.TOOL_RESULT, turn.get("tool_results"))
        _read_calls(found, (*path, index, "tool_calls"), turn.get("tool_calls"))


def _read_answer(found: Collector, path: Path, document: dict[str, object]) -> None:
    for key, value in document.items():
        match key:
            case "text":
                found.text((*path, key), Role.ASSISTANT, value)
            case "tool_calls":
                _read_calls(found, (*path, key), value)
            case "citations" | "documents":
                found.prose((*path, key), Role.ASSISTANT, value)
            case "chat_history":
                _read_history(found, (*path, key), value)
            case "generations":
                for index, made in objects(value):
                    found.text((*path, key, index, "text"), Role.ASSISTANT, made.get("text"))


def _read_calls(found: Collector, path: Path, value: object) -> None:
    for index, call in objects(value):
        found.call((*path, index, "parameters"), call.get("name"), call.get("parameters"))


def _usage(document: dict[str, object]) -> Usage:
    meta = mapping(document.get("meta"))
    counts = mapping(meta.get("billed_units")) or mapping(meta.get("tokens"))
    if not counts:
        return NO_USAGE
    return Usage(
        input_tokens=cohere_count(counts.get("input_tokens")),
        output_tokens=cohere_count(counts.get("output_tokens")),
    )
