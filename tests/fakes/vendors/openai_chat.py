"""OpenAI's Chat Completions, and the servers that speak it. Source: platform.openai.com/docs/api-reference/chat.

Thoughts come as `reasoning_content`, as DeepSeek, vLLM and others give them; OpenAI itself gives none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from openai.types.chat import completion_create_params as params

from tests.fakes.vendors import openai_errors
from tests.fakes.vendors.scene import (
    Answer,
    Json,
    Refusal,
    Request,
    Said,
    demand,
    picture_in,
    pieces,
    said,
    sse,
    streamed,
    whole,
)
from tests.fakes.vendors.shapes import complaints

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_REPEATED = frozenset({"annotations", "refusal", "audio", "function_call", "reasoning_content", "name"})
"""What stands in answers, and may come back with them, though the types of requests do not all have it."""


class OpenAIChat:
    """See the module."""

    def serves(self, path: str) -> bool:
        """…/chat/completions."""
        return path.endswith("/chat/completions")

    def error(self, refusal: Refusal) -> bytes:
        """OpenAI's."""
        return openai_errors.body(refusal)

    def answer(self, request: Request) -> Answer:
        """A `chat.completion`, or its chunks."""
        openai_errors.authenticate(request)
        body = request.body
        streams = body.get("stream") is True
        kind = (
            params.CompletionCreateParamsStreaming if streams else params.CompletionCreateParamsNonStreaming
        )
        for complaint in complaints(_without_repeated(body), kind):
            raise Refusal(f"Invalid value: {complaint}")
        _check(body)
        answer = _said(body)
        return streamed(_chunks(request, answer)) if streams else whole(_completion(request, answer))


def _without_repeated(body: Json) -> Json:
    if not isinstance(body.get("messages"), list):
        return body
    messages = [
        {name: value for name, value in each.items() if name not in _REPEATED}
        if isinstance(each, dict)
        else each
        for each in body["messages"]
    ]
    return body | {"messages": messages}


def _check(body: Json) -> None:
    demand(body["messages"], "Invalid 'messages': empty array. Expected an array with minimum length 1.")
    demand(
        "stream_options" not in body or body.get("stream"), "'stream_options' is only allowed when streaming."
    )
    demand(
        "max_tokens" not in body or "max_completion_tokens" not in body,
        "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
    )
    tools = body.get("tools")
    demand(tools is None or tools, "Invalid 'tools': empty array. Expected an array with minimum length 1.")
    for needed in ("tool_choice", "parallel_tool_calls"):
        demand(needed not in body or tools, f"'{needed}' is only allowed when 'tools' are specified.")
    for tool in tools or ():
        demand(
            _NAME.fullmatch(tool["function"]["name"]),
            "Invalid 'tools[0].function.name': string does not match",
        )
        parameters = tool["function"].get("parameters", {"type": "object"})
        demand(
            parameters.get("type") == "object", "Invalid schema for function: schema must be of type object"
        )
    _check_calls(body["messages"])


def _check_calls(messages: list[Json]) -> None:
    """Every call is answered before anything else is said, and nothing is answered that was not called."""
    open_calls: set[str] = set()
    for place, message in enumerate(messages):
        if message["role"] == "tool":
            demand(
                message["tool_call_id"] in open_calls,
                "messages with role 'tool' must be a response to a preceding message with 'tool_calls'.",
            )
            open_calls.remove(message["tool_call_id"])
            continue
        _demand_answered(open_calls)
        calls = message.get("tool_calls")
        demand(calls is None or calls, f"Invalid 'messages[{place}].tool_calls': empty array.")
        for call in calls or ():
            demand(
                len(call["id"]) <= 40, f"Invalid 'messages[{place}].tool_calls[0].id': string too long (40)."
            )
            open_calls.add(call["id"])
        demand(
            message["role"] != "assistant" or calls or message.get("content") is not None,
            f"Invalid value for 'content' of messages.{place}: expected a string, got null.",
        )
    _demand_answered(open_calls)


def _demand_answered(open_calls: set[str]) -> None:
    demand(
        not open_calls,
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "
        f"The following tool_call_ids did not have response messages: {', '.join(open_calls)}",
    )


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content or ()) if isinstance(content, list) else ""


def _said(body: Json) -> Said:
    text, results = "", []
    for message in body["messages"]:
        if message["role"] == "user":
            text, results = _text(message["content"]), []
        elif message["role"] == "tool":
            results.append(_text(message["content"]))
    tools = tuple(tool["function"]["name"] for tool in body.get("tools", ()))
    thinks = body.get("reasoning_effort") not in (None, "none")
    parts = [
        part for each in body["messages"] if isinstance(each.get("content"), list) for part in each["content"]
    ]
    pictures = [picture_in(part["image_url"]["url"]) for part in parts if part["type"] == "image_url"]
    form = body.get("response_format") or {}
    return said(
        text,
        tuple(results),
        tools,
        thinks=thinks,
        schema=form["json_schema"]["schema"] if form.get("type") == "json_schema" else None,
        picture=pictures[-1] if pictures else None,
    )


def _head(request: Request, kind: str) -> Json:
    return {"id": "chatcmpl-v1", "object": kind, "created": 1_760_000_000, "model": request.body["model"]}


def _completion(request: Request, answer: Said) -> Json:
    message: Json = {"role": "assistant", "content": answer.text or None, "refusal": None, "annotations": []}
    if answer.thought:
        message["reasoning_content"] = answer.thought
    if answer.calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.text}}
            for call in answer.calls
        ]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(answer)}
    return {**_head(request, "chat.completion"), "choices": [choice], "usage": _usage(request, answer)}


def _chunks(request: Request, answer: Said) -> Iterator[bytes]:
    counted = request.body.get("stream_options", {}).get("include_usage") is True
    head = _head(request, "chat.completion.chunk") | ({"usage": None} if counted else {})

    def chunk(delta: Json, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return sse({**head, "choices": [choice]})

    yield chunk({"role": "assistant", "content": "", "refusal": None})
    for piece in pieces(answer.thought):
        yield chunk({"reasoning_content": piece})
    for piece in pieces(answer.text):
        yield chunk({"content": piece})
    for index, call in enumerate(answer.calls):
        function = {"name": call.name, "arguments": ""}
        yield chunk(
            {"tool_calls": [{"index": index, "id": call.id, "type": "function", "function": function}]}
        )
        for piece in pieces(call.text):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    yield chunk({}, _finish(answer))
    if counted:
        yield sse({**head, "choices": [], "usage": _usage(request, answer)})
    yield b"data: [DONE]\n\n"


def _finish(answer: Said) -> str:
    return "tool_calls" if answer.calls else "stop"


def _usage(request: Request, answer: Said) -> Json:
    return {
        "prompt_tokens": request.tokens,
        "completion_tokens": answer.tokens,
        "total_tokens": request.tokens + answer.tokens,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": answer.thought_tokens},
    }
