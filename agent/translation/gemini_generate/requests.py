"""Requests, read. Every field may be spelled in camelCase or snake_case; what is unread is named as it was spelled."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from agent.dialects.shapes import string
from agent.model.conversation import (
    Conversation,
    Media,
    Part,
    Speaker,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    ToolUse,
    Turn,
)
from agent.translation import expected
from agent.translation.documents import read_document, write_document
from agent.translation.gemini_generate import names, parts, schemas, settings
from agent.translation.gemini_generate.answers import read_call
from agent.translation.gemini_generate.names import camel
from agent.translation.gemini_generate.parts import Fields
from agent.translation.moulds import new_text, new_turn

_READ = frozenset(("contents", "generationConfig", "model", "systemInstruction", "toolConfig", "tools"))
_DECLARATION = frozenset(("name", "description", "parameters", "parametersJsonSchema"))
_SPEAKERS = {
    "": Speaker.USER,
    "user": Speaker.USER,
    "function": Speaker.USER,
    "tool": Speaker.USER,
    "model": Speaker.ASSISTANT,
    "system": Speaker.SYSTEM,
}
_CONTENT = frozenset(
    ("text", "thought", "thoughtSignature", "inlineData", "fileData", "functionCall", "functionResponse")
)
_CONTENT_FIELDS = frozenset(("role", "parts"))
_CALLING_FIELDS = frozenset(("mode", "allowedFunctionNames"))
_CALL_FIELDS = frozenset(("id", "name", "args"))
_RESULT_FIELDS = frozenset(("id", "name", "response", "parts"))
_FILE_FIELDS = frozenset(("data", "displayName", "fileUri", "mimeType"))
_OUTPUTS = (
    "output",
    "result",
    "content",
)  # what a function gave, by the reference, by common use and by LiteLLM


def read(path: str, query: str, body: bytes) -> Conversation:
    """The conversation in `body`. Raises ContentError with the field where it breaks the format's promise."""
    spelled = read_document(body)
    document = camel(spelled)
    model, method = names.model_and_method(path)
    stream = method.startswith("stream")
    unread = [
        key
        for (key, value), name in zip(spelled.items(), document, strict=True)
        if value and name not in _READ
    ]
    if stream and not names.asks_for_events(query):
        unread.append("alt=json")  # a stream in one JSON array, which the sink does not write
    thread = _Thread(unread)
    if instruction := document.get("systemInstruction"):
        thread.read("systemInstruction", instruction, Speaker.SYSTEM)
    contents = document.get("contents")
    if isinstance(contents, list):
        for index, content in enumerate(contents):
            thread.read(f"contents[{index}]", content)
    elif contents is not None:
        thread.read("contents", contents)
    tools = _tools(document.get("tools"), unread)
    choice, validated = _tool_choice(document.get("toolConfig"), tools, unread)
    generation = settings.read(document.get("generationConfig"), unread)
    return Conversation(
        model=model or string(document.get("model")).removeprefix("models/"),
        turns=tuple(thread.turns),
        tools=tuple(replace(tool, strict=True) for tool in tools) if validated else tools,
        tool_choice=choice,
        sampling=generation.sampling,
        reasoning=generation.reasoning,
        output=generation.output,
        stream=stream,
        unread=tuple(unread),
    )


class _Thread:
    """The turns so far, and the calls that no result has answered yet: results may name the function alone."""

    __slots__ = ("_calls", "_names", "_open", "_unread", "turns")

    def __init__(self, unread: list[str]) -> None:
        self.turns: list[Turn] = []
        self._unread = unread
        self._calls = 0
        self._names: dict[str, str] = {}  # by call id
        self._open: dict[str, deque[str]] = {}  # call ids by function, in order

    def read(self, where: str, value: object, speaker: Speaker | None = None) -> None:
        """A content: its parts, or for short a text."""
        if isinstance(value, str):
            self.turns.append(Turn(speaker=speaker or Speaker.USER, parts=(Text(text=value),)))
            return
        content = expected.fields(value, where)
        role = expected.text(content.get("role"), f"{where}.role")
        if speaker is None and role not in _SPEAKERS:
            raise expected.wrong(f"{where}.role", "user or model")
        self._unread += names.others(content, where, _CONTENT_FIELDS)
        speaker = speaker or _SPEAKERS[role]
        spoken = self._thought_before(speaker)
        listed = content.get("parts")
        for index, part in enumerate([listed] if isinstance(listed, dict) else expected.array(listed, where)):
            at = f"{where}.parts[{index}]"
            spelled: Fields = {"text": part} if isinstance(part, str) else expected.fields(part, at)
            for one in self._part(at, spelled):
                _join(spoken, one)
        if spoken:
            self.turns.append(new_turn(speaker, tuple(spoken)))

    def _thought_before(self, speaker: Speaker) -> list[Part]:
        """What the turn before it holds, taken back where its last thought may go on: the SDK's chats keep a content
        for each piece of a stream."""
        if speaker is not Speaker.ASSISTANT or not self.turns or self.turns[-1].speaker is not speaker:
            return []
        return [*self.turns.pop().parts] if _goes_on(self.turns[-1].parts[-1]) else []

    def _part(self, where: str, spelled: Fields) -> list[Part]:
        part = camel(spelled)
        self._unread += names.others(spelled, where, _CONTENT)
        text = part.get("text")
        if len(part) == 1 and type(text) is str:
            return [new_text(text)]
        signature = expected.text(part.get("thoughtSignature"), f"{where}.thoughtSignature")
        if isinstance(text, str):
            if part.get("thought") is True:
                return [parts.read_thought(text, signature)]
            return [Text(text=text)]
        if "functionCall" in part:
            return [self._call(where, expected.fields(part["functionCall"], where), signature)]
        if "functionResponse" in part:
            return [self._result(where, expected.fields(part["functionResponse"], where))]
        media = self._media(where, part)
        return [media] if media else []

    def _media(self, where: str, part: Fields) -> Media | None:
        for name in ("inlineData", "fileData"):
            if isinstance(file := part.get(name), dict):
                self._unread += names.others(file, f"{where}.{name}", _FILE_FIELDS)
        return parts.read_media(part)

    def _call(self, where: str, called: Fields, signature: str) -> ToolCall:
        if not string(called.get("name")):
            raise expected.wrong(f"{where}.functionCall.name", "the function's name")
        expected.fields(called.get("args"), f"{where}.functionCall.args")
        self._unread += names.others(called, f"{where}.functionCall", _CALL_FIELDS)
        call = read_call(called, signature, self._calls)
        self._calls += 1
        self._names[call.id] = call.name
        self._open.setdefault(call.name, deque()).append(call.id)
        return call

    def _result(self, where: str, given: Fields) -> ToolResult:
        self._unread += names.others(given, f"{where}.functionResponse", _RESULT_FIELDS)
        call_id = string(given.get("id"))
        name = string(given.get("name")) or self._names.get(call_id, "")
        waiting = self._open.get(name)
        if call_id:
            if waiting and call_id in waiting:
                waiting.remove(call_id)
        elif waiting:
            call_id = waiting.popleft()
        else:
            call_id = names.call_id(self._calls, name)
            self._calls += 1
        said, failed = _said(expected.fields(given.get("response"), f"{where}.functionResponse.response"))
        files: list[Text | Media] = []
        for index, one in enumerate(expected.array(given.get("parts"), f"{where}.functionResponse.parts")):
            at = f"{where}.functionResponse.parts[{index}]"
            media = self._media(at, camel(expected.fields(one, at)))
            if media:
                files.append(media)
            else:
                self._unread.append(at)
        return ToolResult(call_id=call_id, name=name, parts=(*said, *files), error=failed)


def _goes_on(part: Part) -> bool:
    """Whether a thought is one of the pieces of a stream: the signature comes with the last."""
    return isinstance(part, Thinking) and not (part.signature or part.sealed or part.id)


def _join(spoken: list[Part], part: Part) -> None:
    """Put a part to the others; the pieces of a thought become one, for what was signed is the whole."""
    last = spoken[-1] if spoken else None
    if isinstance(part, Thinking) and isinstance(last, Thinking) and _goes_on(last):
        spoken[-1] = replace(part, text=last.text + part.text)
    else:
        spoken.append(part)


def _said(response: Fields) -> tuple[tuple[Text, ...], bool]:
    """What a function gave, as text, and whether it failed. A single text under one of `_OUTPUTS` or `error` is
    that text; any other object is shown to the model as JSON."""
    if len(response) == 1:
        ((key, value),) = response.items()
        if isinstance(value, str) and (key in _OUTPUTS or key == "error"):
            return (Text(text=value),) if value else (), key == "error"
    return (Text(text=write_document(response).decode()),) if response else (), False


def _tools(value: object, unread: list[str]) -> tuple[Tool, ...]:
    tools: list[Tool] = []
    listed = [value] if isinstance(value, dict) else expected.array(value, "tools")
    for index, one in enumerate(listed):
        for key, declared in expected.fields(one, f"tools[{index}]").items():
            where = f"tools[{index}].{key}"
            if key not in ("functionDeclarations", "function_declarations"):
                if declared is not None:
                    unread.append(where)
                continue
            for place, declaration in enumerate(expected.array(declared, where)):
                at = f"{where}[{place}]"
                tools.append(_tool(at, expected.fields(declaration, at), unread))
    return tuple(tools)


def _tool(where: str, spelled: Fields, unread: list[str]) -> Tool:
    declaration = camel(spelled)
    unread += names.others(spelled, where, _DECLARATION)
    parameters = expected.schema(declaration.get("parametersJsonSchema"), f"{where}.parametersJsonSchema")
    if not parameters:
        openapi = expected.schema(declaration.get("parameters"), f"{where}.parameters")
        converted = schemas.as_json_schema(openapi)
        parameters = converted if isinstance(converted, dict) else {}
    return Tool(
        name=expected.text(declaration.get("name"), f"{where}.name"),
        description=expected.text(declaration.get("description"), f"{where}.description"),
        parameters=parameters,
    )


def _tool_choice(value: object, tools: tuple[Tool, ...], unread: list[str]) -> tuple[ToolChoice | None, bool]:
    """How tools are to be used, and whether their calls must follow their schemas (`VALIDATED`)."""
    where = "toolConfig.functionCallingConfig"
    config = expected.fields(value, "toolConfig")
    unread += names.others(config, "toolConfig", frozenset(("functionCallingConfig",)))
    calling = expected.fields(camel(config).get("functionCallingConfig"), where)
    unread += names.others(calling, where, _CALLING_FIELDS)
    calling = camel(calling)
    mode = expected.text(calling.get("mode"), f"{where}.mode").upper()
    allowed = expected.strings(calling.get("allowedFunctionNames"), f"{where}.allowedFunctionNames")
    if mode == "ANY" and len(allowed) == 1:
        return ToolChoice(use=ToolUse.NAMED, name=allowed[0]), False
    if allowed and {tool.name for tool in tools} - set(allowed):
        unread.append(f"{where}.allowedFunctionNames")
    match mode:
        case "ANY":
            return ToolChoice(use=ToolUse.REQUIRED), False
        case "NONE":
            return ToolChoice(use=ToolUse.NONE), False
        case "AUTO" | "VALIDATED":
            return ToolChoice(use=ToolUse.AUTO), mode == "VALIDATED"
    return None, False
