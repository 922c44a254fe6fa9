"""Content blocks, read into parts, and parts that both requests and answers write as blocks."""

from __future__ import annotations

import hashlib

import orjson

from agent.dialects.shapes import mapping, string
from agent.model.conversation import CacheHint, Media, MediaKind, Part, Text, Thinking, ToolCall, ToolResult
from agent.translation.documents import json_text
from agent.translation.fields import Document, entry, wrong
from agent.translation.media import from_text, text_in, unbroken
from agent.translation.moulds import new_call, new_result, new_text

_MEDIA = {"image": MediaKind.IMAGE, "document": MediaKind.DOCUMENT}
_BROKEN = "unparsed_arguments"
_ID = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


class BlockReader:
    """Reads the blocks of one request. What the hub has no word for goes to `unread`."""

    __slots__ = ("_named", "unread")

    def __init__(self, unread: list[str]) -> None:
        self.unread = unread
        self._named: dict[str, str] = {}  # by call id, the tool

    def read(self, content: object, path: str) -> list[Part]:
        """The parts of a message's content, a string or blocks. Raises ContentError."""
        if type(content) is str:
            return [new_text(content)] if content else []
        if type(content) is not list:
            raise wrong(path, "a string or an array of blocks")
        parts: list[Part] = []
        for index in range(len(content)):
            block = entry(content, index, path)
            part = self._read_block(block, path, index)
            if part is not None:
                parts.append(part)
        return parts

    def _read_block(self, block: Document, path: str, index: int) -> Part | None:
        kind = block.get("type")
        match kind:
            case "text":
                if block.get("citations"):
                    self.unread.append(f"{path}[{index}].citations")
                text = string(block.get("text"))
                return new_text(text, read_cache(block)) if text else None
            case "tool_use":
                call = read_call(block)
                self._named[call.id] = call.name
                if len(block) > 4:
                    self._note_caller(block, f"{path}[{index}]")
                return call
            case "tool_result":
                return self._read_result(block, f"{path}[{index}].content")
            case "thinking" | "redacted_thinking":
                return read_thinking(block)
            case "image" | "document":
                return self._read_media(_MEDIA[kind], block, f"{path}[{index}]")
        self.unread.append(f"{path}[{index}].type={kind}")
        return None

    def _note_caller(self, block: Document, path: str) -> None:
        """Calls that come from code which ran at Anthropic, or go to a toolset of its own."""
        caller = mapping(block.get("caller")).get("type", "direct")
        if caller != "direct":
            self.unread.append(f"{path}.caller.type={caller}")
        if block.get("toolset_name"):
            self.unread.append(f"{path}.toolset_name")

    def _read_result(self, block: Document, path: str) -> ToolResult:
        call_id = string(block.get("tool_use_id"))
        name = self._named.get(call_id, "")
        content = block.get("content")
        cache = read_cache(block)
        if type(content) is str:
            parts: tuple[Part, ...] = (new_text(content),)
        else:
            parts = () if content is None else tuple(self.read(content, path))
        if block.get("is_error") is True:
            said = tuple(part for part in parts if isinstance(part, Text | Media))
            return ToolResult(call_id=call_id, parts=said, name=name, error=True, cache=cache)
        return new_result(call_id, parts, name, cache)

    def _read_media(self, kind: MediaKind, block: Document, path: str) -> Media | None:
        if block.get("context"):
            self.unread.append(f"{path}.context")
        if mapping(block.get("citations")).get("enabled"):
            self.unread.append(f"{path}.citations")
        source = mapping(block.get("source"))
        name = string(block.get("title"))
        cache = read_cache(block)
        match source.get("type"):
            case "base64":
                media_type = string(source.get("media_type"))
                data = unbroken(string(source.get("data")))
                return Media(kind=kind, media_type=media_type, data=data, name=name, cache=cache)
            case "url":
                return Media(kind=kind, url=string(source.get("url")), name=name, cache=cache)
            case "file":
                return Media(kind=kind, file_id=string(source.get("file_id")), name=name, cache=cache)
            case "text":
                return from_text(string(source.get("data")), name=name, cache=cache)
        self.unread.append(f"{path}.source.type={source.get('type')}")
        return None


def read_call(block: Document) -> ToolCall:
    """A call: its input is an object, written again as JSON text."""
    arguments = json_text(block.get("input") or {})
    return new_call(string(block.get("id")), string(block.get("name")), arguments, read_cache(block))


def read_thinking(block: Document) -> Thinking:
    """A thought. A seal that another API made stands behind the id of its item (see `write_seal`)."""
    if block.get("type") == "redacted_thinking":
        return read_seal(string(block.get("data")))
    return Thinking(text=string(block.get("thinking")), signature=string(block.get("signature")))


def read_cache(block: Document) -> CacheHint | None:
    """`cache_control`."""
    control = block.get("cache_control")
    return CacheHint(ttl=string(mapping(control).get("ttl"))) if control else None


def write_cache(cache: CacheHint) -> dict[str, object]:
    """`cache_control`."""
    return {"type": "ephemeral", "ttl": cache.ttl} if cache.ttl else {"type": "ephemeral"}


def write_call(call: ToolCall, call_id: str) -> dict[str, object]:
    """A `tool_use` block."""
    block: dict[str, object] = {
        "type": "tool_use",
        "id": call_id,
        "name": call.name,
        "input": write_input(call.arguments),
    }
    if call.cache is not None:
        block["cache_control"] = write_cache(call.cache)
    return block


def write_input(arguments: str) -> object:
    """A call's input, as the model wrote it. The API demands an object; what is none is kept in one, so that the model
    (or the tool) is told of it instead of the whole conversation coming to nothing."""
    if arguments == "{}":
        return {}
    try:
        if type(orjson.loads(arguments)) is dict:
            return orjson.Fragment(arguments)
    except orjson.JSONDecodeError:
        if not arguments or arguments.isspace():
            return {}
    return {_BROKEN: arguments}


def write_thinking(thought: Thinking) -> list[dict[str, object]]:
    """A thought with its signature; a seal has a block of its own."""
    blocks: list[dict[str, object]] = []
    if thought.text or thought.signature:
        blocks.append({"type": "thinking", "thinking": thought.text, "signature": thought.signature})
    if thought.sealed:
        blocks.append({"type": "redacted_thinking", "data": write_seal(thought.sealed, thought.id)})
    return blocks


def is_own(thought: Thinking) -> bool:
    """Whether this API signed or sealed the thought. OpenAI's have an id; what another provider signed is marked with
    its name and a colon, which no base64 has."""
    return bool(thought.signature or thought.sealed) and not thought.id and ":" not in thought.signature


def write_seal(sealed: str, item: str) -> str:
    """The data of a sealed thought. OpenAI's seals belong to an item; its id is put before the data, which is how a
    client of this format carries it back. Anthropic's own data (base64) has no colon."""
    return f"{item}:{sealed}" if item else sealed


def read_seal(data: str) -> Thinking:
    """The sealed thought in `data`."""
    item, colon, sealed = data.partition(":")
    return Thinking(sealed=sealed, id=item) if colon else Thinking(sealed=data)


def write_media(media: Media) -> dict[str, object] | None:
    """An `image` or `document` block, None where the API has no such."""
    source = _source(media)
    if source is None:
        return None
    block: dict[str, object] = {"type": media.kind.value, "source": source}
    if media.name and media.kind is MediaKind.DOCUMENT:
        block["title"] = media.name
    if media.cache is not None:
        block["cache_control"] = write_cache(media.cache)
    return block


def _source(media: Media) -> dict[str, object] | None:
    if media.kind is not MediaKind.IMAGE and media.kind is not MediaKind.DOCUMENT:
        return None
    if media.url:
        return {"type": "url", "url": media.url}
    if media.file_id:
        return {"type": "file", "file_id": media.file_id}
    if media.kind is MediaKind.IMAGE:
        known = media.media_type.startswith("image/")
        return {"type": "base64", "media_type": media.media_type, "data": media.data} if known else None
    if media.media_type in (
        "",
        "application/pdf",
    ):  # a document of no stated type: PDF is the only binary one
        return {"type": "base64", "media_type": "application/pdf", "data": media.data}
    text = text_in(media)
    return None if text is None else {"type": "text", "media_type": "text/plain", "data": text}


def lawful_id(call_id: str) -> str:
    """An id that the API takes (`^[a-zA-Z0-9_-]+$`). One that it does not is changed the same way wherever it stands,
    and differs from what other ids become."""
    if call_id.isascii() and call_id.replace("_", "").replace("-", "").isalnum():
        return call_id
    kept = "".join(letter if letter in _ID else "_" for letter in call_id)
    return f"{kept}_{hashlib.sha256(call_id.encode('utf-8', 'replace')).hexdigest()[:10]}"
