"""Requests, read. What is known is read by field; what is not is named in `Conversation.unread`."""

from __future__ import annotations

from agent.dialects.shapes import mapping, string
from agent.errors import ContentError
from agent.model.conversation import (
    CacheHint,
    Conversation,
    Effort,
    Json,
    Media,
    MediaKind,
    OutputFormat,
    OutputKind,
    Part,
    Reasoning,
    Sampling,
    Speaker,
    Text,
    Tool,
    ToolChoice,
    ToolResult,
    ToolUse,
    Turn,
)
from agent.translation import expected, media
from agent.translation.documents import read_document
from agent.translation.moulds import new_result, new_text, new_turn
from agent.translation.openai_responses import items
from agent.translation.openai_responses.items import CallSigned

_READ = frozenset(
    (
        "include",
        "input",
        "instructions",
        "max_output_tokens",
        "model",
        "parallel_tool_calls",
        "reasoning",
        "safety_identifier",
        "stream",
        "temperature",
        "text",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
    )
)
_HINTS = frozenset(  # how the provider caches and pads: they change no answer
    ("prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "stream_options")
)
_DEFAULTS: dict[str, tuple[object, ...]] = {  # values that ask for nothing
    "background": (False,),
    "metadata": ({},),
    "service_tier": ("auto", "default"),
    "store": (False,),
    "truncation": ("disabled",),
}
_REASONING_DEFAULTS: dict[str, tuple[object, ...]] = {"context": ("auto",), "mode": ("standard",)}
_TOOL_FIELDS = frozenset(("type", "name", "description", "parameters", "strict"))
_ITEM_FIELDS = {  # by type; ids, states and phases of earlier items say nothing about the next turn
    "message": frozenset(("type", "role", "content", "id", "status", "phase")),
    "function_call": frozenset(("type", "id", "call_id", "name", "arguments", "status")),
    "function_call_output": frozenset(("type", "id", "call_id", "name", "output", "status")),
    "reasoning": frozenset(("type", "id", "summary", "content", "encrypted_content", "status")),
}
_PART_FIELDS = frozenset(
    (
        "type",
        "annotations",  # of an earlier answer
        "detail",
        "file_data",
        "file_id",
        "file_url",
        "filename",
        "image_url",
        "input_audio",
        "logprobs",
        "prompt_cache_breakpoint",
        "refusal",
        "text",
    )
)
_FORMAT_FIELDS = frozenset(("type", "name", "description", "schema", "strict"))
_CHOICE_FIELDS = frozenset(("type", "name"))
_SPEAKERS = {
    "user": Speaker.USER,
    "assistant": Speaker.ASSISTANT,
    "system": Speaker.SYSTEM,
    "developer": Speaker.SYSTEM,
}
_EFFORTS = {effort.value: effort for effort in Effort} | {"max": Effort.XHIGH}  # the hub's hardest


def read(body: bytes) -> Conversation:
    """The conversation in `body`. Raises ContentError with the field where it breaks the format's promise."""
    document = read_document(body)
    unread = [
        key
        for key, value in document.items()
        if value is not None
        and key not in _READ
        and key not in _HINTS
        and value not in _DEFAULTS.get(key, ())
    ]
    thread = _Input(unread)
    if instructions := expected.text(document.get("instructions"), "instructions"):
        thread.turns.append(Turn(speaker=Speaker.SYSTEM, parts=(Text(text=instructions),)))
    thread.read(document.get("input"))
    return Conversation(
        model=expected.text(document.get("model"), "model"),
        turns=thread.finish(),
        tools=_tools(document.get("tools"), unread),
        tool_choice=_tool_choice(document, unread),
        sampling=_sampling(document),
        reasoning=_reasoning(expected.fields(document.get("reasoning"), "reasoning"), unread),
        output=_output(expected.fields(document.get("text"), "text"), unread),
        stream=bool(expected.flag(document.get("stream"), "stream")),
        user=expected.text(document.get("safety_identifier"), "safety_identifier")
        or expected.text(document.get("user"), "user"),
        unread=tuple(unread),
    )


class _Input:
    """Puts items together into turns: those of one speaker that follow each other are one turn, but two messages are
    two."""

    __slots__ = ("_message", "_names", "_parts", "_signatures", "_speaker", "_unread", "turns")

    def __init__(self, unread: list[str]) -> None:
        self.turns: list[Turn] = []
        self._unread = unread
        self._speaker = Speaker.USER
        self._parts: list[Part] = []
        self._message = False  # whether the last item was one
        self._names: dict[str, str] = {}  # of tools, by call id
        self._signatures: dict[str, str] = {}

    def read(self, value: object) -> None:
        """The field `input`."""
        if isinstance(value, str):
            self._add(Speaker.USER, Text(text=value), message=True)
            return
        for index, item in enumerate(expected.array(value, "input")):
            if type(item) is not dict:
                raise expected.wrong(f"input[{index}]", "an object")
            self._read_item(index, item)

    def finish(self) -> tuple[Turn, ...]:
        """All turns."""
        self._close()
        if not self._signatures:
            return tuple(self.turns)
        return tuple(
            Turn(speaker=turn.speaker, parts=items.with_signatures(turn.parts, self._signatures))
            for turn in self.turns
        )

    def _read_item(self, index: int, item: dict[str, object]) -> None:
        kind = item.get("type") or ("message" if "role" in item else "")
        known = _ITEM_FIELDS.get(str(kind))
        if known and not known.issuperset(item):
            self._unread += expected.others(item, f"input[{index}]", known)
        match kind:
            case "message":
                self._read_message(f"input[{index}]", item)
            case "function_call":
                called = items.read_call(item)
                if not called.name:
                    raise expected.wrong(f"input[{index}].name", "the tool's name")
                self._names[called.id] = called.name
                self._add(Speaker.ASSISTANT, called)
            case "function_call_output":
                self._add(Speaker.USER, self._result(index, item))
            case "reasoning":
                thought = items.read_reasoning(item)
                if isinstance(thought, CallSigned):
                    self._signatures[thought.call_id] = thought.signature
                elif thought:
                    self._add(Speaker.ASSISTANT, thought)
            case _:
                self._unread.append(f"input[{index}].type={kind}")

    def _read_message(self, where: str, item: dict[str, object]) -> None:
        role = expected.text(item.get("role"), f"{where}.role")
        if role not in _SPEAKERS:
            raise expected.wrong(f"{where}.role", "user, assistant, system or developer")
        content = _content(f"{where}.content", item.get("content"), self._unread)
        self._add(_SPEAKERS[role], *content, message=True)

    def _result(self, index: int, item: dict[str, object]) -> ToolResult:
        call_id = item.get("call_id")
        if type(call_id) is not str:
            raise expected.wrong(f"input[{index}].call_id", "the id of a call")
        name = string(item.get("name")) or self._names.get(call_id, "")
        output = item.get("output")
        if not output:
            return new_result(call_id, (), name)
        if type(output) is str:
            return new_result(call_id, (new_text(output),), name)
        return new_result(call_id, _content(f"input[{index}].output", output, self._unread), name)

    def _add(self, speaker: Speaker, *parts: Part, message: bool = False) -> None:
        if speaker is not self._speaker or (message and self._message):
            self._close()
        self._speaker = speaker
        self._parts += parts
        self._message = message

    def _close(self) -> None:
        if self._parts:
            self.turns.append(new_turn(self._speaker, tuple(self._parts)))
        self._parts = []


def _content(where: str, value: object, unread: list[str]) -> tuple[Text | Media, ...]:
    """A text, or a list of content parts."""
    if isinstance(value, str):
        return (new_text(value),)
    parts: list[Text | Media] = []
    for index, one in enumerate(expected.array(value, where)):
        at = f"{where}[{index}]"
        part = expected.fields(one, at)
        if read := _part(at, part):
            parts.append(read)
            unread += expected.others(part, at, _PART_FIELDS)
        else:
            unread.append(f"{at}.type={string(part.get('type'))}")
    return tuple(parts)


def _part(where: str, part: dict[str, object]) -> Text | Media | None:
    cache = CacheHint() if part.get("prompt_cache_breakpoint") else None
    match part.get("type"):
        case "input_text" | "output_text" | "text":
            text = part.get("text")
            return new_text(text if type(text) is str else expected.text(text, f"{where}.text"), cache)
        case "refusal":
            return Text(text=expected.text(part.get("refusal"), f"{where}.refusal"), refusal=True)
        case "input_image":
            url = expected.text(part.get("image_url"), f"{where}.image_url")
            detail = expected.text(part.get("detail"), f"{where}.detail")
            return _file(where, part, MediaKind.IMAGE, url=url, cache=cache, detail=detail)
        case "input_file":
            url = expected.text(part.get("file_url"), f"{where}.file_url")
            return _file(where, part, MediaKind.DOCUMENT, url=url, cache=cache)
        case "input_audio":
            audio = expected.fields(part.get("input_audio"), f"{where}.input_audio")
            return Media(
                kind=MediaKind.AUDIO,
                media_type=f"audio/{string(audio.get('format')) or 'wav'}",
                data=media.unbroken(expected.text(audio.get("data"), f"{where}.input_audio.data")),
            )
    return None


def _file(
    where: str,
    part: dict[str, object],
    kind: MediaKind,
    *,
    url: str,
    cache: CacheHint | None,
    detail: str = "",
) -> Media:
    """An image or a document: by id, by URL, or inline in a `data:` URL (documents also in bare base64)."""
    name = expected.text(part.get("filename"), f"{where}.filename")
    if file_id := expected.text(part.get("file_id"), f"{where}.file_id"):
        return Media(kind=kind, file_id=file_id, name=name, detail=detail, cache=cache)
    data = expected.text(part.get("file_data"), f"{where}.file_data")
    if data and not data.startswith("data:"):
        return Media(kind=kind, data=media.unbroken(data), name=name, detail=detail, cache=cache)
    if not data and not url:
        raise ContentError(f"{where} holds no file", hint="give a URL, data in base64, or a file's id")
    return media.from_url(kind, data or url, name=name, detail=detail, cache=cache)


def _tools(value: object, unread: list[str]) -> tuple[Tool, ...]:
    tools = []
    for index, one in enumerate(expected.array(value, "tools")):
        where = f"tools[{index}]"
        tool = expected.fields(one, where)
        if tool.get("type") != "function":
            unread.append(f"{where}.type={string(tool.get('type'))}")
            continue
        unread += [f"{where}.{key}" for key in tool if key not in _TOOL_FIELDS and tool[key]]
        tools.append(
            Tool(
                name=expected.text(tool.get("name"), f"{where}.name"),
                description=expected.text(tool.get("description"), f"{where}.description"),
                parameters=expected.schema(tool.get("parameters"), f"{where}.parameters"),
                strict=expected.flag(tool.get("strict"), f"{where}.strict"),
            )
        )
    return tuple(tools)


def _tool_choice(document: dict[str, object], unread: list[str]) -> ToolChoice | None:
    parallel = expected.flag(document.get("parallel_tool_calls"), "parallel_tool_calls")
    choice = document.get("tool_choice")
    use, name = ToolUse.AUTO, ""
    match choice:
        case None:
            if parallel is None:
                return None
        case "auto" | "none" | "required":
            use = ToolUse(choice)
        case {"type": "function", "name": str(name)}:
            use = ToolUse.NAMED
            unread += expected.others(mapping(choice), "tool_choice", _CHOICE_FIELDS)
        case {"type": kind}:
            unread.append(f"tool_choice.type={kind}")
        case _:
            raise expected.wrong("tool_choice", "auto, none, required or an object with a type")
    return ToolChoice(use=use, name=name, parallel=parallel)


def _sampling(document: dict[str, object]) -> Sampling:
    """`include` otherwise asks for more about built-in tools, which are unread, and for sealed thoughts, which are
    always given."""
    included = expected.strings(document.get("include"), "include")
    top = expected.count(document.get("top_logprobs"), "top_logprobs") or None
    return Sampling(
        max_tokens=expected.count(document.get("max_output_tokens"), "max_output_tokens"),
        temperature=expected.number(document.get("temperature"), "temperature"),
        top_p=expected.number(document.get("top_p"), "top_p"),
        logprobs=True if top or "message.output_text.logprobs" in included else None,
        top_logprobs=top,
    )


def _reasoning(value: dict[str, object], unread: list[str]) -> Reasoning | None:
    unread += [
        f"reasoning.{key}"
        for key, one in value.items()
        if one is not None
        and key not in ("effort", "summary", "generate_summary")
        and one not in _REASONING_DEFAULTS.get(key, ())
    ]
    effort = expected.text(value.get("effort"), "reasoning.effort")
    summary = expected.text(value.get("summary") or value.get("generate_summary"), "reasoning.summary")
    if effort and effort not in _EFFORTS:
        raise expected.wrong("reasoning.effort", f"one of {', '.join(_EFFORTS)}")
    return Reasoning(effort=_EFFORTS.get(effort), summary=summary) if effort or summary else None


def _output(value: dict[str, object], unread: list[str]) -> OutputFormat | None:
    unread += [
        f"text.{key}"
        for key, one in value.items()
        if one is not None and key != "format" and (key, one) != ("verbosity", "medium")
    ]
    form = expected.fields(value.get("format"), "text.format")
    unread += expected.others(form, "text.format", _FORMAT_FIELDS)
    match form.get("type"):
        case None | "text":
            return None
        case "json_object":
            return OutputFormat(kind=OutputKind.JSON)
        case "json_schema":
            schema: dict[str, Json] = expected.schema(form.get("schema"), "text.format.schema")
            return OutputFormat(
                kind=OutputKind.SCHEMA,
                name=expected.text(form.get("name"), "text.format.name"),
                description=expected.text(form.get("description"), "text.format.description"),
                schema=schema,
                strict=expected.flag(form.get("strict"), "text.format.strict"),
            )
        case kind:
            unread.append(f"text.format.type={kind}")
            return None
