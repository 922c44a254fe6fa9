"""Turns, written as chat messages.

Results of tools become `tool` messages, which must follow the calls at once: they come before the other parts of their
turn. Their images and documents, which a `tool` message cannot hold, follow in a user message.
"""

from __future__ import annotations

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
from agent.translation.base import Losses, Quirks
from agent.translation.media import data_url
from agent.translation.openai_chat.thoughts import write_thoughts

_FORMATS = {"audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/x-wav": "wav", "audio/wave": "wav"}
_ATTACHED = "(see the attachment in the next message)"


class MessageWriter:
    """Writes the messages of one request."""

    __slots__ = ("_accepts", "_index", "_joins", "_losses", "_messages", "_system", "_turn")

    def __init__(self, losses: Losses, quirks: Quirks) -> None:
        self._losses = losses
        self._accepts = quirks.accepts
        self._joins = "content.parts" in quirks.unsupported  # a server that knows strings only
        self._system = quirks.system_role or "system"  # OpenAI reads it as `developer`; others know no other
        self._messages: list[dict[str, object]] = []
        self._index = 0
        self._turn: tuple[Part, ...] = ()

    def write(self, turns: tuple[Turn, ...]) -> list[dict[str, object]]:
        """The messages of all turns."""
        for index, turn in enumerate(turns):
            self._index = index
            self._turn = parts = turn.parts
            if turn.speaker is Speaker.ASSISTANT:
                self._write_made(parts)
            elif turn.speaker is Speaker.SYSTEM:
                self._say(self._system, parts)
            elif any(type(part) is ToolResult for part in parts):
                self._write_results(parts)
            else:
                self._say("user", parts)
        return self._messages

    def _say(self, role: str, parts: tuple[Part, ...] | list[Part]) -> None:
        if content := self._content(parts):
            self._messages.append({"role": role, "content": content})

    def _write_results(self, parts: tuple[Part, ...]) -> None:
        attached: list[Part] = []
        rest: list[Part] = []
        for part in parts:
            if type(part) is ToolResult:
                self._write_result(part, attached)
            else:
                rest.append(part)
        if attached or rest:
            self._say("user", attached + rest)

    def _write_result(self, result: ToolResult, attached: list[Part]) -> None:
        """`attached` takes what is no text."""
        texts = [part for part in result.parts if type(part) is Text]
        said = [text.text for text in texts]
        if len(texts) < len(result.parts):
            attached += [part for part in result.parts if type(part) is not Text]
            said = said or [_ATTACHED]
        if result.error:
            said = _marked(said)
        message: dict[str, object] = {
            "role": "tool",
            "tool_call_id": result.call_id,
            "content": said[0] if len(said) == 1 else self._texts(said),
        }
        if "cache_control" in self._accepts:
            cache = result.cache or next((text.cache for text in texts if text.cache), None)
            if cache is not None:
                message["cache_control"] = write_cache(cache)
        self._messages.append(message)

    def _write_made(self, parts: tuple[Part, ...]) -> None:
        """The assistant's turn: its words, and its calls after them, wherever they stood."""
        said: list[Part] = []
        thoughts: list[Thinking] = []
        calls: list[dict[str, object]] = []
        refusal = ""
        for part in parts:
            kind = type(part)
            if kind is ToolCall:
                calls.append(self._write_call(part))  # type: ignore[arg-type]
            elif kind is Thinking:
                thoughts.append(part)  # type: ignore[arg-type]
            elif kind is Text and part.refusal:  # type: ignore[union-attr]
                refusal += part.text  # type: ignore[union-attr]
            else:
                said.append(part)
        content = self._content(said, media=False)
        message: dict[str, object] = {"role": "assistant", "content": content or None}
        if refusal:
            message["refusal"] = refusal
        if calls:
            message["tool_calls"] = calls
        if thoughts and (self._accepts & _THOUGHTS):
            words = "reasoning_content" in self._accepts
            details = "reasoning_details" in self._accepts
            message |= write_thoughts(thoughts, words=words, details=details)
        if content or calls or refusal:  # a turn of thoughts alone says nothing to others
            self._messages.append(message)

    def _write_call(self, call: ToolCall) -> dict[str, object]:
        written = write_call(call)
        if call.signature and "extra_content" in self._accepts:
            written["extra_content"] = write_signature(call.signature)
        if call.cache is not None and "cache_control" in self._accepts:
            written["cache_control"] = write_cache(call.cache)
        return written

    def _content(self, parts: tuple[Part, ...] | list[Part], *, media: bool = True) -> object:
        """A string where one text is all there is: some servers know nothing else."""
        if len(parts) == 1:
            (part,) = parts
            if type(part) is Text and (part.cache is None or "cache_control" not in self._accepts):
                return part.text
        content: list[dict[str, object]] = []
        for part in parts:
            written = self._part(part, media=media)
            if written is None:
                self._losses.lose(self._path_of(part))
                continue
            cache = part.cache if isinstance(part, Text | Media) else None
            if cache is not None and "cache_control" in self._accepts:
                written["cache_control"] = write_cache(cache)
            content.append(written)
        if self._joins and all(part["type"] == "text" for part in content):
            return self._texts([str(part["text"]) for part in content])
        return content

    def _texts(self, texts: list[str]) -> object:
        if self._joins or not texts:
            return "\n\n".join(texts)
        return [{"type": "text", "text": text} for text in texts]

    def _path_of(self, part: Part) -> str:
        for index, other in enumerate(self._turn):
            if other is part:
                return f"turns[{self._index}].parts[{index}]"
            if type(other) is ToolResult:
                for place, inner in enumerate(other.parts):
                    if inner is part:
                        return f"turns[{self._index}].parts[{index}].parts[{place}]"
        return f"turns[{self._index}]"

    def _part(self, part: Part, *, media: bool) -> dict[str, object] | None:
        match part:
            case Text():
                return {"type": "text", "text": part.text}
            case Media() if media:
                return self._media(part)
        return None

    def _media(self, part: Media) -> dict[str, object] | None:
        match part.kind:
            case MediaKind.IMAGE if part.url or part.data:
                return write_image(part)
            case MediaKind.AUDIO if part.data:
                subtype = part.media_type.partition("/")[2] or "wav"
                form = _FORMATS.get(part.media_type, subtype)
                return {"type": "input_audio", "input_audio": {"data": part.data, "format": form}}
            case MediaKind.DOCUMENT if part.file_id:
                return {"type": "file", "file": {"file_id": part.file_id}}
            case MediaKind.DOCUMENT if part.data or "file_url" in self._accepts:
                name = part.name or ("document.pdf" if part.media_type == "application/pdf" else "document")
                data = data_url(part) if part.data else part.url
                return {"type": "file", "file": {"filename": name, "file_data": data}}
            case MediaKind.VIDEO if "video_url" in self._accepts and (part.url or part.data):
                return {"type": "video_url", "video_url": {"url": part.url or data_url(part)}}
        return None


_THOUGHTS = frozenset({"reasoning_content", "reasoning_details"})


def _marked(said: list[str]) -> list[str]:
    """What a tool said when it failed. The format has no flag for it, and a model that is not told takes the failure
    for a result."""
    if said and said[0].lower().startswith("error"):
        return said
    return [f"Error: {said[0]}", *said[1:]] if said else ["Error"]


def write_image(image: Media) -> dict[str, object]:
    """An image part."""
    inner: dict[str, object] = {"url": image.url or data_url(image)}
    if image.detail:
        inner["detail"] = image.detail
    return {"type": "image_url", "image_url": inner}


def write_call(call: ToolCall) -> dict[str, object]:
    """A call, without its signature."""
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    }


def write_signature(signature: str) -> dict[str, object]:
    """A call's `extra_content`, in which Gemini's endpoint carries its signature."""
    return {"google": {"thought_signature": signature}}


def write_cache(cache: CacheHint) -> dict[str, object]:
    """Anthropic's `cache_control`."""
    return {"type": "ephemeral", "ttl": cache.ttl} if cache.ttl else {"type": "ephemeral"}
