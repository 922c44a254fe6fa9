"""Gemini Live (`BidiGenerateContent`), on the Gemini API and Vertex AI.

The client sets up, then sends turns, text, audio and the results of tools; the service streams one answer at a time,
ended by `turnComplete`, and begins one by itself where it hears that somebody has stopped speaking. Every message is
one object with one field that says what it is, in camelCase or snake_case; the service sends them as binary messages.
Source: the Gemini API reference, "Live API", and the official SDK (`google.genai.live`).
"""

from __future__ import annotations

import orjson

from agent.dialects import counting
from agent.dialects.base import Delta, EventView, ParsedRequest, RequestHead
from agent.dialects.gemini_contents import read_content, read_request
from agent.dialects.moulds import new_slot, text_delta
from agent.dialects.shapes import integer, mapping, objects, string
from agent.dialects.slots import Collector
from agent.dialects.sockets.base import Heard, Said
from agent.dialects.sockets.sessions import JsonSession, echoed
from agent.model.content import NO_USAGE, Attachment, Path, Role, Usage
from agent.model.conversation import TokenCount

_MODEL, _THOUGHT, _SPOKEN, _HEARD = "model", "thought", "spoken", "heard"
_CHANNELS = (_MODEL, _THOUGHT, _SPOKEN, _HEARD)
_BLOBS = ("audio", "video", "mediaChunks", "media_chunks")


class LiveSocket:
    """The socket dialect `gemini-live`."""

    name = "gemini-live"

    def session(self, head: RequestHead) -> LiveSession:
        """See `SocketDialect`."""
        del head
        return LiveSession()

    def count(self, usage: Usage) -> TokenCount:
        """The tokens that an answer reports, normalised."""
        return counting.thoughts_apart(usage)


class LiveSession(JsonSession):
    """One connection."""

    def __init__(self) -> None:
        super().__init__()
        self._model = ""

    def _begun(self, turn: str) -> ParsedRequest:
        del turn
        return ParsedRequest(model=self._model, stream=True)

    def forwarded(self, heard: Heard) -> None:
        """The setup names the model."""
        super().forwarded(heard)
        self._model = heard.request.model or self._model

    def _read(self, document: dict[str, object]) -> Heard:
        found = Collector()
        asks = False
        model = self._model
        for key, value in document.items():
            fields = mapping(value)
            match _camel(key):
                case "setup":
                    model = string(fields.get("model")).rpartition("models/")[2] or model
                    read_request(found, (key,), fields)
                case "clientContent":
                    for index, turn in objects(fields.get("turns")):
                        read_content(found, (key, "turns", index), Role.USER, turn)
                    asks = _either(fields, "turnComplete", "turn_complete") is True
                case "realtimeInput":
                    asks = _read_live(found, (key,), fields)
                case "toolResponse":
                    name = "function_responses" if "function_responses" in fields else "functionResponses"
                    for index, one in objects(fields.get(name)):
                        found.leaves((key, name, index, "response"), Role.TOOL_RESULT, one.get("response"))
                    asks = True
                case _:
                    found.leaves((key,), Role.USER, value)
        request = ParsedRequest(
            model=model, stream=True, slots=tuple(found.slots), attachments=tuple(found.attachments)
        )
        return Heard(request=request, asks=asks)

    def _said(self, document: dict[str, object]) -> Said:
        usage = _usage(_either(document, "usageMetadata", "usage_metadata"))
        key, content = _named(document, "serverContent", "server_content")
        if isinstance(content, dict):
            return Said(view=_content(key, content, usage))
        key, call = _named(document, "toolCall", "tool_call")
        if isinstance(call, dict):
            name, calls = _named(call, "functionCalls", "function_calls")
            found = Collector()
            for index, one in objects(calls):
                found.call((key, name, index, "args"), one.get("name"), one.get("args"))
            return Said(view=EventView(repeats=tuple(found.slots), usage=usage))
        if usage is not NO_USAGE:
            return Said(view=EventView(usage=usage))
        return Said(view=echoed(document), apart=True)

    def refusal(self, message: str) -> tuple[bytes, ...]:
        """A turn of the model that says `message`: the API knows no errors but the connection's end."""
        content = {"modelTurn": {"role": "model", "parts": [{"text": message}]}}
        return (
            orjson.dumps({"serverContent": content}),
            orjson.dumps({"serverContent": {"generationComplete": True}}),
            orjson.dumps({"serverContent": {"turnComplete": True}}),
        )

    def failure(self, status: int, message: str) -> tuple[bytes, ...]:
        """The same."""
        del status
        return self.refusal(message)

    def stop(self, message: str, turn: str) -> tuple[bytes, ...]:
        """The same: the answer's last words."""
        del turn
        return self.refusal(message)


def _content(key: str, content: dict[str, object], usage: Usage) -> EventView:
    deltas: list[Delta] = []
    found = Collector()
    name, turn = _named(content, "modelTurn", "model_turn")
    for index, part in objects(mapping(turn).get("parts")):
        at: Path = (key, name, "parts", index)
        text = part.get("text")
        if isinstance(text, str) and text:
            channel = _THOUGHT if part.get("thought") is True else _MODEL
            deltas.append(text_delta(channel, new_slot(((*at, "text"),), Role.ASSISTANT, text)))
        elif not isinstance(text, str):
            read_content(found, (key, name), Role.ASSISTANT, {"parts": [None] * index + [part]})
    for channel, role, camel, snake in (
        (_SPOKEN, Role.ASSISTANT, "outputTranscription", "output_transcription"),
        (_HEARD, Role.USER, "inputTranscription", "input_transcription"),
    ):
        field, said = _named(content, camel, snake)
        text = mapping(said).get("text")
        if isinstance(text, str) and text:
            deltas.append(text_delta(channel, new_slot(((key, field, "text"),), role, text)))
    for field, value in content.items():
        if _camel(field) in ("groundingMetadata", "interimInputTranscription"):
            found.prose((key, field), Role.ASSISTANT, value)
    final = _either(content, "turnComplete", "turn_complete") is True
    reason = string(_either(content, "turnCompleteReason", "turn_complete_reason"))
    return EventView(
        deltas=tuple(deltas),
        repeats=tuple(found.slots),
        closes=_CHANNELS if final else (),
        usage=usage,
        finish_reason=(reason or "turn_complete") if final else "",
        final=final,
    )


def _read_live(found: Collector, path: Path, fields: dict[str, object]) -> bool:
    """Something said while it happens; whether it is text, which the model answers at once."""
    for key in _BLOBS:
        value = fields.get(key)
        for blob in value if isinstance(value, list) else [value]:
            if isinstance(blob, dict):
                found.attachments.append(_blob(blob))
    text = fields.get("text")
    found.text((*path, "text"), Role.USER, text)
    return isinstance(text, str)


def _blob(blob: dict[str, object]) -> Attachment:
    media_type = string(_either(blob, "mimeType", "mime_type"))
    kind = media_type.partition("/")[0]
    data = blob.get("data")
    return Attachment(
        kind=kind if kind in ("audio", "image") else "file",
        media_type=media_type,
        size=len(data) * 3 // 4 if isinstance(data, str) else None,
    )


def _usage(value: object) -> Usage:
    if not isinstance(value, dict):
        return NO_USAGE
    return Usage(
        input_tokens=integer(_either(value, "promptTokenCount", "prompt_token_count")),
        output_tokens=integer(_either(value, "responseTokenCount", "response_token_count")),
        cache_read_tokens=integer(_either(value, "cachedContentTokenCount", "cached_content_token_count")),
        reasoning_tokens=integer(_either(value, "thoughtsTokenCount", "thoughts_token_count")),
    )


def _camel(key: str) -> str:
    head, *rest = key.split("_")
    return head + "".join(word[:1].upper() + word[1:] for word in rest)


def _named(value: dict[str, object], camel: str, snake: str) -> tuple[str, object]:
    return (snake, value[snake]) if snake in value else (camel, value.get(camel))


def _either(value: dict[str, object], camel: str, snake: str) -> object:
    return _named(value, camel, snake)[1]
