"""The echo's voice at `/v1/chat/completions`, as OpenAI speaks it."""

from __future__ import annotations

from collections.abc import Iterator

from agent.errors import ContentError
from agent.gateway.echo.reply import Asked, Call, JsonObject, Request, Say, Stamp, Turn, pieces, said
from agent.gateway.echo.wire import encode, functions, member, objects, sse, texts, word

CHOICES_LIMIT = 8
"""The most answers (`n`) given to one request."""


class Chat:
    """Chat completions. Source: platform.openai.com/docs/api-reference/chat and the official SDK's types."""

    def stream_type(self, turn: Turn) -> str:
        """Server-sent events."""
        return "text/event-stream; charset=utf-8"

    def read(self, request: Request) -> Asked:
        """The last user message's last text and the tool messages after it."""
        messages = tuple(objects(request.body.get("messages")))
        if not messages:
            raise ContentError("Invalid 'messages': empty array. Expected an array with minimum length 1.")
        text = ""
        results: list[str] = []
        for message in messages:
            parts = texts(message.get("content"), "text")
            match message.get("role"):
                case "user":
                    text, results = (parts[-1] if parts else text), []
                case "tool" | "function":
                    results.append("".join(parts))
        return Asked(
            model=word(request.body, "model"),
            stream=request.body.get("stream") is True,
            text=text,
            results=tuple(results),
            tools=functions(member(tool, "function") for tool in objects(request.body.get("tools"))),
        )

    def whole(self, turn: Turn) -> bytes:
        """A `chat.completion` object."""
        choices = [
            {"index": index, "message": _message(turn), "logprobs": None, "finish_reason": _finish(turn)}
            for index in range(_choices(turn.request.body))
        ]
        return encode({**_head(turn, "chat.completion"), "choices": choices, "usage": _usage(turn)})

    def stream(self, turn: Turn, piece: int) -> Iterator[bytes]:
        """`chat.completion.chunk` objects, then `[DONE]`; with several choices their chunks take turns."""
        options = member(turn.request.body, "stream_options")
        counted = options.get("include_usage") is True
        padded = options.get("include_obfuscation") is not False
        head = {**_head(turn, "chat.completion.chunk"), **({"usage": None} if counted else {})}
        indices = range(_choices(turn.request.body))
        for delta, finish in (*_deltas(turn, piece), ({}, _finish(turn))):
            for index in indices:
                choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
                padding = {"obfuscation": "x" * 7} if padded else {}
                yield sse({**head, "choices": [choice], **padding})
        if counted:
            yield sse({**head, "choices": [], "usage": _usage(turn)})
        yield b"data: [DONE]\n\n"

    def error(self, status: int, message: str, stamp: Stamp) -> bytes:
        """OpenAI's error object."""
        return openai_error(status, message)


def openai_error(status: int, message: str) -> bytes:
    """The error object of all of OpenAI's APIs."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return encode({"error": {"message": message, "type": kind, "param": None, "code": None}})


def _head(turn: Turn, kind: str) -> JsonObject:
    return {
        "id": f"chatcmpl-{turn.stamp.token}",
        "object": kind,
        "created": turn.stamp.created,
        "model": turn.asked.model,
        "service_tier": "default",
        "system_fingerprint": "fp_echo",
    }


def _message(turn: Turn) -> JsonObject:
    match turn.reply:
        case Say():
            return {"role": "assistant", "content": turn.reply.text, "refusal": None, "annotations": []}
        case Call():
            function = {"name": turn.reply.tool.name, "arguments": turn.reply.arguments}
            call = {"id": f"call_{turn.stamp.token}", "type": "function", "function": function}
            return {
                "role": "assistant",
                "content": None,
                "tool_calls": [call],
                "refusal": None,
                "annotations": [],
            }


def _deltas(turn: Turn, piece: int) -> Iterator[tuple[JsonObject, str | None]]:
    """Each delta of a choice but the last, with its finish reason (none)."""
    match turn.reply:
        case Say():
            yield {"role": "assistant", "content": "", "refusal": None}, None
            for text in pieces(turn.reply.text, piece):
                yield {"content": text}, None
        case Call():
            function = {"name": turn.reply.tool.name, "arguments": ""}
            call = {"index": 0, "id": f"call_{turn.stamp.token}", "type": "function", "function": function}
            yield {"role": "assistant", "content": None, "tool_calls": [call], "refusal": None}, None
            for text in pieces(said(turn.reply), piece):
                yield {"tool_calls": [{"index": 0, "function": {"arguments": text}}]}, None


def _finish(turn: Turn) -> str:
    return "tool_calls" if isinstance(turn.reply, Call) else "stop"


def _usage(turn: Turn) -> JsonObject:
    completion = turn.tokens * _choices(turn.request.body)
    return {
        "prompt_tokens": turn.request.tokens,
        "completion_tokens": completion,
        "total_tokens": turn.request.tokens + completion,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _choices(body: JsonObject) -> int:
    wanted = body.get("n")
    return min(max(wanted, 1), CHOICES_LIMIT) if isinstance(wanted, int) else 1
