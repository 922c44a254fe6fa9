"""Bedrock's InvokeModel and InvokeModelWithResponseStream: a body in the form that the model's vendor chose.

The form is told by the body's own fields, not by the model's id: an ARN says nothing of the vendor. Claude's is
Anthropic Messages, Nova's is Converse's, those of many others Chat Completions or Cohere's first API: their dialects
read them. Only the forms that no other service speaks (Llama, Mistral's text models, Titan, Stability) are read here. A
stream is Amazon's event stream, whose chunks hold one document of that form each. Source: the Bedrock user guide,
"Inference request parameters and response fields for foundation models".
"""

from __future__ import annotations

from dataclasses import replace

import orjson

from agent.dialects import counting
from agent.dialects.anthropic_messages import AnthropicMessages
from agent.dialects.base import (
    Delta,
    Dialect,
    EventView,
    ParsedAnswer,
    ParsedRequest,
    RequestHead,
    StreamReader,
)
from agent.dialects.bedrock_converse import BedrockConverse, model_in_path
from agent.dialects.cohere_v1 import CohereV1
from agent.dialects.eventstream import exception
from agent.dialects.framing import ChunkFraming, Framing
from agent.dialects.moulds import delta_view, new_slot, text_delta
from agent.dialects.openai_chat import OpenAIChat
from agent.dialects.replies import AmazonReplies
from agent.dialects.shapes import integer, json_object, mapping, most, objects, string
from agent.dialects.slots import Collector
from agent.dialects.sse import SseDecoder
from agent.model.content import NO_USAGE, Address, Path, Role, Slot, Usage
from agent.model.conversation import TokenCount

_METRICS = "amazon-bedrock-invocationMetrics"  # in the last document of every stream
_METRICS_BYTES = _METRICS.encode()
_ANTHROPIC, _CONVERSE, _CHAT, _COHERE = AnthropicMessages(), BedrockConverse(), OpenAIChat(), CohereV1()
_TEXTS = ("inputText", "prompt", "texts", "negativeText", "text")
_PICTURES = ("image", "images", "init_image", "inputImage", "maskImage", "mask")
_PIECES = ("generation", "outputText", "completion")  # Llama, Titan, Claude's old completions
_CHANNEL = "text"


class BedrockInvoke(AmazonReplies):
    """The dialect `bedrock-invoke`."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The catalog's name of the format."""
        return "bedrock-invoke"

    def parse_request(self, head: RequestHead, body: bytes) -> ParsedRequest:
        """The vendor's body; the path has the model. Raises ContentError."""
        document = json_object(body)
        parsed = _read_request(document)
        if (spoken := _asked_in(document)) is not None:
            told = spoken.parse_request(head, body)
            known = {slot.address for slot in told.slots}
            more = tuple(slot for slot in parsed.slots if slot.address not in known)
            parsed = replace(told, slots=told.slots + more)
        return replace(
            parsed, model=model_in_path(head.path) or parsed.model, stream=head.path.endswith("-stream")
        )

    def parse_answer(self, body: bytes) -> ParsedAnswer:
        """The vendor's answer. Raises ContentError."""
        spoken = _answered_in(_glimpse(body))
        return spoken.parse_answer(body) if spoken else _read_answer(body)

    def count(self, usage: Usage) -> TokenCount:
        """The tokens that an answer reports, normalised."""
        return counting.cache_apart(usage)

    def framing(self) -> Framing:
        """Documents in chunks in binary messages."""
        return ChunkFraming()

    def stream_reader(self, request: ParsedRequest) -> InvokeReader:
        """A reader for the chunks that answer `request`."""
        return InvokeReader(request)


class InvokeReader:
    """Reads chunks as the vendor's own reader does; the first that tells says which that is."""

    __slots__ = ("_inner", "_open", "_request", "_spoken")

    def __init__(self, request: ParsedRequest) -> None:
        self._request = request
        self._spoken: Dialect | None = None
        self._inner: StreamReader | None = None
        self._open = False

    def read(self, event: str, data: bytes) -> EventView:
        """What the chunk means; an empty view where it is none."""
        if event:
            broken = event.endswith("Exception")
            return EventView(final=broken, finish_reason="error" if broken else "")
        if not data:
            return EventView(keepalive=True)
        if self._inner is not None and self._spoken is not _CONVERSE and _METRICS_BYTES not in data:
            return self._inner.read("", data)
        document = _glimpse(data)
        if self._inner is None and (spoken := _streamed_in(document)) is not None:
            self._spoken, self._inner = spoken, spoken.stream_reader(self._request)
        if self._inner is None:
            view = self._plain(document)
        elif self._spoken is _CONVERSE:
            view = _read_nested(self._inner, document)
        else:
            view = self._inner.read("", data)
        return _measured(view, mapping(document.get(_METRICS)))

    def block(self, message: str, *, in_step: bool = True) -> bytes:
        """As the vendor's stream ends, chunk by chunk, or an exception."""
        if self._spoken is _ANTHROPIC and self._inner is not None and in_step:
            framing = ChunkFraming()
            events = SseDecoder().feed(self._inner.block(message, in_step=True))
            if all(each.event != "error" for each in events):
                return b"".join(framing.encode("", each.data) for each in events)
        return exception("validationException", orjson.dumps({"message": message}))

    def _plain(self, document: dict[str, object]) -> EventView:
        """A chunk of the forms that are read here."""
        deltas: list[Delta] = []
        finish = ""
        for path, text in _pieces(document):
            deltas.append(text_delta(f"{_CHANNEL}/{path[1] if len(path) > 1 else 0}", _said(path, text)))
        for _, output in objects(document.get("outputs")):
            finish = string(output.get("stop_reason")) or finish
        finish = finish or string(document.get("stop_reason") or document.get("completionReason"))
        usage = _usage(document)
        if not finish:
            return delta_view(tuple(deltas), "", usage)
        return EventView(deltas=tuple(deltas), usage=usage, finish_reason=finish)


def _glimpse(body: bytes) -> dict[str, object]:
    """The document of an answer, to see what form it has; whoever reads it, reads strictly."""
    try:
        return mapping(orjson.loads(body))
    except orjson.JSONDecodeError:
        return {}


def _asked_in(document: dict[str, object]) -> Dialect | None:
    if "anthropic_version" in document:
        return _ANTHROPIC
    if "messages" in document:
        return _CONVERSE if _is_converse(document) else _CHAT
    if "message" in document:
        return _COHERE
    return _CONVERSE if "converse" in mapping(document.get("input")) else None


def _is_converse(document: dict[str, object]) -> bool:
    """Whether messages are Converse's: their parts have no type."""
    if "schemaVersion" in document or "inferenceConfig" in document:
        return True
    parts = [
        part for _, message in objects(document["messages"]) for _, part in objects(message.get("content"))
    ]
    return bool(parts) and not any("type" in part for part in parts)


def _answered_in(document: dict[str, object]) -> Dialect | None:
    if document.get("type") in ("message", "error"):
        return _ANTHROPIC
    if "choices" in document:
        return _CHAT
    if "output" in document:
        return _CONVERSE
    cohere = "generations" in document or "generation_id" in document or "response_id" in document
    return _COHERE if cohere else None


def _streamed_in(document: dict[str, object]) -> Dialect | None:
    if "type" in document:
        return _ANTHROPIC
    if "choices" in document:
        return _CHAT
    if "event_type" in document or "is_finished" in document:
        return _COHERE
    return _CONVERSE if _event_of(document) else None


def _event_of(document: dict[str, object]) -> str:
    """The event that a chunk of Nova's names by its only key."""
    return next((key for key in document if key.startswith(("messageSt", "contentBlock", "metadata"))), "")


def _read_nested(reader: StreamReader, document: dict[str, object]) -> EventView:
    """An event of Converse's, one level down."""
    name = _event_of(document)
    view = reader.read(name, orjson.dumps(document.get(name)))
    return replace(
        view,
        deltas=tuple(replace(each, slot=_below(name, each.slot)) for each in view.deltas),
        repeats=tuple(_below(name, slot) for slot in view.repeats),
    )


def _below(name: str, slot: Slot) -> Slot:
    first, *deeper = slot.address
    return replace(slot, address=((name, *first), *deeper))


def _read_request(document: dict[str, object]) -> ParsedRequest:
    """The forms that only Bedrock has. A field of theirs beside another form's is read all the same."""
    found = Collector()
    for key, value in document.items():
        if key in _TEXTS:
            found.prose((key,), Role.USER, value)
        elif key == "text_prompts" or key.endswith("Params"):  # Stability, Titan's and Nova's pictures
            for path, text in _leaves((key,), value):
                found.text(path, Role.USER, text)
        elif key == "modelInput":  # of an asynchronous call
            found.leaves((key,), Role.USER, value)
        elif key in _PICTURES:
            for one in value if isinstance(value, list) else [value]:
                found.attach("image", data=one)
    return ParsedRequest(
        max_tokens=most(document.get("max_gen_len", document.get("max_tokens"))),
        slots=tuple(found.slots),
        attachments=tuple(found.attachments),
    )


def _leaves(path: Path, value: object) -> list[tuple[Path, str]]:
    """Texts of a picture's description, without the pictures beside them."""
    match value:
        case dict():
            return [
                each
                for key, item in value.items()
                if key not in _PICTURES
                for each in _leaves((*path, key), item)
            ]
        case list():
            return [each for index, item in enumerate(value) for each in _leaves((*path, index), item)]
        case str():
            return [(path, value)]
    return []


def _read_answer(body: bytes) -> ParsedAnswer:
    document = json_object(body)
    results = [result for _, result in objects(document.get("results"))]
    reasons = [string(result.get("completionReason")) for result in results]
    slots = tuple(_said(path, text) for path, text in _pieces(document))
    return ParsedAnswer(
        slots=slots,
        usage=_usage(document),
        finish_reason=string(document.get("stop_reason")) or next(iter(reasons), ""),
    )


def _pieces(document: dict[str, object]) -> list[tuple[Path, str]]:
    """Where a document holds text of the model's."""
    found: list[tuple[Path, object]] = [((key,), document.get(key)) for key in _PIECES]
    for index, output in objects(document.get("outputs")):
        found.append((("outputs", index, "text"), output.get("text")))
    for index, result in objects(document.get("results")):
        found.append((("results", index, "outputText"), result.get("outputText")))
    return [(path, text) for path, text in found if isinstance(text, str) and text]


def _said(path: Path, text: str) -> Slot:
    address: Address = (path,)
    return new_slot(address, Role.ASSISTANT, text)


def _usage(document: dict[str, object]) -> Usage:
    """Llama's counts, or Titan's."""
    given = integer(document.get("prompt_token_count", document.get("inputTextTokenCount")))
    made = integer(document.get("generation_token_count", document.get("totalOutputTextTokenCount")))
    for _, result in objects(document.get("results")):
        made = integer(result.get("tokenCount")) if made is None else made
    return NO_USAGE if given is None and made is None else Usage(input_tokens=given, output_tokens=made)


def _measured(view: EventView, metrics: dict[str, object]) -> EventView:
    """The view with the counts that Bedrock adds to the last document."""
    if not metrics:
        return view
    counted = Usage(
        input_tokens=integer(metrics.get("inputTokenCount")),
        output_tokens=integer(metrics.get("outputTokenCount")),
        cache_read_tokens=integer(metrics.get("cacheReadInputTokenCount")),
        cache_write_tokens=integer(metrics.get("cacheWriteInputTokenCount")),
    )
    return replace(view, usage=view.usage.merged(counted), final=True)
