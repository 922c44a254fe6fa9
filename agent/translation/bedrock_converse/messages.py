"""Writes turns as Converse's system prompt and messages.

Its rules, which other formats do not have: roles alternate, no text is blank, tool results come first in their
message, a document is never alone, ids and names hold few signs. Source: the API reference, "Message", and the
service model's patterns.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256

import orjson

from agent.model.conversation import (
    CacheHint,
    Media,
    MediaKind,
    Part,
    Speaker,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Turn,
)
from agent.translation.base import Losses
from agent.translation.bedrock_converse.media import MediaWriter
from agent.translation.bedrock_converse.thoughts import returned

type Block = dict[str, object]

_WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
_ID = _WORD | frozenset(".:")
_LONGEST = 64
_TTLS = frozenset(("5m", "1h"))


def is_name(name: str) -> bool:
    """Whether a tool can have this name."""
    return 0 < len(name) <= _LONGEST and _WORD.issuperset(name)


def fit_name(name: str) -> str:
    """The tool's name in the history: that of no tool which can be called now, so only its look counts."""
    return _fit(name, _WORD)


def fit_id(call_id: str) -> str:
    """The id as Converse takes it: the same for the same, in a call and in its result."""
    return _fit(call_id, _ID)


def _fit(text: str, signs: frozenset[str]) -> str:
    if 0 < len(text) <= _LONGEST and signs.issuperset(text):
        return text
    mark = sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
    plain = "".join(sign if sign in signs else "_" for sign in text)
    return f"{plain[: _LONGEST - len(mark) - 1]}_{mark}"


@dataclass(slots=True)
class _Message:
    """One message while it grows. Results go first, wherever they stood in the turn."""

    role: str
    results: list[Block] = field(default_factory=list)
    others: list[Block] = field(default_factory=list)

    def written(self) -> Block:
        documents = [block["document"] for block in self.others if "document" in block]
        if documents and not any("text" in block for block in self.others):
            document = documents[0]
            assert isinstance(document, dict)
            self.others.insert(0, {"text": document["name"]})  # a document alone is refused
        return {"role": self.role, "content": self.results + self.others}


class MessageWriter:
    """Writes the turns of one request. `hints` says whether the model may be told what to cache."""

    def __init__(self, losses: Losses, *, hints: bool = True) -> None:
        self._losses = losses
        self._hints = hints
        self._media = MediaWriter()
        self._messages: list[_Message] = []
        self.system: list[Block] = []
        self.called: dict[str, None] = {}  # the tools that the history names, in order

    def write(self, turns: Iterable[Turn]) -> list[Block]:
        """The messages; the words of the system, wherever they stood, are in `system`."""
        for index, turn in enumerate(turns):
            for number, part in enumerate(turn.parts):
                self._part(f"turns[{index}].parts[{number}]", turn.speaker, part)
        return [message.written() for message in self._messages]

    def point(self, cache: CacheHint | None) -> list[Block]:
        """The cache point that stands for a hint, or nothing."""
        if cache is None or not self._hints:
            return []
        point: Block = {"type": "default"}
        if cache.ttl in _TTLS:
            point["ttl"] = cache.ttl
        return [{"cachePoint": point}]

    def _part(self, path: str, speaker: Speaker, part: Part) -> None:
        match part:
            case Text():
                self._text(speaker, part)
            case Media() if speaker is Speaker.USER and (block := self._media.write(part)):
                self._message(speaker).others += [block, *self.point(part.cache)]
            case Thinking() if speaker is Speaker.ASSISTANT:
                if block := returned(part):
                    self._message(speaker).others.append(block)
            case ToolCall() if speaker is Speaker.ASSISTANT:
                call = self._call(path, part)
                self._message(speaker).others += [call, *self.point(part.cache)]
            case ToolResult() if speaker is Speaker.USER:
                result = self._result(path, part)
                self._message(speaker).results += [result, *self.point(part.cache)]
            case _:
                self._losses.lose(path)

    def _text(self, speaker: Speaker, part: Text) -> None:
        """Blank texts are refused and say nothing; the hint of one belongs to what stands before it."""
        into = self.system if speaker is Speaker.SYSTEM else None
        if part.text.strip():
            into = self._message(speaker).others if into is None else into
            into.append({"text": part.text})
        elif into is None and self._messages and self._messages[-1].role == speaker:
            into = self._messages[-1].others
        if into and "cachePoint" not in into[-1]:
            into += self.point(part.cache)

    def _message(self, speaker: Speaker) -> _Message:
        """The message that is being written, or a new one where another speaks."""
        if not self._messages or self._messages[-1].role != speaker:
            self._messages.append(_Message(speaker.value))
        return self._messages[-1]

    def _call(self, path: str, call: ToolCall) -> Block:
        self.called.setdefault(fit_name(call.name))
        arguments = json_object_in(call.arguments)
        if arguments is None:
            self._losses.lose(f"{path}.arguments")
        return {
            "toolUse": {
                "toolUseId": fit_id(call.id),
                "name": fit_name(call.name),
                "input": arguments or {},
            }
        }

    def _result(self, path: str, result: ToolResult) -> Block:
        content: list[Block] = []
        for number, part in enumerate(result.parts):
            if isinstance(part, Text):
                if part.text.strip():
                    content.append({"text": part.text})
                continue
            block = None if part.kind is MediaKind.AUDIO else self._media.write(part)
            if block is None:
                self._losses.lose(f"{path}.parts[{number}]")
            else:
                content.append(block)
        written: Block = {"toolUseId": fit_id(result.call_id), "content": content}
        if result.error:
            written["status"] = "error"
        return {"toolResult": written}


def json_object_in(arguments: str) -> dict[str, object] | None:
    """The JSON object that a call's arguments are, an empty one where there are none; None where they are no object."""
    if not arguments.strip():
        return {}
    try:
        value = orjson.loads(arguments)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None
