"""Writes a request to `/v2/chat`. Source: the Cohere API reference, "Chat", and the SDK's `v2/client.py`.

Hints are left out without a word: what may be cached, who asks, strictness where it is wished for some tools only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agent.model.conversation import (
    Conversation,
    Media,
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
from agent.translation.base import Losses, Quirks, WireRequest
from agent.translation.documents import write_document
from agent.translation.fitting import asks, fitted
from agent.translation.media import data_url
from agent.translation.reasoning import budget_of, fitting, is_off

type Block = dict[str, object]

_NOWHERE = ("choices", "top_logprobs")
_NARROWEST_P, _WIDEST_P = 0.01, 0.99
_MOST_STOPS = 5
_LARGEST_K = 500
_LIMIT = 32_000  # where the client names none
_PENALTIES = ("frequency_penalty", "presence_penalty")
_DETAILS = frozenset(("auto", "low", "high"))


def write_request(conversation: Conversation, losses: Losses, quirks: Quirks) -> WireRequest:
    """The request. Tells `losses` what it leaves out."""
    conversation = fitted(conversation, quirks, losses)
    body: Block = {"model": conversation.model, "messages": _messages(conversation.turns, losses)}
    if conversation.tools:
        body |= _tools(conversation.tools, conversation.tool_choice, losses)
    body |= _sampling(conversation.sampling, losses)
    limit = conversation.sampling.max_tokens or quirks.default_max_tokens
    if limit:
        body["max_tokens"] = limit
    body |= _thinking(conversation.reasoning, limit or _LIMIT, losses)
    body |= _output(conversation.output)
    if conversation.stream:
        body["stream"] = True
    return WireRequest(body=write_document(body))


def _messages(turns: Iterable[Turn], losses: Losses) -> list[Block]:
    messages: list[Block] = []
    for index, turn in enumerate(turns):
        at = f"turns[{index}]"
        match turn.speaker:
            case Speaker.ASSISTANT:
                messages += _answered(at, turn.parts, losses)
            case Speaker.USER:
                messages += _asked(at, turn.parts, losses)
            case Speaker.SYSTEM:
                messages += _message("system", _content(at, turn.parts, losses, images=False))
    return messages


def _message(role: str, content: list[Block]) -> list[Block]:
    """A message of that content, or none; a single text is written as such."""
    match content:
        case []:
            return []
        case [{"type": "text", "text": text}]:
            return [{"role": role, "content": text}]
        case _:
            return [{"role": role, "content": content}]


def _asked(at: str, parts: Sequence[Part], losses: Losses) -> list[Block]:
    """Results of tools, each a message of its own, follow the calls at once; then what the user says."""
    messages: list[Block] = []
    for index, part in enumerate(parts):
        if isinstance(part, ToolResult):
            inner = _content(f"{at}.parts[{index}]", part.parts, losses, images=False)
            inner = _failed(inner) if part.error else inner
            [message] = _message("tool", inner) or [{"role": "tool", "content": ""}]
            messages.append({**message, "tool_call_id": part.call_id})
    return messages + _message("user", _content(at, parts, losses, skip=ToolResult))


def _failed(content: list[Block]) -> list[Block]:
    """What a tool said when it failed: the format has no mark for it, so the model must read it."""
    match content:
        case [{"text": str() as text}, *others]:
            marked = text if text.lower().startswith("error") else f"Error: {text}"
            return [{"type": "text", "text": marked}, *others]
        case _:
            return [{"type": "text", "text": "Error"}]


def _answered(at: str, parts: Sequence[Part], losses: Losses) -> list[Block]:
    """Words together with calls are the plan that Cohere's models make before they call. Its thoughts are unsigned; a
    thought that another provider signed or sealed is none of its own."""
    calls = [write_call(part) for part in parts if isinstance(part, ToolCall)]
    content = _content(at, parts, losses, skip=ToolCall, images=False)
    message: Block = {"role": "assistant"}
    if calls:
        plan = "".join(str(block["text"]) for block in content if block["type"] == "text")
        content = [block for block in content if block["type"] != "text"]
        message |= {"tool_plan": plan, "tool_calls": calls} if plan else {"tool_calls": calls}
    for said in _message("assistant", content):
        message |= said
    return [message] if len(message) > 1 else []


def _content(
    at: str,
    parts: Sequence[Part],
    losses: Losses,
    *,
    skip: type[ToolCall | ToolResult] | None = None,
    images: bool = True,
) -> list[Block]:
    content: list[Block] = []
    for index, part in enumerate(parts):
        match part:
            case Text():
                if part.text:
                    content.append({"type": "text", "text": part.text})
            case Thinking():
                if part.text and not (part.signature or part.sealed or part.id):
                    content.append({"type": "thinking", "thinking": part.text})
            case Media(kind=MediaKind.IMAGE) if images and not part.file_id:
                content.append(_image(part))
            case _ if skip is not None and isinstance(part, skip):
                pass
            case _:
                losses.lose(f"{at}.parts[{index}]")
    return content


def _image(media: Media) -> Block:
    image = {"url": media.url or data_url(media)}
    if media.detail in _DETAILS:
        image["detail"] = media.detail
    return {"type": "image_url", "image_url": image}


def write_call(call: ToolCall) -> Block:
    """A tool call, of a request or of an answer."""
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def _tools(tools: Sequence[Tool], choice: ToolChoice | None, losses: Losses) -> Block:
    body: Block = {
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    **({"description": tool.description} if tool.description else {}),
                    "parameters": tool.parameters or {"type": "object", "properties": {}},
                },
            }
            for tool in tools
        ]
    }
    if all(tool.strict for tool in tools):  # it is said of all or none; of some it stays a wish
        body["strict_tools"] = True
    if choice is None:
        return body
    if choice.use in (ToolUse.REQUIRED, ToolUse.NAMED):
        body["tool_choice"] = "REQUIRED"
        if choice.use is ToolUse.NAMED and len(tools) > 1:
            losses.lose("tool_choice.name")
    elif choice.use is ToolUse.NONE:
        body["tool_choice"] = "NONE"
    if choice.parallel is False:
        losses.lose("tool_choice.parallel")
    return body


def _sampling(sampling: Sampling, losses: Losses) -> Block:
    for name in _NOWHERE:
        if asks(sampling, name):
            losses.lose(f"sampling.{name}")
    stop = sampling.stop
    if len(stop) > _MOST_STOPS:
        losses.lose("sampling.stop")
        stop = stop[:_MOST_STOPS]
    top_k = sampling.top_k
    if top_k is not None and top_k > _LARGEST_K:
        losses.lose("sampling.top_k")
        top_k = None
    body: Block = {
        "temperature": sampling.temperature,
        "p": None if sampling.top_p is None else min(max(sampling.top_p, _NARROWEST_P), _WIDEST_P),
        "k": top_k,
        "seed": sampling.seed,
        "stop_sequences": list(stop) or None,
        "logprobs": sampling.logprobs,
    }
    for name in _PENALTIES:
        penalty = getattr(sampling, name)
        if penalty is not None and not 0 <= penalty <= 1:
            losses.lose(f"sampling.{name}")
        else:
            body[name] = penalty
    return {name: value for name, value in body.items() if value is not None}


def _thinking(reasoning: Reasoning | None, limit: int, losses: Losses) -> Block:
    if reasoning is None:
        return {}
    if is_off(reasoning):
        return {"thinking": {"type": "disabled"}}
    if reasoning.effort is None and (reasoning.budget_tokens is None or reasoning.budget_tokens < 0):
        return {"thinking": {"type": "enabled"}}
    if reasoning.budget_tokens is not None and reasoning.budget_tokens > 0:
        budget = fitting(reasoning.budget_tokens, limit)
    else:
        assert reasoning.effort is not None
        budget = budget_of(reasoning.effort, limit)
    if budget <= 0:
        losses.lose("reasoning")
        return {}
    return {"thinking": {"type": "enabled", "token_budget": budget}}


def _output(output: OutputFormat | None) -> Block:
    match output:
        case OutputFormat(kind=OutputKind.JSON):
            return {"response_format": {"type": "json_object"}}
        case OutputFormat(kind=OutputKind.SCHEMA):
            return {"response_format": {"type": "json_object", "json_schema": output.schema}}
        case _:
            return {}
