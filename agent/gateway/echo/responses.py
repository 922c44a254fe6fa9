"""The echo's voice at `/v1/responses`, as OpenAI speaks it."""

from __future__ import annotations

from collections.abc import Iterator

from agent.errors import ContentError
from agent.gateway.echo.chat import openai_error
from agent.gateway.echo.reply import Asked, Call, JsonObject, Request, Say, Stamp, Tool, Turn, pieces, said
from agent.gateway.echo.wire import encode, objects, sse, texts, word

_RESULTS = ("function_call_output", "custom_tool_call_output", "local_shell_call_output")


class Responses:
    """The Responses API. Source: platform.openai.com/docs/api-reference/responses, the SDK's types."""

    def stream_type(self, turn: Turn) -> str:
        """Server-sent events."""
        return "text/event-stream; charset=utf-8"

    def read(self, request: Request) -> Asked:
        """The input itself, or its last user item's last text and the tool outputs after it."""
        given = request.body.get("input")
        if not isinstance(given, str | list):
            raise ContentError("Missing required parameter: 'input'.")
        text = given if isinstance(given, str) else ""
        results: list[str] = []
        for item in objects(given):
            if item.get("role") == "user":
                parts = texts(item.get("content"), "input_text", "text")
                text, results = (parts[-1] if parts else text), []
            elif item.get("type") in _RESULTS:
                results.append("".join(texts(item.get("output"), "input_text", "output_text")))
        return Asked(
            model=word(request.body, "model"),
            stream=request.body.get("stream") is True,
            text=text,
            results=tuple(results),
            tools=tuple(_tools(request.body)),
        )

    def whole(self, turn: Turn) -> bytes:
        """A completed `response` object."""
        return encode(_completed(turn))

    def stream(self, turn: Turn, piece: int) -> Iterator[bytes]:
        """`response.created` … `response.completed`, numbered."""
        for number, (name, fields) in enumerate(_events(turn, piece)):
            yield sse({"type": name, "sequence_number": number, **fields}, event=name)

    def error(self, status: int, message: str, stamp: Stamp) -> bytes:
        """OpenAI's error object."""
        return openai_error(status, message)


def _tools(body: JsonObject) -> Iterator[Tool]:
    """The tools offered with the request, and those its input adds (as Codex does), namespaces opened."""
    yield from _flat(objects(body.get("tools")), "")
    for item in objects(body.get("input")):
        if item.get("type") == "additional_tools":
            yield from _flat(objects(item.get("tools")), "")


def _flat(tools: Iterator[JsonObject], namespace: str) -> Iterator[Tool]:
    for tool in tools:
        match tool:
            case {"type": "namespace", "name": str(name)} if not namespace:
                yield from _flat(objects(tool.get("tools")), name)
            case {"type": "function" | "custom" as kind, "name": str(name)}:
                yield Tool(name=name, namespace=namespace, free=kind == "custom")


def _events(turn: Turn, piece: int) -> Iterator[tuple[str, JsonObject]]:
    begun = {**_response(turn), "status": "in_progress", "output": [], "usage": None}
    yield "response.created", {"response": begun}
    yield "response.in_progress", {"response": begun}
    yield "response.output_item.added", {"output_index": 0, "item": _item(turn, done=False)}
    match turn.reply:
        case Say():
            yield from _text_events(turn, turn.reply.text, piece)
        case Call():
            yield from _call_events(turn, turn.reply, piece)
    yield "response.output_item.done", {"output_index": 0, "item": _item(turn, done=True)}
    yield "response.completed", {"response": _completed(turn)}


def _text_events(turn: Turn, text: str, piece: int) -> Iterator[tuple[str, JsonObject]]:
    place: JsonObject = {"item_id": _item_id(turn), "output_index": 0, "content_index": 0}
    yield "response.content_part.added", {**place, "part": _text_part("")}
    for delta in pieces(text, piece):
        fields: JsonObject = {"delta": delta, "logprobs": [], "obfuscation": "x" * 7}
        yield "response.output_text.delta", {**place, **fields}
    yield "response.output_text.done", {**place, "text": text, "logprobs": []}
    yield "response.content_part.done", {**place, "part": _text_part(text)}


def _call_events(turn: Turn, call: Call, piece: int) -> Iterator[tuple[str, JsonObject]]:
    place: JsonObject = {"item_id": _item_id(turn), "output_index": 0}
    event, key = (
        ("response.custom_tool_call_input", "input")
        if call.tool.free
        else ("response.function_call_arguments", "arguments")
    )
    for delta in pieces(call.arguments, piece):
        yield f"{event}.delta", {**place, "delta": delta, "obfuscation": "x" * 7}
    yield f"{event}.done", {**place, "name": call.tool.name, key: call.arguments}


def _item(turn: Turn, *, done: bool) -> JsonObject:
    head: JsonObject = {"id": _item_id(turn), "status": "completed" if done else "in_progress"}
    match turn.reply:
        case Say():
            content = [_text_part(turn.reply.text)] if done else []
            return {**head, "type": "message", "role": "assistant", "content": content}
        case Call(tool=tool):
            kind, key = ("custom_tool_call", "input") if tool.free else ("function_call", "arguments")
            named = {"name": tool.name} | ({"namespace": tool.namespace} if tool.namespace else {})
            arguments = said(turn.reply) if done else ""
            return {**head, "type": kind, "call_id": f"call_{turn.stamp.token}", **named, key: arguments}


def _item_id(turn: Turn) -> str:
    match turn.reply:
        case Say():
            return f"msg_{turn.stamp.token}"
        case Call(tool=tool):
            return f"{'ctc' if tool.free else 'fc'}_{turn.stamp.token}"


def _text_part(text: str) -> JsonObject:
    return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}


def _completed(turn: Turn) -> JsonObject:
    return {
        **_response(turn),
        "status": "completed",
        "completed_at": turn.stamp.created,
        "output": [_item(turn, done=True)],
        "usage": {
            "input_tokens": turn.request.tokens,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": turn.tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": turn.request.tokens + turn.tokens,
        },
    }


def _response(turn: Turn) -> JsonObject:
    """What every state of the response has in common; it repeats what was set, `instructions` too."""
    body = turn.request.body
    return {
        "id": f"resp_{turn.stamp.token}",
        "object": "response",
        "created_at": turn.stamp.created,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "max_tool_calls": None,
        "model": turn.asked.model,
        "parallel_tool_calls": body.get("parallel_tool_calls", True),
        "previous_response_id": body.get("previous_response_id"),
        "prompt_cache_key": body.get("prompt_cache_key"),
        "reasoning": {"effort": None, "summary": None},
        "safety_identifier": None,
        "service_tier": "default",
        "store": body.get("store", True),
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": body.get("tools", []),
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "user": None,
        "metadata": body.get("metadata") or {},
    }
