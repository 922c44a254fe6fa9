"""Chat messages, read into turns.

What a message holds beyond the hub is named in `unread`. Ids that a client left out (Ollama's calls, the old
`function_call`) are made from the call's place, the same for the call and its result.
"""

from __future__ import annotations

from agent.dialects.shapes import mapping, objects, string
from agent.errors import ContentError
from agent.model.conversation import (
    CacheHint,
    Media,
    MediaKind,
    Part,
    Speaker,
    Text,
    Thinking,
    ToolCall,
    Turn,
)
from agent.translation.documents import json_text
from agent.translation.fields import Document, entry, wrong
from agent.translation.media import from_url, unbroken
from agent.translation.moulds import new_call, new_result, new_text, new_turn
from agent.translation.openai_chat.thoughts import WORDS, read_thoughts

_SAID = frozenset({"role", "content", "cache_control"})
_ANSWERED = frozenset({"role", "content", "tool_call_id", "name", "cache_control"})
_MADE = frozenset(
    {
        "role",
        "content",
        "cache_control",
        "refusal",
        "tool_calls",
        "function_call",
        "reasoning_details",
        *WORDS,
    }
    # of an answer that is sent back as it came: notes on its text, and LiteLLM's on whatever it does not know
    | {"annotations", "provider_specific_fields"}
)
_PLAIN = frozenset({"role", "content", "tool_calls"})
_AUDIO = {"mp3": "audio/mpeg"}


class MessageReader:
    """Reads the messages of one request, in their order."""

    __slots__ = ("_answered", "_last", "_named", "_results", "turns", "unread")

    def __init__(self, unread: list[str]) -> None:
        self.unread = unread
        self.turns: list[Turn] = []
        self._results: list[Part] = []  # of tool messages that follow one another
        self._named: dict[str, str] = {}  # by call id, the tool
        self._last: list[ToolCall] = []  # the calls made last
        self._answered: set[str] = set()  # calls with a result

    def read(self, messages: list[object]) -> tuple[Turn, ...]:
        """The turns of all messages. Raises ContentError."""
        for index, message in enumerate(messages):
            if type(message) is not dict:
                raise wrong(f"messages[{index}]", "an object")
            role = message.get("role")
            if role == "tool":
                self._read_result(index, message)
                continue
            if self._results and role != "function":
                self._close_results()
            if role == "assistant":
                self._read_made(index, message)
            elif role == "function":
                self._read_result(index, message)
            else:
                self._read_said(index, role, message)
        if self._results:
            self._close_results()
        return tuple(self.turns)

    def _close_results(self) -> None:
        self.turns.append(new_turn(Speaker.USER, tuple(self._results)))
        self._results = []

    def _read_said(self, index: int, role: object, message: Document) -> None:
        if role == "user":
            speaker = Speaker.USER
        elif role == "system" or role == "developer":
            speaker = Speaker.SYSTEM
        else:
            known = "system, developer, user, assistant or tool"
            raise wrong(f"messages[{index}].role", known)
        if not message.keys() <= _SAID:
            self._note(index, message, _SAID)
        parts = self._read_content(index, message)
        if parts:
            self.turns.append(new_turn(speaker, tuple(parts)))

    def _read_made(self, index: int, message: Document) -> None:
        calls = message.get("tool_calls")
        if message.keys() <= _PLAIN:  # as most are
            content = message.get("content")
            if type(content) is str:
                parts: list[Part] = [new_text(content)] if content else []
            else:
                parts = self._read_content(index, message)
        else:
            parts = self._read_thoughtful(index, message)
            calls = calls or message.get("function_call")
        if calls:
            self._read_calls(index, message, parts)
        if parts:
            self.turns.append(new_turn(Speaker.ASSISTANT, tuple(parts)))

    def _read_thoughtful(self, index: int, message: Document) -> list[Part]:
        if not message.keys() <= _MADE:
            self._note(index, message, _MADE)
        parts: list[Part] = [*read_thoughts(message)]
        parts += self._read_content(index, message)
        if refusal := string(message.get("refusal")):
            parts.append(Text(text=refusal, refusal=True))
        return parts

    def _read_calls(self, index: int, message: Document, parts: list[Part]) -> None:
        self._last = calls = read_calls(message, "call", index)
        for call in calls:
            self._named[call.id] = call.name
        parts += calls
        listed = message.get("tool_calls")
        if type(listed) is list and len(listed) > len(calls):
            self.unread += [
                f"messages[{index}].tool_calls[{place}].type={call.get('type')}"
                for place, call in objects(listed)
                if "function" not in call
            ]

    def _read_result(self, index: int, message: Document) -> None:
        call_id = message.get("tool_call_id")
        if type(call_id) is not str or not call_id:
            call_id = self._unanswered(index, string(message.get("name")))
        self._answered.add(call_id)
        name = self._named.get(call_id, "")
        cache = None
        if len(message) > 3:  # role, content, tool_call_id
            name = string(message.get("name")) or name
            cache = read_cache(message)
            if not message.keys() <= _ANSWERED:
                self._note(index, message, _ANSWERED)
        content = message.get("content")
        if type(content) is str:
            parts: tuple[Part, ...] = (new_text(content),)
        else:
            parts = tuple(self._read_content(index, message, hinted=False))
        self._results.append(new_result(call_id, parts, name, cache))

    def _unanswered(self, index: int, name: str) -> str:
        """The id of the first of the last calls without a result, of that tool where it is named."""
        for call in self._last:
            if call.id not in self._answered and (not name or call.name == name):
                return call.id
        raise ContentError(
            f"`messages[{index}]` answers no call", hint="Name the call in `tool_call_id`, after the call."
        )

    def _read_content(self, index: int, message: Document, *, hinted: bool = True) -> list[Part]:
        content = message.get("content")
        if type(content) is str:
            cache = read_cache(message) if hinted and len(message) > 2 else None
            return [new_text(content, cache)] if content else []
        if content is None:
            return []
        if type(content) is not list:
            raise wrong(f"messages[{index}].content", "a string or an array")
        parts: list[Part] = []
        for place in range(len(content)):
            if type(content[place]) is str:
                parts.append(new_text(content[place]))
                continue
            part = read_part(entry(content, place, f"messages[{index}].content"))
            if isinstance(part, str):
                self.unread.append(f"messages[{index}].content[{place}].{part}")
            elif part is not None:
                parts.append(part)
        return parts

    def _note(self, index: int, message: Document, known: frozenset[str]) -> None:
        self.unread += [
            f"messages[{index}].{name}" for name, value in message.items() if name not in known and value
        ]


def read_calls(message: Document, prefix: str, number: int) -> list[ToolCall]:
    """The calls of a message. Ids that are missing are made of `prefix`, `number` and the call's place."""
    listed = message.get("tool_calls")
    calls: list[ToolCall] = []
    if type(listed) is list:
        for call in listed:
            if type(call) is dict:
                function = call.get("function")
                if type(function) is dict:
                    call_id = call.get("id") or f"{prefix}_{number}_{len(calls)}"
                    calls.append(_read_call(call, function, call_id))
    old = message.get("function_call")
    if type(old) is dict:
        calls.append(_read_call({}, old, f"{prefix}_{number}_{len(calls)}"))
    return calls


def _read_call(call: Document, function: Document, call_id: object) -> ToolCall:
    arguments = function.get("arguments")
    if type(arguments) is not str:
        arguments = arguments_text(arguments)
    name = function.get("name")
    if type(name) is not str or type(call_id) is not str:
        name, call_id = string(name), string(call_id)
    if len(call) <= 3:  # id, type, function
        return new_call(call_id, name, arguments or "{}")
    return ToolCall(
        id=call_id,
        name=name,
        arguments=arguments or "{}",
        signature=call_signature(call),
        cache=read_cache(call),
    )


def arguments_text(value: object) -> str:
    """The arguments' JSON text; some servers send the object itself."""
    if type(value) is str:
        return value
    return json_text(value) if type(value) is dict else ""


def call_signature(call: Document) -> str:
    """The signature that Gemini's endpoint puts on calls and wants back."""
    extra = call.get("extra_content")
    return string(mapping(mapping(extra).get("google")).get("thought_signature")) if extra else ""


def read_cache(holder: Document) -> CacheHint | None:
    """Anthropic's `cache_control` as OpenRouter and LiteLLM take it on parts, messages and tools; OpenAI's own
    `prompt_cache_breakpoint` means the same (its `ttl` has other steps and is left to the provider)."""
    control = holder.get("cache_control")
    if control is None:
        return CacheHint() if holder.get("prompt_cache_breakpoint") else None
    return CacheHint(ttl=string(mapping(control).get("ttl"))) if control else None


def read_part(part: Document) -> Text | Media | Thinking | str | None:
    """One part of a content array; the rest of its path where the hub has no such."""
    kind = part.get("type")
    cache = read_cache(part)
    match kind:
        case "text":
            text = string(part.get("text"))
            return new_text(text, cache) if text else None
        case "refusal":
            return Text(text=string(part.get("refusal")), refusal=True)
        case "image_url":
            image = part.get("image_url")
            image = {"url": image} if isinstance(image, str) else mapping(image)
            detail = string(image.get("detail"))
            return _linked(MediaKind.IMAGE, "image_url.url", image.get("url"), detail=detail, cache=cache)
        case "video_url":  # of vLLM, OpenRouter and Qwen
            url = mapping(part.get("video_url")).get("url")
            return _linked(MediaKind.VIDEO, "video_url.url", url, cache=cache)
        case "input_audio":
            return _read_audio(mapping(part.get("input_audio")), cache)
        case "file":
            return _read_file(mapping(part.get("file")), cache)
        case "thinking":  # of Mistral: the words stand in parts of their own
            return Thinking(text=_texts_in(part.get("thinking")))
    return f"type={kind}"


def _linked(
    kind: MediaKind, field: str, url: object, *, detail: str = "", cache: CacheHint | None = None
) -> Media:
    if not isinstance(url, str) or not url:
        raise wrong(field, "a URL")
    return from_url(kind, url, detail=detail, cache=cache)


def _read_audio(audio: Document, cache: CacheHint | None) -> Media:
    form = string(audio.get("format"))
    data = string(audio.get("data"))
    if data.startswith("data:"):
        return from_url(MediaKind.AUDIO, data, cache=cache)
    media_type = _AUDIO.get(form, f"audio/{form}" if form else "")
    return Media(kind=MediaKind.AUDIO, media_type=media_type, data=unbroken(data), cache=cache)


def _read_file(file: Document, cache: CacheHint | None) -> Media | str:
    name = string(file.get("filename"))
    data = string(file.get("file_data"))
    file_id = string(file.get("file_id"))
    if file_id:
        return Media(kind=MediaKind.DOCUMENT, file_id=file_id, name=name, cache=cache)
    if data.startswith(("data:", "https:", "http:")):
        return from_url(MediaKind.DOCUMENT, data, name=name, cache=cache)
    if not data:
        return "file"
    media_type = "application/pdf" if name.lower().endswith(".pdf") else ""
    return Media(kind=MediaKind.DOCUMENT, media_type=media_type, data=unbroken(data), name=name, cache=cache)


def _texts_in(parts: object) -> str:
    if isinstance(parts, str):
        return parts
    return "".join(string(part.get("text")) for _, part in objects(parts))
