"""OpenAI Chat Completions, and the many servers that speak it (Azure, DeepSeek, Mistral, OpenRouter, Ollama …).

Owns the paths of that API's JSON documents and the meaning of its stream chunks. Source: the OpenAI API reference,
"Chat Completions", and the official SDK's types; fields of compatible servers (`reasoning_content`) are named where
they are read.
"""

from __future__ import annotations

from dataclasses import replace

import orjson

from agent.dialects.base import Delta, EventView, ParsedAnswer, ParsedRequest, RequestHead
from agent.dialects.moulds import delta_view, json_delta, new_slot, text_delta
from agent.dialects.multipart import is_form, read_form
from agent.dialects.openai_messages import (
    CALL_FIELDS,
    ROLES,
    TEXT_FIELDS,
    read_content,
    read_message,
)
from agent.dialects.openai_other import answers, deployment, most_tokens, read_answer, read_event, read_field
from agent.dialects.replies import OpenAIReplies, openai_block
from agent.dialects.shapes import integer, json_object, mapping, objects, string
from agent.dialects.slots import Collector
from agent.dialects.sse import encode
from agent.dialects.turns import read_turns
from agent.model.content import NO_USAGE, Address, Path, Role, Usage

_CONTENT: Address = (("choices", 0, "delta", "content"),)
_ARGUMENTS: Address = (("choices", 0, "delta", "tool_calls", 0, "function", "arguments"),)
_NO_CALL = ("", 0)


class OpenAIChat(OpenAIReplies):
    """The dialect `openai-chat`."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The catalog's name of the format."""
        return "openai-chat"

    def parse_request(self, head: RequestHead, body: bytes) -> ParsedRequest:
        """Messages, tool definitions, prediction and metadata; or a form's fields. Raises ContentError."""
        if is_form(body):
            form = read_form(head, body)
            return form if form.model else replace(form, model=deployment(head.path))
        document = json_object(body)
        found = Collector()
        for key, value in document.items():
            match key:
                case "messages":
                    read_turns(found, (key,), value, ROLES, read_message)
                case "tools" | "functions" | "response_format":
                    found.schema((key,), value)
                case "prediction":
                    read_content(found, (key, "content"), Role.USER, mapping(value).get("content"))
                case "metadata":
                    found.leaves((key,), Role.USER, value)
                case _:
                    read_field(found, key, value)
        return ParsedRequest(
            model=string(document.get("model")) or deployment(head.path),
            stream=document.get("stream") is True,
            max_tokens=most_tokens(document),
            answers=answers(document) if "n" in document or "prompt" in document else 1,
            slots=tuple(found.slots),
            attachments=tuple(found.attachments),
            files=tuple(found.files),
        )

    def parse_answer(self, body: bytes) -> ParsedAnswer:
        """Every choice's message. Raises ContentError."""
        document = json_object(body)
        found = Collector()
        finish = ""
        for index, choice in objects(document.get("choices")):
            for key, value in choice.items():
                if key == "message" and isinstance(value, dict):
                    read_message(found, ("choices", index, key), Role.ASSISTANT, value)
                elif key == "text":
                    found.text(("choices", index, key), Role.ASSISTANT, value)
            finish = finish or string(choice.get("finish_reason"))
        read_answer(found, document)
        return ParsedAnswer(
            slots=tuple(found.slots),
            model=string(document.get("model")),
            usage=_usage(document.get("usage")),
            finish_reason=finish,
        )

    def stream_reader(self, request: ParsedRequest) -> OpenAIChatReader:
        """A reader for the chunks that answer `request`."""
        return OpenAIChatReader()


class OpenAIChatReader:
    """Reads `chat.completion.chunk` events."""

    __slots__ = ("_calls", "_open", "_tools")

    def __init__(self) -> None:
        self._open: dict[int, list[str]] = {}  # per choice, the channels that have had a piece
        self._calls: dict[
            tuple[int, int], tuple[str, int]
        ] = {}  # by choice and place: the call's id, earlier calls
        self._tools: dict[str, str] = {}  # by channel: the tool that is called

    def read(self, event: str, data: bytes) -> EventView:
        """What the chunk means; an empty view where it is none."""
        if not data:
            return EventView(keepalive=True)
        if data == b"[DONE]":
            closes = tuple(channel for channels in self._open.values() for channel in channels)
            self._open.clear()
            return EventView(final=True, closes=closes)
        try:
            chunk = orjson.loads(data)
        except orjson.JSONDecodeError:
            return EventView()
        if not isinstance(chunk, dict):
            return EventView()
        return self._quick(chunk) or self._other(chunk) or self._thorough(chunk)

    def block(self, message: str, *, in_step: bool = True) -> bytes:
        """A chunk with `error`, then `[DONE]`.

        The official SDK raises APIError with the message and does not retry. Better than a last content delta with
        `finish_reason: content_filter`: half of an answer, or of a tool call, is not taken for a whole one.
        """
        del in_step
        return encode("", orjson.dumps(openai_block(message))) + encode("", b"[DONE]")

    def _quick(self, chunk: dict[str, object]) -> EventView | None:
        """One choice that adds to its content and does nothing else: what nearly every chunk is."""
        choices = chunk.get("choices")
        if type(choices) is not list or len(choices) != 1 or chunk.get("usage"):
            return None
        choice = choices[0]
        if type(choice) is not dict or choice.get("index") or choice.get("finish_reason"):
            return None
        delta = choice.get("delta")
        if type(delta) is not dict or len(delta) != 1 or "text" in choice or "message" in choice:
            return None
        piece = (
            self._quick_content(delta) if "content" in delta else self._quick_call(delta.get("tool_calls"))
        )
        return delta_view((piece,), string(chunk.get("model"))) if piece is not None else None

    def _quick_content(self, delta: dict[str, object]) -> Delta | None:
        text = delta["content"]
        if type(text) is not str or not text:
            return None
        self._opened(0, "choice/0/content")
        return text_delta("choice/0/content", new_slot(_CONTENT, Role.ASSISTANT, text))

    def _quick_call(self, calls: object) -> Delta | None:
        """The next piece of one tool call's arguments."""
        if type(calls) is not list or len(calls) != 1 or type(calls[0]) is not dict:
            return None
        call = calls[0]
        place = call.get("index")
        function = call.get("function")
        if type(place) is not int or type(function) is not dict or call.get("id") or "custom" in call:
            return None
        text = function.get("arguments")
        if type(text) is not str or not text:
            return None
        called = f"choice/0/{_numbered(place, self._calls.get((0, place), _NO_CALL)[1])}"
        channel = f"{called}/arguments"
        self._opened(0, channel)
        tool = self._tools.get(called, "")
        return json_delta(channel, new_slot(_ARGUMENTS, Role.TOOL_CALL, text, tool))

    def _other(self, chunk: dict[str, object]) -> EventView | None:
        """An event of a stream that is no chat."""
        return read_event(chunk, _usage(chunk.get("usage"))) if "type" in chunk else None

    def _thorough(self, chunk: dict[str, object]) -> EventView:
        gathered = _Gathered()
        finish = ""
        for index, choice in objects(chunk.get("choices")):
            number = integer(choice.get("index")) or 0
            self._read_choice(gathered, number, ("choices", index), choice)
            if reason := string(choice.get("finish_reason")):
                finish = finish or reason
                gathered.closes += self._open.pop(number, ())
        model = string(chunk.get("model"))
        usage = _usage(chunk.get("usage"))
        wholes = gathered.wholes
        if not gathered.deltas and isinstance(chunk.get("error"), dict):  # instead of an ending
            finish = finish or "error"
        if not (finish or gathered.closes or wholes):
            return delta_view(tuple(gathered.deltas), model, usage)
        return EventView(
            deltas=tuple(gathered.deltas),
            closes=tuple(gathered.closes),
            repeats=tuple(wholes.slots) if wholes else (),
            model=model,
            usage=usage,
            finish_reason=finish,
        )

    def _read_choice(self, gathered: _Gathered, number: int, path: Path, choice: dict[str, object]) -> None:
        for key, value in choice.items():
            if key == "delta" and isinstance(value, dict):
                for name, piece in value.items():
                    if piece and name != "role":
                        self._read_field(gathered, number, (*path, key, name), name, piece)
            elif key == "text":  # of the completions endpoint
                self._add(gathered, number, "content", (*path, key), value)
            elif key == "message" and isinstance(value, dict):
                read_message(gathered.whole(), (*path, key), Role.ASSISTANT, value)

    def _read_field(self, gathered: _Gathered, number: int, path: Path, name: str, value: object) -> None:
        match name:
            case "tool_calls":
                self._read_calls(gathered, number, path, value)
            case "function_call":
                call = mapping(value)
                self._called(number, "function", call)
                self._add(gathered, number, "function/arguments", (*path, "arguments"), call.get("arguments"))
            case "audio":
                self._add(gathered, number, "audio", (*path, "transcript"), mapping(value).get("transcript"))
            case "reasoning_details":
                self._read_details(gathered, number, path, value)
            case "content" if isinstance(value, list):
                self._read_parts(gathered, number, path, value)
            case _ if name in TEXT_FIELDS:
                self._add(gathered, number, name, path, value)

    def _read_parts(self, gathered: _Gathered, number: int, path: Path, value: object) -> None:
        """Content in parts, as Mistral streams it: text parts continue the content, the others are read whole."""
        for index, part in objects(value):
            if part.get("type") == "text":
                self._add(gathered, number, "content", (*path, index, "text"), part.get("text"))
            else:
                gathered.whole().prose((*path, index), Role.ASSISTANT, part)

    def _read_details(self, gathered: _Gathered, number: int, path: Path, value: object) -> None:
        """OpenRouter's second spelling of the reasoning. What carries a signature is not touched."""
        for index, detail in objects(value):
            if not detail.get("signature"):
                place = integer(detail.get("index")) or 0
                for holds in ("text", "summary"):
                    name = f"reasoning_details/{place}/{holds}"
                    self._add(gathered, number, name, (*path, index, holds), detail.get(holds))

    def _read_calls(self, gathered: _Gathered, number: int, path: Path, value: object) -> None:
        for index, call in objects(value):
            place = integer(call.get("index"))
            place = index if place is None else place
            name = self._call_name(gathered, number, place, string(call.get("id")))
            for kind, holds in CALL_FIELDS:
                fields = mapping(call.get(kind))
                self._called(number, name, fields)
                self._add(gathered, number, f"{name}/{holds}", (*path, index, kind, holds), fields.get(holds))

    def _called(self, number: int, name: str, fields: dict[str, object]) -> None:
        """Note the tool of a call: only its first chunk names it."""
        if tool := string(fields.get("name")):
            self._tools[f"choice/{number}/{name}"] = tool

    def _call_name(self, gathered: _Gathered, number: int, place: int, call_id: str) -> str:
        """What names the tool call at `place`. Gemini's compatible endpoint sends parallel calls, whole, all at place
        0: a new id there is a new call."""
        known, earlier = self._calls.get((number, place), _NO_CALL)
        if call_id and known and call_id != known:
            ended = f"choice/{number}/{_numbered(place, earlier)}/"
            channels = self._open.get(number, [])
            gathered.closes += [channel for channel in channels if channel.startswith(ended)]
            self._open[number] = [channel for channel in channels if not channel.startswith(ended)]
            earlier += 1
        self._calls[number, place] = (call_id or known, earlier)
        return _numbered(place, earlier)

    def _add(self, gathered: _Gathered, number: int, name: str, path: Path, text: object) -> None:
        if not isinstance(text, str) or not text:
            return
        channel = f"choice/{number}/{name}"
        self._opened(number, channel)
        role = Role.TOOL_CALL if name.startswith(("tool/", "function/")) else Role.ASSISTANT
        make = json_delta if name.endswith("/arguments") else text_delta
        tool = self._tools.get(channel.rpartition("/")[0], "") if role is Role.TOOL_CALL else ""
        gathered.deltas.append(make(channel, new_slot((path,), role, text, tool)))

    def _opened(self, number: int, channel: str) -> None:
        channels = self._open.get(number)
        if channels is None:
            self._open[number] = [channel]
        elif channel not in channels:
            channels.append(channel)


class _Gathered:
    """What one chunk turns out to hold."""

    __slots__ = ("closes", "deltas", "wholes")

    def __init__(self) -> None:
        self.deltas: list[Delta] = []
        self.closes: list[str] = []
        self.wholes: Collector | None = None

    def whole(self) -> Collector:
        """Where texts go that come in one piece."""
        if self.wholes is None:
            self.wholes = Collector()
        return self.wholes


def _numbered(place: int, earlier: int) -> str:
    return f"tool/{place}.{earlier}" if earlier else f"tool/{place}"


def _usage(value: object) -> Usage:
    if not isinstance(value, dict):
        return NO_USAGE
    read = mapping(value.get("prompt_tokens_details"))
    written = mapping(value.get("completion_tokens_details"))
    cached = read.get("cached_tokens", value.get("prompt_cache_hit_tokens"))  # the latter: DeepSeek
    return Usage(  # images and sounds say `input` and `output`
        input_tokens=integer(value.get("prompt_tokens", value.get("input_tokens"))),
        output_tokens=integer(value.get("completion_tokens", value.get("output_tokens"))),
        cache_read_tokens=integer(cached),
        cache_write_tokens=integer(read.get("cache_write_tokens")),
        reasoning_tokens=integer(written.get("reasoning_tokens")),
    )
