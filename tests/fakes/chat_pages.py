"""Web chats as their pages see them: answers as the services send them, and readers that hold what a page would show.

Written from what public clients of the pages do, not with the dialects under test.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.streams import read_sse

type Json = dict[str, object]


def event(document: object, name: str = "") -> bytes:
    """One server-sent event."""
    head = f"event: {name}\n" if name else ""
    data = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
    return f"{head}data: {data}\n\n".encode()


def message(text: str = "", *, role: str = "assistant", status: str = "in_progress", **more: object) -> Json:
    """A document with a ChatGPT message."""
    return {
        "message": {
            "id": "m-1",
            "author": {"role": role, "name": None, "metadata": {}},
            "content": {"content_type": "text", "parts": [text]},
            "status": status,
            "end_turn": None,
            "metadata": {"model_slug": "gpt-5"},
            "recipient": "all",
            **more,
        },
        "conversation_id": "conv-1",
        "error": None,
    }


def deltas(pieces: Iterable[str]) -> list[bytes]:
    """A ChatGPT answer in the delta encoding."""
    events = [
        event('"v1"', "delta_encoding"),
        event({"p": "", "o": "add", "v": message("You are helpful.", role="system"), "c": 0}, "delta"),
        event({"v": message(), "c": 1}, "delta"),
        event({"type": "message_marker", "conversation_id": "conv-1", "marker": "user_visible_token"}),
    ]
    first = True
    for piece in pieces:
        change: Json = {"p": "/message/content/parts/0", "o": "append"} if first else {}
        events.append(event({**change, "v": piece}, "delta"))
        first = False
    end = [
        {"p": "/message/status", "o": "replace", "v": "finished_successfully"},
        {"p": "/message/end_turn", "o": "replace", "v": True},
        {"p": "/message/metadata", "o": "append", "v": {"is_complete": True}},
    ]
    return [
        *events,
        event({"p": "", "o": "patch", "v": end}, "delta"),
        event({"type": "message_stream_complete", "conversation_id": "conv-1"}),
        event("[DONE]"),
    ]


def snapshots(pieces: Iterable[str]) -> list[bytes]:
    """A ChatGPT answer as the older page got it: each event says all of the text so far."""
    text = ""
    events = [event(message("a question", role="user", id="m-0")), event(message())]
    for piece in pieces:
        text += piece
        events.append(event(message(text)))
    return [*events, event(message(text, status="finished_successfully")), event("[DONE]")]


@dataclass
class ChatGPTPage:
    """Reads a ChatGPT stream; holds every text that was to be seen at any time, and how it ended."""

    seen: list[str] = field(default_factory=list)
    messages: dict[str, Json] = field(default_factory=dict)
    done: bool = False

    def read(self, stream: bytes) -> ChatGPTPage:
        """The page after that stream."""
        documents: dict[object, Json] = {}
        number: object = 0
        pointer = operation = ""
        for name, data in read_sse(stream):
            if data == "[DONE]":
                self.done = True
                continue
            change = json.loads(data)
            if not isinstance(change, dict) or "type" in change:
                continue
            if name == "delta":
                number = change.get("c", number)
                pointer = change.get("p", pointer)
                operation = change.get("o", operation)
                root = {"": documents.get(number, {})}
                _change(root, pointer, operation, change["v"])
                documents[number] = root[""]
                self._show(documents[number])
            elif "message" in change:
                self._show(change)
        return self

    def _show(self, document: Json) -> None:
        shown = document.get("message")
        if isinstance(shown, dict) and shown["author"]["role"] in ("assistant", "tool"):
            self.messages[shown["id"]] = copy.deepcopy(shown)
            self.seen.append(_text(shown))

    @property
    def text(self) -> str:
        """All messages, as they stand in the end."""
        return "\n".join(_text(each) for each in self.messages.values())


def _text(shown: Json) -> str:
    content = shown["content"]
    assert isinstance(content, dict)
    parts = content.get("parts") or [content.get("text", "")]
    return "".join(part for part in parts if isinstance(part, str))


def _change(root: Json, pointer: str, operation: str, value: Any) -> None:
    """One change as the page makes it. The document is at `root[""]`."""
    if operation == "patch":
        assert isinstance(value, list)
        for one in value:
            pointer, operation = one.get("p", pointer), one.get("o", operation)
            _change(root, pointer, operation, one["v"])
        return
    holder: Any = root
    key: Any = ""
    for step in pointer.split("/")[1:]:
        holder = holder[key]
        key = int(step) if isinstance(holder, list) else step
    if isinstance(holder, list):
        key = int(key)
    match operation:
        case "add" | "replace":
            holder[key] = value
        case "append":
            before = holder[key]
            holder[key] = {**before, **value} if isinstance(before, dict) else before + value
        case "truncate":
            units = holder[key].encode("utf-16-le")[: 2 * value]
            holder[key] = units.decode("utf-16-le", "replace")
        case "remove":
            del holder[key]
        case _:
            raise AssertionError(operation)


def frame(document: object) -> str:
    """A chunk of Google's framing: the length counts UTF-16 units from the number's end to the line's end."""
    text = "\n" + json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"
    return f"{len(text.encode('utf-16-le')) // 2}{text}"


def gemini_answer(text: str, *, ids: tuple[str, str] = ("c_1", "r_1")) -> list[object]:
    """What Gemini's page is told of an answer so far."""
    inner = [None, list(ids), None, None, [["rc_1", [text], None, None, None, None, True]]]
    return ["wrb.fr", None, json.dumps(inner, ensure_ascii=False, separators=(",", ":"))]


def gemini(pieces: Iterable[str]) -> list[bytes]:
    """An answer of Gemini's page: snapshots in length-prefixed chunks."""
    text = ""
    events = [")]}'\n\n" + frame([["wrb.fr", None, '[null,["c_1","r_1"],null,null,null]']])]
    for piece in pieces:
        text += piece
        events.append(frame([gemini_answer(text)]))
    events.append(frame([["di", 157], ["af.httprm", 156, "-42", 24]]) + frame([["e", 4, None, None, 131]]))
    return [each.encode() for each in events]


@dataclass
class GeminiPage:
    """Reads an answer of Gemini's page by the lengths it states."""

    seen: list[str] = field(default_factory=list)
    done: bool = False

    def read(self, body: bytes) -> GeminiPage:
        """The page after that body."""
        text = body.decode()
        assert text.startswith(")]}'")
        units = text[4:].encode("utf-16-le")
        while units := units.decode("utf-16-le").lstrip().encode("utf-16-le"):
            head = units[:40].decode("utf-16-le", "ignore")
            number = re.match(r"\d+", head)
            assert number, head
            start = 2 * len(number[0])
            end = start + 2 * int(number[0])
            chunk = units[start:end].decode("utf-16-le")
            assert chunk.startswith("\n")
            assert chunk.endswith("\n")
            self._take(json.loads(chunk))
            units = units[end:]
        return self

    def _take(self, parts: list[list[object]]) -> None:
        for part in parts:
            if part[0] == "e":
                self.done = True
            elif part[0] == "wrb.fr" and isinstance(part[2], str):
                inner = json.loads(part[2])
                if len(inner) > 4 and inner[4]:
                    self.seen.append(inner[4][0][1][0])

    @property
    def text(self) -> str:
        """What stands there in the end."""
        return self.seen[-1] if self.seen else ""
