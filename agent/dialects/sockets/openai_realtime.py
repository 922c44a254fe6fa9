"""OpenAI Realtime, as of its general availability and as its beta was spoken.

The client says things (`session.update`, `conversation.item.create`), then asks (`response.create`); where the
service hears by itself that somebody has stopped speaking, it answers unasked. Answers carry an id and may overlap;
so may the transcripts of what was heard, each an answer of its own here. Audio is noted, not read. Source: the
official SDK's types (`openai.types.realtime`) and, for the beta's names, its `openai.types.beta.realtime`.
"""

from __future__ import annotations

from urllib.parse import parse_qs

import orjson

from agent.dialects import counting
from agent.dialects.base import EventView, ParsedRequest, RequestHead
from agent.dialects.moulds import delta_view, json_delta, new_slot, text_delta
from agent.dialects.openai_responses import read_item
from agent.dialects.shapes import integer, mapping, objects, string
from agent.dialects.slots import Collector
from agent.dialects.sockets.base import Heard, Said
from agent.dialects.sockets.sessions import JsonSession, unknown
from agent.model.content import NO_USAGE, Address, Attachment, Path, Role, Usage
from agent.model.conversation import TokenCount

_DELTA: Address = (("delta",),)
_AUDIO = frozenset(("input_audio_buffer.append", "session.input_audio_buffer.append"))
_TEXTS = {  # the middle of an event's name: the field that repeats the whole, who speaks
    "output_text": ("text", Role.ASSISTANT),
    "text": ("text", Role.ASSISTANT),  # beta
    "output_audio_transcript": ("transcript", Role.ASSISTANT),
    "audio_transcript": ("transcript", Role.ASSISTANT),  # beta
    "function_call_arguments": ("arguments", Role.TOOL_CALL),
    "mcp_call_arguments": ("arguments", Role.TOOL_CALL),
}
_HEARD = "conversation.item.input_audio_transcription."
_ITEMS = (
    "conversation.item.created",
    "conversation.item.added",
    "conversation.item.done",
    "conversation.item.retrieved",
)
_SILENT = frozenset(  # of a client: they give the model nothing
    (
        *("input_audio_buffer.commit", "input_audio_buffer.clear", "output_audio_buffer.clear"),
        *("conversation.item.delete", "conversation.item.retrieve", "conversation.item.truncate"),
        *("response.cancel", "session.close"),
    )
)
_MAX_TOOLS = 1024


class RealtimeSocket:
    """The socket dialect `openai-realtime`."""

    name = "openai-realtime"

    def session(self, head: RequestHead) -> RealtimeSession:
        """See `SocketDialect`. The query may name the model."""
        return RealtimeSession("".join(parse_qs(head.query, max_num_fields=64).get("model", [""])[:1]))

    def count(self, usage: Usage) -> TokenCount:
        """The tokens that an answer reports, normalised."""
        return counting.inclusive(usage)


class RealtimeSession(JsonSession):
    """One connection."""

    def __init__(self, model: str) -> None:
        super().__init__()
        self._model = model
        self._tools: dict[str, str] = {}  # by item: the tool that is called

    def _begun(self, turn: str) -> ParsedRequest:
        del turn
        return ParsedRequest(model=self._model, stream=True)

    def _read(self, document: dict[str, object]) -> Heard:
        kind = string(document.get("type"))
        if kind in _AUDIO:
            audio = (_audio(document.get("audio")),)
            return Heard(request=ParsedRequest(model=self._model, attachments=audio))
        found = Collector()
        asks = kind == "response.create"
        most = None
        match kind:
            case "session.update" | "transcription_session.update":
                _read_settings(found, ("session",), mapping(document.get("session")))
            case "conversation.item.create":
                _read_item(found, ("item",), mapping(document.get("item")), Role.USER)
            case "response.create":
                settings = mapping(document.get("response"))
                most = integer(settings.get("max_output_tokens"))
                _read_settings(found, ("response",), settings)
            case _:
                return Heard() if kind in _SILENT else unknown(document)
        request = ParsedRequest(
            model=self._model,
            stream=True,
            slots=tuple(found.slots),
            attachments=tuple(found.attachments),
            max_tokens=most,
        )
        return Heard(request=request, asks=asks)

    def _said(self, document: dict[str, object]) -> Said:
        kind = string(document.get("type"))
        if kind.startswith(_HEARD):
            return self._transcribed(kind.removeprefix(_HEARD), document)
        if kind.startswith(("session.", "transcription_session.")):
            return self._about_session(kind, document)
        if kind in _ITEMS:
            found = Collector()
            _read_item(found, ("item",), mapping(document.get("item")), Role.ASSISTANT)
            return Said(view=EventView(repeats=tuple(found.slots)), apart=True)
        if kind in ("response.created", "response.done"):
            return self._about_response(kind, mapping(document.get("response")))
        turn = string(document.get("response_id"))
        if not turn:
            return Said(view=_texts(document) if kind != "error" else EventView(), apart=True)
        return Said(view=self._part(kind, document), turn=turn)

    def _about_session(self, kind: str, document: dict[str, object]) -> Said:
        session = mapping(document.get("session"))
        self._model = string(session.get("model")) or self._model
        found = Collector()
        if kind.endswith("transcript.delta"):  # of a translation, which has no end but its connection's
            text = string(document.get("delta"))
            role = Role.USER if "input" in kind else Role.ASSISTANT
            slot = new_slot(_DELTA, role, text)
            return Said(view=delta_view((text_delta(kind, slot),) if text else ()), turn=kind)
        _read_settings(found, ("session",), session)
        return Said(view=EventView(repeats=tuple(found.slots)), apart=True)

    def _about_response(self, kind: str, response: dict[str, object]) -> Said:
        found = Collector()
        for index, item in objects(response.get("output")):
            _read_item(found, ("response", "output", index), item, Role.ASSISTANT)
        final = kind == "response.done"
        if final:
            self._tools.clear()
        view = EventView(
            repeats=tuple(found.slots),
            usage=_usage(response.get("usage")),
            finish_reason=string(response.get("status")) if final else "",
            model=self._model,
            final=final,
        )
        return Said(view=view, turn=string(response.get("id")))

    def _part(self, kind: str, document: dict[str, object]) -> EventView:
        item = document.get("item")
        if isinstance(item, dict):
            if len(self._tools) < _MAX_TOOLS:
                self._tools[string(item.get("id"))] = string(item.get("name"))
            found = Collector()
            _read_item(found, ("item",), item, Role.ASSISTANT)
            return EventView(repeats=tuple(found.slots))
        name, _, step = kind.removeprefix("response.").rpartition(".")
        if (known := _TEXTS.get(name)) is None:
            return EventView() if name.endswith("audio") else _texts(document)
        field, role = known
        tool = self._tools.get(string(document.get("item_id")), "") if role is Role.TOOL_CALL else ""
        channel = f"{document.get('item_id')}/{field}/{document.get('content_index')}"
        if step == "delta":
            text = string(document.get("delta"))
            if not text:
                return EventView()
            slot = new_slot(_DELTA, role, text, tool)
            piece = json_delta if field == "arguments" else text_delta
            return delta_view((piece(channel, slot),))
        found = Collector(tool=tool)
        found.text((field,), role, document.get(field))
        return EventView(closes=(channel,), repeats=tuple(found.slots))

    def _transcribed(self, step: str, document: dict[str, object]) -> Said:
        """What the service heard: an answer of its own, to the audio."""
        turn = f"transcript/{string(document.get('item_id'))}"
        channel = f"heard/{document.get('content_index')}"
        found = Collector()
        match step:
            case "delta":
                text = string(document.get("delta"))
                slot = new_slot(_DELTA, Role.USER, text)
                view = delta_view((text_delta(channel, slot),) if text else ())
            case "completed":
                found.text(("transcript",), Role.USER, document.get("transcript"))
                view = EventView(
                    repeats=tuple(found.slots),
                    usage=_usage(document.get("usage")),
                    finish_reason="completed",
                    final=True,
                )
            case "failed":
                view = EventView(finish_reason="failed", final=True)
            case _:  # a segment
                found.prose((), Role.USER, document)
                view = EventView(repeats=tuple(found.slots))
        return Said(view=view, turn=turn, operation="audio_transcriptions")

    def refusal(self, message: str) -> tuple[bytes, ...]:
        """An `error` event: the service's own for a client event that it does not take."""
        return (_error(message, "policy_violation"),)

    def failure(self, status: int, message: str) -> tuple[bytes, ...]:
        """The same without a code."""
        return (_error(message, None, "server_error" if status >= 500 else "invalid_request_error"),)

    def stop(self, message: str, turn: str) -> tuple[bytes, ...]:
        """The error, and the end of the answer as one that failed."""
        error = {"type": "invalid_request_error", "code": "policy_violation", "message": message}
        if turn.startswith("transcript/"):
            failed = {"content_index": 0, "item_id": turn.partition("/")[2], "error": error}
            return (_event(f"{_HEARD}failed", failed),)
        response: dict[str, object] = {
            "object": "realtime.response",
            "id": turn,
            "status": "failed",
            "status_details": {"type": "failed", "error": error},
            "output": [],
            "usage": None,
        }
        return (_error(message, "policy_violation"), _event("response.done", {"response": response}))


def _event(kind: str, fields: dict[str, object]) -> bytes:
    return orjson.dumps({"type": kind, "event_id": "event_blocked", **fields})


def _error(message: str, code: str | None, kind: str = "invalid_request_error") -> bytes:
    error = {"type": kind, "code": code, "message": message, "param": None, "event_id": None}
    return _event("error", {"error": error})


def _texts(document: dict[str, object]) -> EventView:
    found = Collector()
    found.prose((), Role.ASSISTANT, document)
    return EventView(repeats=tuple(found.slots))


def _read_settings(found: Collector, path: Path, settings: dict[str, object]) -> None:
    """A session's settings, or those of one response."""
    for key, value in settings.items():
        at = (*path, key)
        match key:
            case "instructions":
                found.text(at, Role.SYSTEM, value)
            case "tools":
                found.schema(at, value)
            case "input":
                for index, item in objects(value):
                    _read_item(found, (*at, index), item, Role.USER)
            case "prompt":
                for name, variable in mapping(mapping(value).get("variables")).items():
                    found.prose((*at, "variables", name), Role.USER, variable)
            case "metadata":
                found.leaves(at, Role.USER, value)
            case "audio" | "input_audio_transcription":
                _read_hint(found, at, mapping(value))


def _read_hint(found: Collector, path: Path, settings: dict[str, object]) -> None:
    """What a transcription is told beforehand: inside `audio`, or in the beta by itself."""
    heard = mapping(mapping(settings.get("input")).get("transcription"))
    found.text((*path, "input", "transcription", "prompt"), Role.SYSTEM, heard.get("prompt"))
    found.text((*path, "prompt"), Role.SYSTEM, settings.get("prompt"))


def _read_item(found: Collector, path: Path, item: dict[str, object], role: Role) -> None:
    """An item of the conversation; one of audio has its transcript beside it."""
    read_item(found, path, {key: value for key, value in item.items() if key != "content"}, role)
    speaker = {"system": Role.SYSTEM, "assistant": Role.ASSISTANT, "user": Role.USER}.get(
        string(item.get("role")), role
    )
    for index, part in objects(item.get("content")):
        at = (*path, "content", index)
        found.text((*at, "text"), speaker, part.get("text"))
        found.text((*at, "transcript"), speaker, part.get("transcript"))
        if "audio" in string(part.get("type")) and speaker is Role.USER:
            found.attach("audio", data=part.get("audio"))
        elif part.get("type") == "input_image":
            found.attach_url("image", part.get("image_url"))


def _audio(data: object) -> Attachment:
    return Attachment(kind="audio", size=len(data) * 3 // 4 if isinstance(data, str) else None)


def _usage(value: object) -> Usage:
    if not isinstance(value, dict):
        return NO_USAGE
    return Usage(
        input_tokens=integer(value.get("input_tokens")),
        output_tokens=integer(value.get("output_tokens")),
        cache_read_tokens=integer(mapping(value.get("input_token_details")).get("cached_tokens")),
    )
