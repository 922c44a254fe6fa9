"""Reads Converse's content blocks: of a request's messages and system prompt, and of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import orjson

from agent.dialects.shapes import mapping, objects, string
from agent.errors import ContentError
from agent.model.conversation import CacheHint, Media, Part, Text, ToolCall, ToolResult
from agent.translation.bedrock_converse import thoughts
from agent.translation.bedrock_converse.media import BLOCKS, read_media
from agent.translation.fields import wrong
from agent.translation.moulds import new_text
from agent.translation.unread import Unread


@dataclass(slots=True, kw_only=True)
class BlockReader:
    """Reads lists of blocks. Remembers which tool each call was for: results do not tell. `lenient` leaves out what is
    no block, as in an answer, whose author cannot be told."""

    lenient: bool = False
    unread: Unread = field(default_factory=Unread)
    tools: dict[str, str] = field(default_factory=dict)

    def read(self, path: str, blocks: object) -> tuple[Part, ...]:
        """The parts in the list at `path`. A cache point marks the part before it. Raises ContentError."""
        if not isinstance(blocks, list):
            raise wrong(path, "an array of content blocks")
        parts: list[Part] = []
        for index, block in enumerate(blocks):
            if type(block) is dict and len(block) == 1 and type(text := block.get("text")) is str:
                parts.append(new_text(text))  # nearly every block is one
                continue
            at = f"{path}[{index}]"
            match mapping(block):
                case {"cachePoint": point, **others}:
                    self.unread.others(at, others, ())
                    self._mark(at, parts, point)
                case one if len(one) == 1:
                    [(kind, value)] = one.items()
                    parts += self._block(f"{at}.{kind}", kind, value)
                case _ if not self.lenient:
                    raise wrong(at, "a content block: an object with one field, named as its kind")
        return tuple(parts)

    def _mark(self, path: str, parts: list[Part], point: object) -> None:
        self.unread.others(f"{path}.cachePoint", mapping(point), ("type", "ttl"))
        match parts:
            case [*_, Text() | Media() | ToolCall() | ToolResult() as last]:
                parts[-1] = replace(last, cache=CacheHint(ttl=string(mapping(point).get("ttl"))))
            case _:  # nothing before it, or a thought, to which no other API can tie a hint
                self.unread.note(f"{path}.cachePoint")

    def _block(self, path: str, kind: str, value: object) -> tuple[Part, ...]:
        if kind == "text":
            if not isinstance(value, str) and not self.lenient:
                raise wrong(path, "a string")
            return (Text(text=string(value)),)
        if kind == "json":
            return (Text(text=orjson.dumps(value).decode()),)
        if not isinstance(value, dict) and not self.lenient:
            raise wrong(path, "an object")
        return self._content(path, kind, mapping(value))

    def _content(self, path: str, kind: str, content: Mapping[str, object]) -> tuple[Part, ...]:
        match kind:
            case _ if kind in BLOCKS:
                media = read_media(path, kind, content, self.unread)
                return () if media is None else (media,)
            case "toolUse":
                return self._call(path, content)
            case "toolResult":
                return self._result(path, content)
            case "reasoningContent":
                return self._thought(path, content)
            case "citationsContent":  # what it cites tells the model nothing new
                texts = [string(each.get("text")) for _, each in objects(content.get("content"))]
                return (Text(text="".join(texts)),)
            case _:  # guardContent, searchResult, toolAddition …
                self.unread.note(path)
                return ()

    def _call(self, path: str, content: Mapping[str, object]) -> tuple[Part, ...]:
        if content.get("type") == "server_tool_use":
            self.unread.note(f"{path}.type")
            return ()
        self.unread.others(path, content, ("toolUseId", "name", "input", "type"))
        call = ToolCall(
            id=string(content.get("toolUseId")),
            name=string(content.get("name")),
            arguments=orjson.dumps(content.get("input", {})).decode(),
        )
        self.tools[call.id] = call.name
        return (call,)

    def _result(self, path: str, content: Mapping[str, object]) -> tuple[Part, ...]:
        self.unread.others(path, content, ("toolUseId", "content", "status"))
        call = string(content.get("toolUseId"))
        inner = self.read(f"{path}.content", content.get("content") or [])
        parts = tuple(part for part in inner if isinstance(part, Text | Media))
        if len(parts) != len(inner):
            raise ContentError(f"{path}.content holds what no tool can answer")
        error = content.get("status") == "error"
        return (ToolResult(call_id=call, parts=parts, name=self.tools.get(call, ""), error=error),)

    def _thought(self, path: str, content: Mapping[str, object]) -> tuple[Part, ...]:
        self.unread.others(path, content, ("reasoningText", "redactedContent"))
        said = mapping(content.get("reasoningText"))
        self.unread.others(f"{path}.reasoningText", said, ("text", "signature"))
        return (thoughts.read(content),)
