"""The events of ChatGPT's "delta encoding v1", as far as their texts go: a path, an operation and a value each, the
first two left out where they are those of the event before."""

from __future__ import annotations

import orjson

from agent.dialects.base import Delta, EventView
from agent.dialects.moulds import new_slot, text_delta
from agent.dialects.shapes import mapping, objects, string
from agent.dialects.slots import Collector
from agent.dialects.sse import encode
from agent.model.content import Path, Role

_ROLES = {"user": Role.USER, "system": Role.SYSTEM, "tool": Role.TOOL_RESULT}
_CONTENT = "/message/content/"
_MAX_CHANNELS = 256


class DeltaReader:
    """Implements `StreamReader` for one answer."""

    def __init__(self) -> None:
        self._path = ""
        self._operation = ""
        self._opened: dict[str, None] = {}  # channels that have had a piece

    def read(self, event: str, data: bytes) -> EventView:
        """What the event means; an empty view where it is none."""
        del event
        if data == b"[DONE]":
            return EventView(closes=tuple(self._opened), final=True)
        try:
            document = orjson.loads(data)
        except orjson.JSONDecodeError:
            return EventView()
        if not isinstance(document, dict):
            return EventView()
        deltas: list[Delta] = []
        found = Collector()
        if "v" in document:
            self._read(document, (), deltas, found)
        else:
            found.prose((), Role.ASSISTANT, document)
            _read_parts(found, ("message",), mapping(document.get("message")))
        model = string(mapping(document.get("metadata")).get("model_slug"))
        return EventView(deltas=tuple(deltas), repeats=tuple(found.slots), model=model)

    def block(self, message: str, *, in_step: bool = True) -> bytes:
        """A whole message that says `message`, and the end."""
        del in_step
        said = {"author": {"role": "assistant"}, "content": {"content_type": "text", "parts": [message]}}
        return encode("", orjson.dumps({"message": said, "error": None})) + encode("", b"[DONE]")

    def _read(self, document: dict[str, object], at: Path, deltas: list[Delta], found: Collector) -> None:
        path, operation = document.get("p"), document.get("o")
        self._path = path if isinstance(path, str) else self._path
        self._operation = operation if isinstance(operation, str) else self._operation
        value = document.get("v")
        where: Path = (*at, "v")
        if isinstance(value, list) and self._operation == "patch":
            outer = self._path
            for index, one in objects(value):
                self._read(one, (*where, index), deltas, found)
            self._path, self._operation = outer, "patch"
        elif isinstance(value, str) and self._path.startswith(_CONTENT) and self._operation == "append":
            if value and len(self._opened) < _MAX_CHANNELS:
                self._opened[self._path] = None
                deltas.append(text_delta(self._path, new_slot((where,), Role.ASSISTANT, value)))
            else:
                found.text(where, Role.ASSISTANT, value)
        elif isinstance(value, str):
            if self._path.startswith(_CONTENT):
                found.text(where, Role.ASSISTANT, value)
        elif isinstance(value, dict):
            _read_parts(found, (*where, "message"), mapping(value.get("message")))


def _read_parts(found: Collector, path: Path, message: dict[str, object]) -> None:
    """The texts of a whole message."""
    role = _ROLES.get(string(mapping(message.get("author")).get("role")), Role.ASSISTANT)
    content = mapping(message.get("content"))
    found.text((*path, "content", "text"), role, content.get("text"))
    parts = content.get("parts")
    for index, part in enumerate(parts if isinstance(parts, list) else ()):
        found.prose((*path, "content", "parts", index), role, part)
