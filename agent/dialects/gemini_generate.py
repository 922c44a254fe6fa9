"""Gemini `generateContent` and its siblings, on the Gemini API, Vertex AI and Code Assist.

Owns the paths of that API's JSON documents, which are protobuf JSON: every field may be spelled in camelCase or
snake_case. Code Assist wraps requests in `request` and answers in `response`. A stream comes as server-sent events
where `alt=sse` asks for them, else as one JSON array. Source: the Gemini API reference, "GenerateContentRequest" and
"GenerateContentResponse", the official SDK's types, and Gemini CLI's `code_assist` package.
"""

from __future__ import annotations

from collections.abc import Callable

import orjson

from agent.dialects import counting
from agent.dialects.base import Block, Delta, EventView, ParsedAnswer, ParsedRequest, RequestHead
from agent.dialects.framing import ARRAY_END, ArrayFraming, Framing
from agent.dialects.gemini_contents import either, named, read_content, read_part, read_request
from agent.dialects.jsontext import parse
from agent.dialects.moulds import delta_view, new_slot, text_delta
from agent.dialects.replies import JsonEdits, json_reply
from agent.dialects.shapes import integer, json_object, mapping, most, objects, string
from agent.dialects.slots import Collector
from agent.dialects.sse import encode
from agent.dialects.vertex_predict import read_predictions
from agent.errors import ContentError
from agent.model.content import NO_USAGE, Address, Path, Role, Usage
from agent.model.conversation import TokenCount

_STATUS = {
    401: "UNAUTHENTICATED",
    402: "RESOURCE_EXHAUSTED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    504: "DEADLINE_EXCEEDED",
}
_PLAIN_CANDIDATE = frozenset(("content", "index", "safetyRatings", "avgLogprobs"))
_TEXT: Address = (("candidates", 0, "content", "parts", 0, "text"),)
_WRAPPED_TEXT: Address = (("response", "candidates", 0, "content", "parts", 0, "text"),)
_JSON = b"application/json"
_OPERATIONS = {
    "countTokens": "count_tokens",
    "embedContent": "embeddings",
    "batchEmbedContents": "embeddings",
}


class GeminiGenerate(JsonEdits):
    """The dialect `gemini-generate-content`."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The catalog's name of the format."""
        return "gemini-generate-content"

    def parse_request(self, head: RequestHead, body: bytes) -> ParsedRequest:
        """System instruction, contents and tool declarations; model and method from the path. Raises ContentError."""
        document = json_object(body)
        found = Collector()
        read_request(found, (), document)
        model, method = _model_and_method(head.path)
        asked = _unwrapped((), document, "request")[1]
        config = mapping(either(asked, "generationConfig", "generation_config"))
        return ParsedRequest(
            model=model or string(document.get("model")).removeprefix("models/"),
            stream=method.startswith("stream"),
            max_tokens=most(either(config, "maxOutputTokens", "max_output_tokens")),
            answers=max(1, most(either(config, "candidateCount", "candidate_count")) or 1),
            operation=_OPERATIONS.get(method, "chat"),
            slots=tuple(found.slots),
            attachments=tuple(found.attachments),
            files=tuple(found.files),
        )

    def parse_answer(self, body: bytes) -> ParsedAnswer:
        """Every candidate's content. A stream without SSE is an array of answers. Raises ContentError."""
        document = parse(body)
        if not isinstance(document, (dict, list)):
            raise ContentError("the body is JSON but neither an object nor an array")
        found = Collector()
        answers: list[tuple[Path, dict[str, object]]] = [((), mapping(document))]
        if isinstance(document, list):
            answers = [((index,), answer) for index, answer in objects(document)]
        model = finish = ""
        usage = NO_USAGE
        for path, outer in answers:
            at, answer = _unwrapped(path, outer, "response")
            for index, candidate in objects(answer.get("candidates")):
                _read_candidate(found, (*at, "candidates", index), candidate)
                finish = string(either(candidate, "finishReason", "finish_reason")) or finish
            read_predictions(found, (*at, "predictions"), answer.get("predictions"))
            model = string(either(answer, "modelVersion", "model_version")) or model
            usage = usage.merged(_usage(answer))
        return ParsedAnswer(slots=tuple(found.slots), model=model, usage=usage, finish_reason=finish)

    def count(self, usage: Usage) -> TokenCount:
        """The tokens that an answer reports, normalised."""
        return counting.thoughts_apart(usage)

    def framing_of(self, kind: bytes, request: ParsedRequest) -> Callable[[], Framing] | None:
        """One JSON array where a stream was asked for, and not as events."""
        return ArrayFraming if request.stream and kind == _JSON else super().framing_of(kind, request)

    def stream_reader(self, request: ParsedRequest) -> GeminiReader:
        """A reader for the responses that answer `request`."""
        return GeminiReader()

    def block(self, message: str) -> Block:
        """HTTP 400 `INVALID_ARGUMENT`: shown, not retried."""
        return json_reply(400, _error(400, message))

    def error(self, status: int, message: str) -> Block:
        """An error that is not policy."""
        return json_reply(status, _error(status, message))


class GeminiReader:
    """Reads a stream whose every event is a whole response object holding the next parts."""

    __slots__ = ("_channels", "_wrapped")

    def __init__(self) -> None:
        self._channels: dict[int, list[str]] = {}  # per candidate, the channels that have had a piece
        self._wrapped = False

    def read(self, event: str, data: bytes) -> EventView:
        """What the response adds; an empty view where it is none."""
        if not data:
            return self._end() if event == ARRAY_END else EventView(keepalive=True)
        try:
            document = orjson.loads(data)
        except orjson.JSONDecodeError:
            return EventView(final=data == b"[DONE]")
        if not isinstance(document, dict):
            return EventView()
        at, answer = _unwrapped((), document, "response")
        self._wrapped = bool(at)
        return self._quick(answer) or self._thorough(at, answer)

    def _quick(self, answer: dict[str, object]) -> EventView | None:
        """One candidate that adds one text and does nothing else: what nearly every response is."""
        candidates = answer.get("candidates")
        if type(candidates) is not list or len(candidates) != 1:
            return None
        candidate = candidates[0]
        if (
            type(candidate) is not dict
            or not _PLAIN_CANDIDATE.issuperset(candidate)
            or candidate.get("index")
        ):
            return None
        parts = mapping(candidate.get("content")).get("parts")
        if type(parts) is not list or len(parts) != 1 or type(parts[0]) is not dict or len(parts[0]) != 1:
            return None
        text = parts[0].get("text")
        if type(text) is not str or not text:
            return None
        address = _WRAPPED_TEXT if self._wrapped else _TEXT
        piece = text_delta(self._opened(0, "candidate/0"), new_slot(address, Role.ASSISTANT, text))
        return delta_view((piece,), string(either(answer, "modelVersion", "model_version")), _usage(answer))

    def _end(self) -> EventView:
        closes = tuple(channel for channels in self._channels.values() for channel in channels)
        self._channels.clear()
        return EventView(final=True, closes=closes)

    def _thorough(self, at: Path, answer: dict[str, object]) -> EventView:
        deltas: list[Delta] = []
        closes: list[str] = []
        found = Collector()
        finish = ""
        for index, candidate in objects(answer.get("candidates")):
            number = integer(candidate.get("index")) or 0
            for key, value in candidate.items():
                if key == "content":
                    self._read_parts(number, (*at, "candidates", index, key), mapping(value), deltas, found)
                else:
                    _read_candidate_field(found, (*at, "candidates", index), key, value)
            if reason := string(either(candidate, "finishReason", "finish_reason")):
                finish = finish or reason
                closes += self._channels.pop(number, ())
        if not answer.get("candidates"):
            finish = _without_candidates(answer)
        return EventView(
            deltas=tuple(deltas),
            closes=tuple(closes),
            repeats=tuple(found.slots),
            model=string(either(answer, "modelVersion", "model_version")),
            usage=_usage(answer),
            finish_reason=finish,
        )

    def block(self, message: str, *, in_step: bool = True) -> bytes:
        """A last response that says `message` and ends with `PROHIBITED_CONTENT`.

        An error object would do for the Python SDK, which raises it; the JavaScript SDK looks for one only in whole
        transport chunks that are bare JSON and drops it otherwise. Both hand on a candidate with a finish reason.
        """
        del in_step
        content = {"role": "model", "parts": [{"text": message}]}
        answer: dict[str, object] = {
            "candidates": [{"content": content, "finishReason": "PROHIBITED_CONTENT", "index": 0}]
        }
        return encode("", orjson.dumps({"response": answer} if self._wrapped else answer))

    def _read_parts(
        self, number: int, path: Path, content: dict[str, object], deltas: list[Delta], found: Collector
    ) -> None:
        for index, part in objects(content.get("parts")):
            at = (*path, "parts", index)
            text = part.get("text")
            if isinstance(text, str):
                name = f"candidate/{number}/thought" if part.get("thought") is True else f"candidate/{number}"
                self._add(deltas, number, name, (*at, "text"), Role.ASSISTANT, text)
            key, call = named(part, "functionCall", "function_call")
            pieces_key, pieces = named(mapping(call), "partialArgs", "partial_args")
            for place, piece in objects(pieces):
                where = string(either(piece, "jsonPath", "json_path"))
                field, value = named(piece, "stringValue", "string_value")
                name = f"candidate/{number}/call/{where}"
                tool = string(mapping(call).get("name"))
                self._add(
                    deltas, number, name, (*at, key, pieces_key, place, field), Role.TOOL_CALL, value, tool
                )
            if not isinstance(text, str):
                read_part(found, at, Role.ASSISTANT, part)

    def _add(
        self,
        deltas: list[Delta],
        number: int,
        channel: str,
        path: Path,
        role: Role,
        text: object,
        tool: str = "",
    ) -> None:
        if isinstance(text, str) and text:
            deltas.append(text_delta(self._opened(number, channel), new_slot((path,), role, text, tool)))

    def _opened(self, number: int, channel: str) -> str:
        channels = self._channels.get(number)
        if channels is None:
            self._channels[number] = [channel]
        elif channel not in channels:
            channels.append(channel)
        return channel


def _read_candidate(found: Collector, path: Path, candidate: dict[str, object]) -> None:
    for key, value in candidate.items():
        if key == "content":
            read_content(found, (*path, key), Role.ASSISTANT, value)
        else:
            _read_candidate_field(found, path, key, value)


def _read_candidate_field(found: Collector, path: Path, key: str, value: object) -> None:
    """What a candidate holds besides its content: why it stopped, and sources that quote it."""
    match key:
        case "finishMessage" | "finish_message":
            found.text((*path, key), Role.ASSISTANT, value)
        case "groundingMetadata" | "grounding_metadata" | "citationMetadata" | "citation_metadata":
            found.prose((*path, key), Role.ASSISTANT, value)


def _unwrapped(path: Path, document: dict[str, object], key: str) -> tuple[Path, dict[str, object]]:
    """The document inside Code Assist's envelope, or the document itself, and the path to it."""
    inner = document.get(key)
    return ((*path, key), inner) if isinstance(inner, dict) else (path, document)


def _model_and_method(path: str) -> tuple[str, str]:
    """`/v1beta/models/{model}:{method}`, `/v1/projects/…/models/{model}:{method}`, `/v1internal:{method}`."""
    head, _, method = path.rpartition(":")
    for collection in ("/models/", "/tunedModels/", "/endpoints/"):
        _, found, model = head.rpartition(collection)
        if found:
            return model, method
    return "", method


def _without_candidates(answer: dict[str, object]) -> str:
    """Why there is no answer, if that is what a response says: the prompt was blocked, or something broke."""
    if isinstance(answer.get("error"), dict):
        return "error"
    feedback = mapping(either(answer, "promptFeedback", "prompt_feedback"))
    return string(either(feedback, "blockReason", "block_reason"))


def _usage(answer: dict[str, object]) -> Usage:
    value = either(answer, "usageMetadata", "usage_metadata")
    if not isinstance(value, dict):
        return NO_USAGE
    return Usage(
        input_tokens=_count(value, "promptTokenCount", "prompt_token_count"),
        output_tokens=_count(value, "candidatesTokenCount", "candidates_token_count"),
        cache_read_tokens=_count(value, "cachedContentTokenCount", "cached_content_token_count"),
        reasoning_tokens=_count(value, "thoughtsTokenCount", "thoughts_token_count"),
    )


def _count(value: dict[str, object], camel: str, snake: str) -> int | None:
    return integer(value[camel] if camel in value else value.get(snake))


def _error(status: int, message: str) -> dict[str, object]:
    name = _STATUS.get(status, "UNAVAILABLE" if status >= 500 else "INVALID_ARGUMENT")
    return {"error": {"code": status, "message": message, "status": name}}
