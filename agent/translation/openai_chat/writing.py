"""A Chat Completions request, written.

Only what OpenAI's own reference knows is written unasked: OpenAI refuses a request with a field it does not know. What
compatible servers take beyond that is written where their catalog row says so (`Quirks.accepts`): `cache_control`,
`extra_content`, `file_url`, `reasoning`, `reasoning_content`, `reasoning_details`, `top_k`, `video_url`. What they lack
is in `Quirks.unsupported`: the hub's names, `usage_in_stream` for `stream_options`, `content.parts` for texts in parts.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from agent.model.conversation import (
    Conversation,
    OutputFormat,
    OutputKind,
    Reasoning,
    Sampling,
    Tool,
    ToolChoice,
    ToolUse,
)
from agent.translation.base import Losses, Quirks
from agent.translation.documents import write_document
from agent.translation.fitting import fitted
from agent.translation.openai_chat.turns import MessageWriter, write_cache
from agent.translation.reasoning import effort_wanted

_LONGEST_NAME = 64
_SAMPLING = (
    ("temperature", "temperature"),
    ("top_p", "top_p"),
    ("top_k", "top_k"),
    ("seed", "seed"),
    ("frequency_penalty", "frequency_penalty"),
    ("presence_penalty", "presence_penalty"),
    ("choices", "n"),
    ("logprobs", "logprobs"),
    ("top_logprobs", "top_logprobs"),
)


def write_request(conversation: Conversation, losses: Losses, quirks: Quirks) -> bytes:
    """The body. What the format cannot say goes to `losses`."""
    conversation = fitted(conversation, quirks, losses)
    body: dict[str, object] = {
        "model": conversation.model,
        "messages": MessageWriter(losses, quirks).write(conversation.turns),
    }
    if conversation.tools:
        hinted = "cache_control" in quirks.accepts
        body["tools"] = [_write_tool(tool, hinted=hinted) for tool in conversation.tools]
        if conversation.tool_choice is not None:
            _write_choice(body, conversation.tool_choice)
    _write_sampling(body, conversation.sampling, losses, quirks)
    if conversation.reasoning is not None:
        _write_reasoning(body, conversation.reasoning, quirks)
    if conversation.output is not None and conversation.output.kind is not OutputKind.TEXT:
        body["response_format"] = _write_output(conversation.output)
    if conversation.user:
        body["user"] = _short(conversation.user)
    if conversation.stream:
        body["stream"] = True
        if "usage_in_stream" not in quirks.unsupported:  # always: accounts are settled with it
            body["stream_options"] = {"include_usage": True}
    return write_document(body)


def _short(user: str) -> str:
    """OpenAI refuses names of more than 64 characters, such as Claude Code's. A digest tells users apart, too."""
    return user if len(user) <= _LONGEST_NAME else hashlib.sha256(user.encode("utf-8", "replace")).hexdigest()


def _write_tool(tool: Tool, *, hinted: bool) -> dict[str, object]:
    function: dict[str, object] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    if tool.parameters:
        function["parameters"] = tool.parameters
    if tool.strict is not None:
        function["strict"] = tool.strict
    written: dict[str, object] = {"type": "function", "function": function}
    if hinted and tool.cache is not None:
        written["cache_control"] = write_cache(tool.cache)
    return written


def _write_choice(body: dict[str, object], choice: ToolChoice) -> None:
    if choice.use is ToolUse.NAMED:
        body["tool_choice"] = {"type": "function", "function": {"name": choice.name}}
    else:
        body["tool_choice"] = choice.use.value
    if choice.parallel is not None:
        body["parallel_tool_calls"] = choice.parallel


def _write_sampling(body: dict[str, object], sampling: Sampling, losses: Losses, quirks: Quirks) -> None:
    if sampling.max_tokens is not None:
        body[quirks.max_tokens_field or "max_completion_tokens"] = sampling.max_tokens
    if sampling.top_k is not None and "top_k" not in quirks.accepts:
        losses.lose("sampling.top_k")
        sampling = replace(sampling, top_k=None)
    for field, name in _SAMPLING:
        value = getattr(sampling, field)
        if value is not None:
            body[name] = value
    if sampling.stop:
        body["stop"] = list(sampling.stop)


def _write_reasoning(body: dict[str, object], reasoning: Reasoning, quirks: Quirks) -> None:
    """A budget is told as a budget where the server takes OpenRouter's object, else as an effort."""
    budget = reasoning.budget_tokens
    if "reasoning" in quirks.accepts and reasoning.effort is None and budget is not None and budget > 0:
        body["reasoning"] = {"max_tokens": budget}
        return
    effort = effort_wanted(reasoning)
    if effort is not None:
        body["reasoning_effort"] = effort.value


def _write_output(output: OutputFormat) -> dict[str, object]:
    if output.kind is OutputKind.JSON:
        return {"type": "json_object"}
    inner: dict[str, object] = {"name": output.name or "answer", "schema": output.schema}
    if output.description:
        inner["description"] = output.description
    if output.strict is not None:
        inner["strict"] = output.strict
    return {"type": "json_schema", "json_schema": inner}
