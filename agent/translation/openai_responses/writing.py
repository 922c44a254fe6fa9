"""Requests, written for a provider. What the format cannot say is told to `Losses`.

Two things it could say are held back on purpose. Nothing is stored at the provider (`store` is false; its default is
true, and the clients of other formats never agreed to that). Cache hints and the way an answer of another provider was
thought are left out without a word: this provider caches by itself, and refuses thoughts that are not its own.
"""

from __future__ import annotations

import orjson

from agent.model.conversation import (
    Conversation,
    Effort,
    Media,
    MediaKind,
    OutputFormat,
    OutputKind,
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
from agent.translation import dataurls, reasoning
from agent.translation.base import Losses, Quirks, WireRequest
from agent.translation.openai_responses import items

type _Object = dict[str, object]

_ROLES = {Speaker.SYSTEM: "developer", Speaker.USER: "user", Speaker.ASSISTANT: "assistant"}
_ABSENT_FROM_FORMAT = ("top_k", "stop", "seed", "frequency_penalty", "presence_penalty")
_FAILED_TOOL = "Error: "  # the format has no mark for a tool that failed; the model reads it in the text


def write(conversation: Conversation, losses: Losses, quirks: Quirks) -> WireRequest:
    """The request that says `conversation`."""
    body = _Body(losses, quirks)
    body.fields["model"] = conversation.model
    turns = enumerate(conversation.turns)
    if conversation.turns and (instructions := _instructions(conversation.turns[0])):
        next(turns)
        body.fields["instructions"] = instructions
    thread = _Thread(losses, quirks.system_role or "developer")
    for index, turn in turns:
        thread.add(f"turns[{index}]", turn)
    body.fields["input"] = thread.items
    if conversation.tools:
        body.put("tools", "tools", [_tool(tool) for tool in conversation.tools])
    _put_tool_choice(body, conversation.tool_choice)
    include = ["message.output_text.logprobs"] if _put_sampling(body, conversation.sampling) else []
    thinks = _put_reasoning(body, conversation.reasoning)
    if thinks or thread.holds_thoughts:  # models that do not think refuse it
        include.append("reasoning.encrypted_content")
    if include:
        body.fields["include"] = include
    if conversation.output and conversation.output.kind is not OutputKind.TEXT:
        body.put("output", "text", {"format": _format(conversation.output)})
    if conversation.user:
        body.fields["user"] = conversation.user
    body.fields["store"] = False
    if conversation.stream:
        body.fields["stream"] = True
    return WireRequest(body=orjson.dumps(body.fields))


class _Body:
    """The request's fields. What the server refuses goes no further."""

    __slots__ = ("_losses", "_unsupported", "fields")

    def __init__(self, losses: Losses, quirks: Quirks) -> None:
        self.fields: _Object = {}
        self._losses = losses
        self._unsupported = quirks.unsupported

    def put(self, name: str, field: str, value: object) -> None:
        """Set `field`, which the hub calls `name`, where there is a value."""
        if value is None:
            return
        if name in self._unsupported:
            self._losses.lose(name)
        else:
            self.fields[field] = value

    def lose(self, name: str) -> None:
        """What the format does not have."""
        self._losses.lose(name)


class _Thread:
    """The items of the conversation so far."""

    __slots__ = ("_losses", "_system", "holds_thoughts", "items")

    def __init__(self, losses: Losses, system: str) -> None:
        self.items: list[_Object] = []
        self.holds_thoughts = False
        self._losses = losses
        self._system = system

    def add(self, where: str, turn: Turn) -> None:
        """A turn's items. Its texts and files between two calls or results are one message."""
        content: list[_Object] = []
        role = self._system if turn.speaker is Speaker.SYSTEM else _ROLES[turn.speaker]
        for index, part in enumerate(turn.parts):
            at = f"{where}.parts[{index}]"
            if isinstance(part, (Text, Media)):
                if written := self._content(at, part, assistant=turn.speaker is Speaker.ASSISTANT):
                    if not content:
                        self.items.append({"type": "message", "role": role, "content": content})
                    content.append(written)
            elif item := self._item(at, part):
                self.items.append(item)
                content = []

    def _item(self, at: str, part: Thinking | ToolCall | ToolResult) -> _Object | None:
        match part:
            case ToolCall():
                return {
                    "type": "function_call",
                    "call_id": part.id,
                    "name": part.name,
                    "arguments": part.arguments,
                }
            case ToolResult():
                return {
                    "type": "function_call_output",
                    "call_id": part.call_id,
                    "output": self._output(at, part),
                }
            case Thinking():
                if not (part.sealed and part.id):  # no thought of this provider
                    return None
                self.holds_thoughts = True
                return items.reasoning(part.id, part.text, part.sealed)

    def _output(self, at: str, result: ToolResult) -> str | list[_Object]:
        opening = _FAILED_TOOL if result.error else ""
        match result.parts:
            case ():
                return opening
            case (Text(text=text),):
                return opening + text
        content: list[_Object] = [{"type": "input_text", "text": opening}] if opening else []
        for index, part in enumerate(result.parts):
            if written := self._content(f"{at}.parts[{index}]", part, assistant=False):
                content.append(written)
        return content

    def _content(self, at: str, part: Text | Media, *, assistant: bool) -> _Object | None:
        if isinstance(part, Text):
            if assistant:
                return items.text_part(part)
            return {"type": "input_text", "text": part.text}
        if assistant or part.kind not in (MediaKind.IMAGE, MediaKind.DOCUMENT):
            self._losses.lose(at)
            return None
        return _image(part) if part.kind is MediaKind.IMAGE else _document(part)


def _instructions(turn: Turn) -> str:
    """The first turn where it is the system's and one text; else it stays in the input, as a developer's message."""
    if turn.speaker is not Speaker.SYSTEM or len(turn.parts) != 1:
        return ""
    part = turn.parts[0]
    return part.text if isinstance(part, Text) else ""


def _image(part: Media) -> _Object:
    written: _Object = {"type": "input_image", "detail": part.detail or "auto"}
    if part.file_id:
        written["file_id"] = part.file_id
    else:
        written["image_url"] = part.url or dataurls.join(part.media_type, part.data)
    return written


def _document(part: Media) -> _Object:
    written: _Object = {"type": "input_file"}
    if part.file_id:
        written["file_id"] = part.file_id
    elif part.url:
        written["file_url"] = part.url
    else:
        written["filename"] = part.name or "document"  # demanded beside inline data
        written["file_data"] = dataurls.join(part.media_type, part.data)
    return written


def _tool(tool: Tool) -> _Object:
    """`strict` is written where the client said nothing: this format's default is true, all others' is false, and a
    schema that is made strict has no optional fields any more."""
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description or None,
        "parameters": dict(tool.parameters) or {"type": "object", "properties": {}},
        "strict": bool(tool.strict),
    }


def _put_tool_choice(body: _Body, choice: ToolChoice | None) -> None:
    if choice is None:
        return
    if choice.use is ToolUse.NAMED:
        body.put("tool_choice", "tool_choice", {"type": "function", "name": choice.name})
    else:
        body.put("tool_choice", "tool_choice", choice.use.value)
    body.put("tool_choice.parallel", "parallel_tool_calls", choice.parallel)


def _put_sampling(body: _Body, sampling: Sampling) -> bool:
    """Whether logprobs are asked for. A penalty of 0 and one choice are what the format does anyway."""
    for name in _ABSENT_FROM_FORMAT:
        if getattr(sampling, name) not in (None, (), 0.0) or (name == "seed" and sampling.seed == 0):
            body.lose(f"sampling.{name}")
    if (sampling.choices or 1) > 1:
        body.lose("sampling.choices")
    body.put("sampling.max_tokens", "max_output_tokens", sampling.max_tokens)
    body.put("sampling.temperature", "temperature", sampling.temperature)
    body.put("sampling.top_p", "top_p", sampling.top_p)
    body.put("sampling.top_logprobs", "top_logprobs", sampling.top_logprobs)
    return bool(sampling.logprobs)


def _put_reasoning(body: _Body, wanted: Reasoning | None) -> bool:
    """Whether the model will think. A budget left to the model (-1) is no effort at all."""
    if wanted is None:
        return False
    effort = wanted.effort
    if effort is None and wanted.budget_tokens is not None and wanted.budget_tokens >= 0:
        effort = reasoning.effort_of(wanted.budget_tokens)
    written = {"effort": effort.value if effort else None, "summary": wanted.summary or None}
    body.put(
        "reasoning",
        "reasoning",
        {name: value for name, value in written.items() if value is not None} or None,
    )
    return "reasoning" in body.fields and effort is not Effort.NONE


def _format(output: OutputFormat) -> _Object:
    if output.kind is OutputKind.JSON:
        return {"type": "json_object"}
    written: _Object = {
        "type": "json_schema",
        "name": output.name or "answer",  # demanded
        "schema": dict(output.schema),
    }
    if output.description:
        written["description"] = output.description
    if output.strict is not None:
        written["strict"] = output.strict
    return written
