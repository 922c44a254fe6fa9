"""Anthropic's Messages. Source: platform.claude.com/docs/en/api/messages, …/api/migration-2026-10-21 and its
guides to tools and thinking.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from anthropic.types import message_create_params as params

from tests.fakes.vendors.scene import (
    KEYS,
    SIGNATURE,
    THOUGHT,
    Answer,
    Json,
    Refusal,
    Request,
    Said,
    demand,
    encoded,
    pieces,
    said,
    sse,
    streamed,
    whole,
)
from tests.fakes.vendors.shapes import complaints

_ID = re.compile(r"[a-zA-Z0-9_-]+")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_KINDS = {400: "invalid_request_error", 401: "authentication_error", 404: "not_found_error"}
_VERSIONS = ("2023-06-01", "2026-10-21")
_DRAWN = frozenset({"temperature", "top_p", "top_k"})  # gone with the newer version, and from the SDK's types
_THOUGHTS = ("thinking", "redacted_thinking")


class Anthropic:
    """See the module."""

    def serves(self, path: str) -> bool:
        """…/v1/messages and the counting of its tokens."""
        return path.endswith(("/v1/messages", "/v1/messages/count_tokens"))

    def error(self, refusal: Refusal) -> bytes:
        """Anthropic's."""
        error = {"type": _KINDS.get(refusal.status, "api_error"), "message": str(refusal)}
        return encoded({"type": "error", "error": error, "request_id": "req_v1"})

    def answer(self, request: Request) -> Answer:
        """A `message`, or its events."""
        shown = request.headers.get("x-api-key") or request.headers.get("authorization", "").removeprefix(
            "Bearer "
        )
        demand(shown == KEYS["anthropic"], "invalid x-api-key", 401)
        version = request.headers.get("anthropic-version", "")
        demand(version in _VERSIONS, f"anthropic-version: {version!r} is not a valid version")
        body = _without_beta(request)
        if request.path.endswith("/count_tokens"):
            return whole({"input_tokens": request.tokens})
        streams = body.get("stream") is True
        kind = params.MessageCreateParamsStreaming if streams else params.MessageCreateParamsNonStreaming
        drawn = {name: value for name, value in body.items() if name in _DRAWN}
        demand(version == "2023-06-01" or not drawn, f"{', '.join(drawn)}: not supported in this API version")
        for complaint in complaints({name: value for name, value in body.items() if name not in drawn}, kind):
            raise Refusal(complaint.removeprefix("."))
        _check(body)
        answer = _said(body)
        return streamed(_events(request, answer)) if streams else whole(_message(request, answer))


def _without_beta(request: Request) -> Json:
    """The body with the answer's form in its later place, where the beta's header lets it stand in the earlier."""
    body = dict(request.body)
    if (
        "structured-outputs-2025-11-13" in request.headers.get("anthropic-beta", "")
        and "output_format" in body
    ):
        body["output_config"] = body.get("output_config", {}) | {"format": body.pop("output_format")}
    return body


def _blocks(message: Json) -> list[Json]:
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def _check(body: Json) -> None:
    messages = body["messages"]
    demand(messages, "messages: at least one message is required")
    demand(messages[0]["role"] == "user", 'messages: first message must use the "user" role')
    demand(body["max_tokens"] >= 1, "max_tokens: Input should be greater than or equal to 1")
    names = [tool["name"] for tool in body.get("tools", ())]
    demand(len(set(names)) == len(names), "tools: Tool names must be unique.")
    for name in names:
        demand(
            _NAME.fullmatch(name), "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'"
        )
    for tool in body.get("tools", ()):
        demand(
            tool["input_schema"].get("type") == "object", "tools.0.custom.input_schema.type: Field required"
        )
    demand("tool_choice" not in body or names, "tool_choice: may only be specified while providing tools")
    used = any(block["type"] in ("tool_use", "tool_result") for each in messages for block in _blocks(each))
    demand(names or not used, "Requests which include `tool_use` or `tool_result` blocks must define tools")
    _check_thinking(body)
    for place in range(len(messages)):
        _check_message(messages, place)


def _thinks(body: Json) -> bool:
    return (body.get("thinking") or {}).get("type") in ("enabled", "adaptive")


def _check_thinking(body: Json) -> None:
    if not _thinks(body):
        return
    budget = body["thinking"].get("budget_tokens")
    if budget is not None:
        demand(
            budget >= 1024, "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"
        )
        demand(body["max_tokens"] > budget, "`max_tokens` must be greater than `thinking.budget_tokens`")
    demand(body.get("temperature", 1) == 1, "`temperature` may only be set to 1 when thinking is enabled")
    demand("top_k" not in body, "`top_k` must be unset when thinking is enabled")
    forced = (body.get("tool_choice") or {}).get("type") in ("any", "tool")
    demand(not forced, "Thinking may not be enabled when tool_choice forces tool use.")
    if budget is None:
        return  # adaptive: earlier turns need not begin with a thought
    last = [each for each in body["messages"] if each["role"] == "assistant"][-1:]
    for message in last:
        blocks = _blocks(message)
        running = blocks[-1]["type"] == "tool_use"
        demand(
            not running or blocks[0]["type"] in _THOUGHTS,
            f"Expected `thinking` or `redacted_thinking`, but found `{blocks[0]['type']}`. When `thinking` is on, a "
            "final `assistant` message must start with a thinking block.",
        )


def _check_message(messages: list[Json], place: int) -> None:
    at = f"messages.{place}"
    blocks = _blocks(messages[place])
    demand(blocks or place == len(messages) - 1, f"{at}: all messages must have non-empty content")
    for number, block in enumerate(blocks):
        match block["type"]:
            case "text":
                demand(block["text"].strip(), f"{at}: text content blocks must be non-empty")
            case "thinking":
                whole_thought = (block["thinking"], block["signature"]) == (THOUGHT, SIGNATURE)
                demand(whole_thought, f"{at}.content.{number}: Invalid `signature` in `thinking` block")
            case "tool_use":
                demand(
                    _ID.fullmatch(block["id"]),
                    f"{at}.content.{number}.tool_use.id: String should match pattern",
                )
    calls = [block["id"] for block in blocks if block["type"] == "tool_use"]
    demand(len(set(calls)) == len(calls), f"{at}: `tool_use` ids must be unique")
    following = _blocks(messages[place + 1]) if place + 1 < len(messages) else []
    results = [block["tool_use_id"] for block in following if block["type"] == "tool_result"]
    missing = sorted(set(calls) - set(results))
    demand(
        not missing,
        f"{at}: `tool_use` ids were found without `tool_result` blocks immediately after: {missing}",
    )
    foreign = sorted(set(results) - set(calls))
    demand(not foreign, f"{at}: unexpected `tool_use_id` found in `tool_result` blocks: {foreign}")
    kinds = [block["type"] == "tool_result" for block in following]
    demand(kinds == sorted(kinds, reverse=True), f"{at}: `tool_result` blocks must come first")


def _said(body: Json) -> Said:
    text, results = "", []
    for message in body["messages"]:
        if message["role"] != "user":
            continue
        results = [_result(block) for block in _blocks(message) if block["type"] == "tool_result"]
        text = next((block["text"] for block in _blocks(message) if block["type"] == "text"), text)
    tools = tuple(tool["name"] for tool in body.get("tools", ()))
    blocks = [block for message in body["messages"] for block in _blocks(message)]
    sources = [block["source"] for block in blocks if block["type"] == "image"]
    form = (body.get("output_config") or {}).get("format")
    return said(
        text,
        tuple(results),
        tools,
        thinks=_thinks(body),
        prefix="toolu_",
        schema=form["schema"] if form else None,
        picture=(sources[-1]["media_type"], sources[-1]["data"]) if sources else None,
    )


def _result(block: Json) -> str:
    content = block.get("content", "")
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def _content(answer: Said) -> Iterator[Json]:
    if answer.thought:
        yield {"type": "thinking", "thinking": answer.thought, "signature": SIGNATURE}
    if answer.text:
        yield {"type": "text", "text": answer.text, "citations": None}
    for call in answer.calls:
        yield {"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments}


def _head(request: Request) -> Json:
    head = {"id": "msg_v1", "type": "message", "role": "assistant", "model": request.body["model"]}
    return head | {"content": [], "stop_reason": None, "stop_sequence": None, "usage": _usage(request, 1)}


def _message(request: Request, answer: Said) -> Json:
    whole_answer = {"content": list(_content(answer)), "stop_reason": _stop(answer)}
    return _head(request) | whole_answer | {"usage": _usage(request, answer.tokens)}


def _events(request: Request, answer: Said) -> Iterator[bytes]:
    def event(name: str, **fields: object) -> bytes:
        return sse({"type": name, **fields}, event=name)

    yield event("message_start", message=_head(request))
    yield event("ping")
    for index, block in enumerate(_content(answer)):
        empty = {"thinking": "", "signature": "", "text": "", "input": {}}
        begun = block | {name: value for name, value in empty.items() if name in block}
        yield event("content_block_start", index=index, content_block=begun)
        for delta in _deltas(block, answer):
            yield event("content_block_delta", index=index, delta=delta)
        yield event("content_block_stop", index=index)
    end = {"stop_reason": _stop(answer), "stop_sequence": None}
    yield event("message_delta", delta=end, usage=_usage_at_end(request, answer))
    yield event("message_stop")


def _deltas(block: Json, answer: Said) -> Iterator[Json]:
    match block["type"]:
        case "thinking":
            for piece in pieces(block["thinking"]):
                yield {"type": "thinking_delta", "thinking": piece}
            yield {"type": "signature_delta", "signature": block["signature"]}
        case "text":
            for piece in pieces(block["text"]):
                yield {"type": "text_delta", "text": piece}
        case _:
            call = next(each for each in answer.calls if each.id == block["id"])
            for piece in ("", *pieces(call.text)):
                yield {"type": "input_json_delta", "partial_json": piece}


def _stop(answer: Said) -> str:
    return "tool_use" if answer.calls else "end_turn"


def _usage_at_end(request: Request, answer: Said) -> Json:
    return {name: count for name, count in _usage(request, answer.tokens).items() if name != "service_tier"}


def _usage(request: Request, output: int) -> Json:
    return {
        "input_tokens": request.tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": output,
        "service_tier": "standard",
    }
