"""Reads a request to `/v2/chat`. Source: the Cohere API reference, "Chat", and the SDK's `v2/client.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import orjson

from agent.dialects.shapes import mapping, string
from agent.model.conversation import (
    Conversation,
    Json,
    MediaKind,
    OutputFormat,
    OutputKind,
    Part,
    Reasoning,
    Sampling,
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
from agent.translation import fields
from agent.translation.documents import read_document
from agent.translation.fields import Document
from agent.translation.media import from_url
from agent.translation.unread import Unread

_FIELDS = frozenset(
    (
        "citation_options",
        "documents",
        "frequency_penalty",
        "k",
        "logprobs",
        "max_tokens",
        "messages",
        "model",
        "p",
        "presence_penalty",
        "response_format",
        "safety_mode",
        "seed",
        "stop_sequences",
        "stream",
        "strict_tools",
        "temperature",
        "thinking",
        "tool_choice",
        "tools",
    )
)
_SPEAKERS = {"system": Speaker.SYSTEM, "user": Speaker.USER, "assistant": Speaker.ASSISTANT}
_USES = {"REQUIRED": ToolUse.REQUIRED, "NONE": ToolUse.NONE, "AUTO": ToolUse.AUTO}
_NO_CITATIONS = ("off", "disabled")
_ORDINARY_SAFETY = "CONTEXTUAL"


def read_request(body: bytes) -> Conversation:
    """The conversation in `body`. Raises ContentError."""
    document = read_document(body)
    unread = Unread()
    unread.others("", document, _FIELDS)
    _note_extras(document, unread)
    return Conversation(
        model=fields.text(document, "model"),
        turns=_TurnReader(unread).read(fields.array(document, "messages")),
        tools=_tools(document, unread),
        tool_choice=_tool_choice(document, unread),
        sampling=_sampling(document),
        reasoning=_reasoning(document, unread),
        output=_output(document, unread),
        stream=bool(fields.flag(document, "stream")),
        unread=tuple(unread.paths),
    )


def _note_extras(document: Document, unread: Unread) -> None:
    """What only Cohere does for its models, where the client asks for more than it would get anyway."""
    unread.others("citation_options", fields.nested(document, "citation_options"), ("mode",))
    if document.get("documents"):
        unread.note("documents")
    mode = string(fields.nested(document, "citation_options").get("mode")).lower()
    if mode and mode not in _NO_CITATIONS:
        unread.note("citation_options")
    if string(document.get("safety_mode")) not in ("", _ORDINARY_SAFETY):
        unread.note("safety_mode")


class _TurnReader:
    """Reads messages. Remembers which tool each call was for: results do not tell."""

    def __init__(self, unread: Unread) -> None:
        self._unread = unread
        self._tools: dict[str, str] = {}

    def read(self, messages: list[object]) -> tuple[Turn, ...]:
        """The turns. The results of one round of calls come as messages of their own and are one turn."""
        turns: list[Turn] = []
        for index in range(len(messages)):
            message = fields.entry(messages, index, "messages")
            at = f"messages[{index}]"
            role = string(message.get("role"))
            if role == "tool":
                result = self._result(at, message)
                if turns and isinstance(next(iter(turns[-1].parts), None), ToolResult):
                    turns[-1] = Turn(speaker=Speaker.USER, parts=(*turns[-1].parts, result))
                else:
                    turns.append(Turn(speaker=Speaker.USER, parts=(result,)))
                continue
            speaker = _SPEAKERS.get(role)
            if speaker is None:
                raise fields.wrong(f"{at}.role", "system, user, assistant or tool")
            parts = self._assistant(at, message) if role == "assistant" else self._said(at, message)
            turns.append(Turn(speaker=speaker, parts=parts))
        return tuple(turns)

    def _said(self, at: str, message: Document) -> tuple[Part, ...]:
        self._unread.others(at, message, ("role", "content"))
        return self._content(f"{at}.content", message.get("content"))

    def _assistant(self, at: str, message: Document) -> tuple[Part, ...]:
        """Thoughts and words, the plan, which is words before calls, and the calls."""
        self._unread.others(at, message, ("role", "content", "tool_plan", "tool_calls", "citations"))
        parts = list(self._content(f"{at}.content", message.get("content")))
        if plan := fields.text(message, "tool_plan"):
            parts.append(Text(text=plan))
        calls = fields.array(message, "tool_calls")
        for index in range(len(calls)):
            call = fields.entry(calls, index, f"{at}.tool_calls")
            self._unread.others(f"{at}.tool_calls[{index}]", call, ("id", "type", "function"))
            function = mapping(call.get("function"))
            self._unread.others(f"{at}.tool_calls[{index}].function", function, ("name", "arguments"))
            made = read_call(call)
            self._tools[made.id] = made.name
            parts.append(made)
        return tuple(parts)

    def _content(self, at: str, content: object) -> tuple[Part, ...]:
        if content is None:
            return ()
        if isinstance(content, str):
            return (Text(text=content),)
        if not isinstance(content, list):
            raise fields.wrong(at, "a string or an array")
        parts: list[Part] = []
        for index in range(len(content)):
            parts += self._block(f"{at}[{index}]", fields.entry(content, index, at))
        return tuple(parts)

    def _block(self, at: str, block: Document) -> tuple[Part, ...]:
        match block:
            case {"type": "text", "text": str() as text, **others}:
                part: Part = Text(text=text)
            case {"type": "thinking", "thinking": str() as text, **others}:
                part = Thinking(text=text)
            case {"type": "image_url", "image_url": {"url": str() as url}, **others}:
                image = mapping(block["image_url"])
                self._unread.others(f"{at}.image_url", image, ("url", "detail"))
                part = from_url(MediaKind.IMAGE, url, detail=string(image.get("detail")))
            case {"type": "document", "document": {"data": _}, **others}:
                document = mapping(block["document"])
                self._unread.others(f"{at}.document", document, ("id", "data"))
                part = Text(text=_data(document.get("data")))
            case _:
                self._unread.note(f"{at}.type={string(block.get('type'))}")
                return ()
        self._unread.others(at, others, ())
        return (part,)

    def _result(self, at: str, message: Document) -> ToolResult:
        self._unread.others(at, message, ("role", "content", "tool_call_id"))
        parts = self._content(f"{at}.content", message.get("content"))
        said = tuple(part for part in parts if isinstance(part, Text))
        if len(said) != len(parts):
            raise fields.wrong(f"{at}.content", "text or documents")
        call = fields.text(message, "tool_call_id")
        return ToolResult(call_id=call, parts=said, name=self._tools.get(call, ""))


def read_call(call: Mapping[str, object]) -> ToolCall:
    """A tool call, of a request or of an answer."""
    function = mapping(call.get("function"))
    return ToolCall(
        id=string(call.get("id")),
        name=string(function.get("name")),
        arguments=string(function.get("arguments")) or "{}",
    )


def _data(data: object) -> str:
    """A document's content: words, or an object of them."""
    return data if isinstance(data, str) else orjson.dumps(data).decode()


def _tools(document: Document, unread: Unread) -> tuple[Tool, ...]:
    strict = fields.flag(document, "strict_tools")
    found = fields.array(document, "tools")
    tools = []
    for index in range(len(found)):
        tool = fields.entry(found, index, "tools")
        at = f"tools[{index}]"
        function = fields.nested(tool, "function")
        if not function or tool.get("type", "function") != "function":
            unread.note(f"{at}.type={string(tool.get('type'))}")
            continue
        unread.others(at, tool, ("type", "function"))
        unread.others(f"{at}.function", function, ("name", "description", "parameters"))
        tools.append(
            Tool(
                name=fields.text(function, "name"),
                description=fields.text(function, "description"),
                parameters=_schema(function.get("parameters")),
                strict=strict,
            )
        )
    return tuple(tools)


def _schema(value: object) -> Mapping[str, Json]:
    return cast("dict[str, Json]", mapping(value))


def _tool_choice(document: Document, unread: Unread) -> ToolChoice | None:
    choice = document.get("tool_choice")
    if choice is None:
        return None
    use = _USES.get(string(choice))
    if use is None:
        unread.note("tool_choice")
        return None
    return ToolChoice(use=use)


def _sampling(document: Document) -> Sampling:
    return Sampling(
        max_tokens=fields.whole(document, "max_tokens"),
        temperature=fields.number(document, "temperature"),
        top_p=fields.number(document, "p"),
        top_k=fields.whole(document, "k") or None,  # 0 switches it off
        stop=fields.texts(document, "stop_sequences"),
        seed=fields.whole(document, "seed"),
        frequency_penalty=fields.number(document, "frequency_penalty"),
        presence_penalty=fields.number(document, "presence_penalty"),
        logprobs=fields.flag(document, "logprobs"),
    )


def _reasoning(document: Document, unread: Unread) -> Reasoning | None:
    thinking = fields.nested(document, "thinking")
    unread.others("thinking", thinking, ("type", "token_budget"))
    budget = fields.whole(thinking, "token_budget")
    match thinking.get("type"):
        case "disabled":
            return Reasoning(budget_tokens=0)
        case "enabled":
            return Reasoning(budget_tokens=-1 if budget is None else budget)
        case None:
            return None
    unread.note("thinking.type")
    return None


def _output(document: Document, unread: Unread) -> OutputFormat | None:
    form = fields.nested(document, "response_format")
    unread.others("response_format", form, ("type", "json_schema", "schema"))
    match form.get("type"):
        case "json_object":
            schema = mapping(form.get("json_schema") or form.get("schema"))
            if schema:
                return OutputFormat(kind=OutputKind.SCHEMA, schema=_schema(schema))
            return OutputFormat(kind=OutputKind.JSON)
        case "text":
            return OutputFormat()
        case None:
            return None
    raise fields.wrong("response_format.type", "text or json_object")
