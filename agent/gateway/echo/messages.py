"""The echo's voice at `/v1/messages`, as Anthropic speaks it."""

from __future__ import annotations

from collections.abc import Iterator

from agent.errors import ContentError
from agent.gateway.echo.reply import Asked, Call, JsonObject, Request, Say, Stamp, Turn, pieces, said
from agent.gateway.echo.wire import encode, functions, objects, sse, texts, word

_ERRORS = {
    400: "invalid_request_error",
    404: "not_found_error",
    405: "invalid_request_error",
    413: "request_too_large",
}


class Messages:
    """The Messages API. Source: docs.anthropic.com/en/api/messages and the official SDK's types."""

    def stream_type(self, turn: Turn) -> str:
        """Server-sent events."""
        return "text/event-stream; charset=utf-8"

    def read(self, request: Request) -> Asked:
        """The last user message's last text; a message that carries tool results is about those."""
        messages = tuple(objects(request.body.get("messages")))
        if not messages:
            raise ContentError("messages: at least one message is required")
        text = ""
        results: tuple[str, ...] = ()
        for message in messages:
            if message.get("role") == "user":
                written = texts(message.get("content"), "text")
                results = _results(message)
                text = written[-1] if written else text
        return Asked(
            model=word(request.body, "model"),
            stream=request.body.get("stream") is True,
            text=text,
            results=results,
            tools=functions(objects(request.body.get("tools"))),
        )

    def whole(self, turn: Turn) -> bytes:
        """A `message` object."""
        match turn.reply:
            case Say():
                block: JsonObject = {"type": "text", "text": turn.reply.text}
            case Call():
                block = {**_tool_use(turn, turn.reply), "input": turn.reply.values}
        message = {**_message(turn), "content": [block], "stop_reason": _stop(turn)}
        return encode({**message, "usage": _usage(turn, turn.tokens)})

    def stream(self, turn: Turn, piece: int) -> Iterator[bytes]:
        """`message_start` … `message_stop`, with the customary ping after the first block has begun."""
        match turn.reply:
            case Say():
                block: JsonObject = {"type": "text", "text": ""}
                deltas = [{"type": "text_delta", "text": text} for text in pieces(said(turn.reply), piece)]
            case Call():
                block = {**_tool_use(turn, turn.reply), "input": {}}
                parts = ("", *pieces(turn.reply.arguments, piece))
                deltas = [{"type": "input_json_delta", "partial_json": part} for part in parts]
        start = {**_message(turn), "content": [], "stop_reason": None, "usage": _usage(turn, 1)}
        yield _event("message_start", {"message": start})
        yield _event("content_block_start", {"index": 0, "content_block": block})
        yield _event("ping", {})
        for delta in deltas:
            yield _event("content_block_delta", {"index": 0, "delta": delta})
        yield _event("content_block_stop", {"index": 0})
        end = {"stop_reason": _stop(turn), "stop_sequence": None}
        yield _event("message_delta", {"delta": end, "usage": _final_usage(turn)})
        yield _event("message_stop", {})

    def error(self, status: int, message: str, stamp: Stamp) -> bytes:
        """Anthropic's error object."""
        kind = _ERRORS.get(status, "api_error")
        error = {"type": kind, "message": message}
        return encode({"type": "error", "error": error, "request_id": f"req_{stamp.token}"})


def _event(name: str, fields: JsonObject) -> bytes:
    return sse({"type": name, **fields}, event=name)


def _message(turn: Turn) -> JsonObject:
    return {
        "model": turn.asked.model,
        "id": f"msg_{turn.stamp.token}",
        "type": "message",
        "role": "assistant",
        "stop_sequence": None,
    }


def _tool_use(turn: Turn, call: Call) -> JsonObject:
    return {"type": "tool_use", "id": f"toolu_{turn.stamp.token}", "name": call.tool.name}


def _stop(turn: Turn) -> str:
    return "tool_use" if isinstance(turn.reply, Call) else "end_turn"


def _usage(turn: Turn, output: int) -> JsonObject:
    return {
        "input_tokens": turn.request.tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens": output,
        "service_tier": "standard",
    }


def _final_usage(turn: Turn) -> JsonObject:
    return {
        "input_tokens": turn.request.tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": turn.tokens,
    }


def _results(message: JsonObject) -> tuple[str, ...]:
    blocks = (block for block in objects(message.get("content")) if block.get("type") == "tool_result")
    return tuple("".join(texts(block.get("content"), "text")) for block in blocks)
