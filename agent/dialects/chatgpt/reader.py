"""Reads the events of a ChatGPT answer: the delta encoding, the older snapshots, and what goes with them.

A snapshot shows a whole message so far; every event repeats the text of the one before it. Nobody mixes both in one
stream, but each event tells by itself what it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from agent.dialects.base import Delta, EventView
from agent.dialects.chatgpt import pages
from agent.dialects.chatgpt.content import has_ended, speaker_of, texts
from agent.dialects.chatgpt.delta import Changes, DeltaReader
from agent.dialects.moulds import new_slot
from agent.dialects.shapes import mapping, string
from agent.dialects.slots import Collector
from agent.dialects.snapshots import Snapshots
from agent.model.content import Path, Role, Slot

_FINISHED = "finished_successfully"
_SILENT = frozenset({"input_message", "resume_conversation_token", "message_marker"})
"""Events that repeat the question, or hold tokens and marks."""


@dataclass(slots=True)
class _Known:
    """What an ending of our own must say again."""

    conversation: str = ""
    message: str = ""
    model: str = ""
    encoded: bool = False  # by deltas
    number: int = 0  # of the newest document
    open: bool = False  # a message is under way


class ChatGPTReader:
    """A reader for one answer. `conversation` is the id that the request named."""

    def __init__(self, conversation: str = "") -> None:
        self._deltas = DeltaReader()
        self._snapshots = Snapshots()
        self._known = _Known(conversation=conversation)

    def read(self, event: str, data: bytes) -> EventView:
        """What the event means; an empty view where it is none."""
        if not data:
            return EventView(keepalive=True)
        try:
            document = orjson.loads(data)
        except orjson.JSONDecodeError:
            return self._end() if data == b"[DONE]" else EventView()
        if not isinstance(document, dict):
            self._known.encoded = self._known.encoded or event == "delta_encoding"
            return EventView()
        if event == "delta" or ("type" not in document and ("v" in document or "o" in document)):
            return self._delta(document)
        if "message" in document and "type" not in document:
            return self._snapshot(document)
        return self._other(string(document.get("type")) or event, document)

    def block(self, message: str, *, in_step: bool = True) -> bytes:
        """A message of the assistant after whatever was shown, and a regular end."""
        known = self._known
        said = pages.message(
            message, conversation=known.conversation, parent=known.message, model=known.model
        )
        if not known.encoded:
            return pages.snapshot(said)
        closing = b""
        if in_step and known.open:
            closing = pages.change("/message/status", "replace", _FINISHED)
        return closing + pages.change("", "add", said, number=known.number + 1) + pages.ending(said)

    def _delta(self, document: dict[str, object]) -> EventView:
        self._known.encoded = True
        number = document.get("c")
        if type(number) is int:
            self._known.number = max(number, self._known.number)
        root = mapping(document.get("v"))
        if "message" in root:
            self._remember(root)
        changes: Changes = self._deltas.read(document)
        return EventView(
            deltas=tuple(changes.deltas),
            closes=tuple(changes.closes),
            repeats=tuple(changes.repeats),
            model=changes.model,
            instead=changes.instead,
        )

    def _snapshot(self, document: dict[str, object]) -> EventView:
        message = mapping(document.get("message"))
        self._remember(document)
        speaker = speaker_of(message)
        found = Collector()
        found.field((), "error", Role.ASSISTANT, document.get("error"))
        if speaker.echo:
            return EventView(repeats=tuple(found.slots))
        found.prose(("message", "metadata"), speaker.role, message.get("metadata"))
        deltas: list[Delta] = []
        closes: list[str] = []
        place: Path = ("message", "content")
        name = string(message.get("id"))
        for below, text in texts(message.get("content")):
            slot = new_slot(((*place, *below),), speaker.role, text, speaker.tool)
            delta, closed = self._snapshots.take((name, *below), slot, json_fragment=speaker.json)
            deltas += [delta] if delta is not None else []
            closes += closed
        if has_ended(message):
            self._known.open = False
            closes += self._snapshots.end(name)
        return EventView(
            deltas=tuple(deltas),
            closes=tuple(closes),
            repeats=tuple(found.slots),
            model=_model(message),
            finish_reason="error" if found.slots and not message else "",
        )

    def _other(self, kind: str, document: dict[str, object]) -> EventView:
        """An event about the answer: a title, what the service thinks of the text, the end."""
        self._known.conversation = string(document.get("conversation_id")) or self._known.conversation
        if kind in _SILENT:
            return EventView()
        if kind == "message_stream_complete":
            return EventView(final=True, closes=self._close(), finish_reason="stop")
        found = Collector()
        found.prose((), Role.ASSISTANT, document)
        metadata = mapping(document.get("metadata"))
        return EventView(repeats=tuple(found.slots), model=string(metadata.get("model_slug")))

    def _end(self) -> EventView:
        return EventView(final=True, closes=self._close())

    def _close(self) -> tuple[str, ...]:
        self._known.open = False
        return (*self._deltas.close(), *self._snapshots.close())

    def _remember(self, root: dict[str, object]) -> None:
        message = mapping(root.get("message"))
        known = self._known
        known.conversation = string(root.get("conversation_id")) or known.conversation
        known.message = string(message.get("id")) or known.message
        known.model = _model(message) or known.model
        known.open = bool(message) and not has_ended(message)


def read_whole(document: dict[str, object]) -> list[Slot]:
    """The texts of an answer that does not stream: one message, an error, or a title."""
    found = Collector()
    message = mapping(document.get("message"))
    if message:
        speaker = speaker_of(message)
        for below, text in texts(message.get("content")):
            found.text(("message", "content", *below), speaker.role, text)
    for key, value in document.items():
        if key == "detail":
            found.prose((key,), Role.ASSISTANT, value)
        elif key != "message" or not message:
            found.field((), key, Role.ASSISTANT, value)
    return found.slots


def _model(message: dict[str, object]) -> str:
    return string(mapping(message.get("metadata")).get("model_slug"))
