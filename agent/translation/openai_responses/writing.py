"""Requests, written for a provider. What the format cannot say is told to `Losses`.

Two things it could say are held back on purpose. Nothing is stored at the provider (`store` is false; its default is
true, and the clients of other formats never agreed to that). Cache hints and the way an answer of another provider was
thought are left out without a word: this provider caches by itself, and refuses thoughts that are not its own.
"""

from __future__ import annotations

import hashlib

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
from agent.translation import fitting, media, reasoning
from agent.translation.base import Losses, Quirks, WireRequest
from agent.translation.documents import write_document
from agent.translation.openai_responses import items

type _Object = dict[str, object]

_ROLES = {Speaker.SYSTEM: "developer", Speaker.USER: "user", Speaker.ASSISTANT: "assistant"}
_ABSENT_FROM_FORMAT = ("top_k", "stop", "seed", "frequency_penalty", "presence_penalty", "choices")
_LONGEST_ID = 64
_FAILED_TOOL = "Error: "  # the format has no mark for a tool that failed; the model reads it in the text


def write(conversation: Conversation, losses: Losses, quirks: Quirks) -> WireRequest:
    """The request that says `conversation`."""
    conversation = fitting.fitted(conversation, quirks, losses)
    body: _Object = {"model": conversation.model}
    turns = enumerate(conversation.turns)
    if conversation.turns and (instructions := _instructions(conversation.turns[0])):
        next(turns)
        body["instructions"] = instructions
    thread = _Thread(losses, quirks.system_role or "developer")
    for index, turn in turns:
        thread.add(f"turns[{index}]", turn)
    body["input"] = thread.items
    if conversation.tools:
        body["tools"] = [_tool(tool) for tool in conversation.tools]
    if conversation.tool_choice:
        body |= _tool_choice(conversation.tool_choice)
    sampling = fitting.without(conversation.sampling, _ABSENT_FROM_FORMAT, losses)
    body |= _sampling(sampling)
    wanted = _reasoning(conversation.reasoning)
    if wanted:
        body["reasoning"] = wanted
    thinks = thread.holds_thoughts or (bool(wanted) and wanted.get("effort") != Effort.NONE)
    if include := _include(logprobs=bool(sampling.logprobs), thinks=thinks):
        body["include"] = include
    if conversation.output and conversation.output.kind is not OutputKind.TEXT:
        body["text"] = {"format": _format(conversation.output)}
    if conversation.user:
        body["user"] = conversation.user
    body["store"] = False
    if conversation.stream:
        body["stream"] = True
    return WireRequest(body=write_document(body))


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
                    "call_id": call_id(part.id),
                    "name": part.name,
                    "arguments": part.arguments,
                }
            case ToolResult():
                return {
                    "type": "function_call_output",
                    "call_id": call_id(part.call_id),
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


def call_id(id: str) -> str:  # noqa: A002
    """The id of a call, or one made from it where it is longer than the API takes: other providers' may be."""
    if len(id) <= _LONGEST_ID:
        return id
    return f"call_{hashlib.blake2b(id.encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}"


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
        written["image_url"] = part.url or media.data_url(part)
    return written


def _document(part: Media) -> _Object:
    written: _Object = {"type": "input_file"}
    if part.file_id:
        written["file_id"] = part.file_id
    elif part.url:
        written["file_url"] = part.url
    else:
        written["filename"] = part.name or "document"  # demanded beside inline data
        written["file_data"] = media.data_url(part)
    return written


def _tool(tool: Tool) -> _Object:
    """`strict` is written where the client said nothing: this format's default is true, all others' is false, and a
    schema that is made strict has no optional fields any more."""
    written: _Object = {"type": "function", "name": tool.name}
    if tool.description:
        written["description"] = tool.description
    written["parameters"] = dict(tool.parameters) or {"type": "object", "properties": {}}
    written["strict"] = bool(tool.strict)
    return written


def _tool_choice(choice: ToolChoice) -> _Object:
    written: _Object = {"tool_choice": choice.use.value}
    if choice.use is ToolUse.NAMED:
        written["tool_choice"] = {"type": "function", "name": choice.name}
    if choice.parallel is not None:
        written["parallel_tool_calls"] = choice.parallel
    return written


def _sampling(sampling: Sampling) -> _Object:
    written = {
        "max_output_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_logprobs": sampling.top_logprobs,
    }
    return {name: value for name, value in written.items() if value is not None}


def _include(*, logprobs: bool, thinks: bool) -> list[str]:
    """What is to be told beside the text. Thoughts come sealed, as nothing is stored to come back to; models that do
    not think refuse to be asked for them."""
    asked = {"message.output_text.logprobs": logprobs, "reasoning.encrypted_content": thinks}
    return [name for name, wanted in asked.items() if wanted]


def _reasoning(wanted: Reasoning | None) -> _Object:
    """A budget that is left to the model (-1) is no effort at all."""
    if wanted is None:
        return {}
    effort = reasoning.effort_wanted(wanted)
    written: _Object = {"effort": effort.value} if effort else {}
    if wanted.summary:
        written["summary"] = wanted.summary
    return written


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
