"""Answers as the four APIs stream them, and clients that read them: bytes in, the text a user would see out.

Written from the APIs' documentation, not with the dialects under test.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from agent.dialects.eventstream import MessageDecoder, event

type Json = dict[str, object]


class Voice(Protocol):
    """One API's way to stream a text, or a tool call's arguments."""

    dialect: str

    def events(self, pieces: Iterable[str]) -> list[bytes]:
        """A whole answer whose text arrives in these pieces."""
        ...

    def heard(self, stream: bytes) -> str:
        """The text a client puts together from the stream's deltas."""
        ...

    def repeated(self, stream: bytes) -> list[str]:
        """The same text, wherever the stream says it again as a whole."""
        ...


def read_sse(stream: bytes) -> Iterator[tuple[str, str]]:
    """Name and data of each event, as a client by the WHATWG standard reads them."""
    for block in stream.decode().split("\n\n"):
        name, data = "", []
        for line in block.split("\n"):
            field, _, value = line.partition(":")
            if field == "event":
                name = value.removeprefix(" ")
            elif field == "data":
                data.append(value.removeprefix(" "))
        if data:
            yield name, "\n".join(data)


def documents(stream: bytes) -> Iterator[Json]:
    """The JSON objects of a stream."""
    for _, data in read_sse(stream):
        if data != "[DONE]":
            yield json.loads(data)


def plain(document: object) -> bytes:
    """An event without a name."""
    return b"data: " + json.dumps(document).encode() + b"\n\n"


def named(document: Json) -> bytes:
    """An event named by its `type`."""
    return f"event: {document['type']}\ndata: {json.dumps(document)}\n\n".encode()


@dataclass(frozen=True)
class ChatText:
    """Chat Completions: content."""

    dialect: str = "openai-chat"
    choice: int = 0

    def piece(self, text: str) -> bytes:
        return self._chunk({"content": text})

    def events(self, pieces: Iterable[str]) -> list[bytes]:
        return [
            self._chunk({"role": "assistant", "content": ""}),
            *(self.piece(text) for text in pieces),
            self._chunk({}, finish_reason="stop"),
            plain({"id": "c", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 5}}),
            b"data: [DONE]\n\n",
        ]

    def heard(self, stream: bytes) -> str:
        return "".join(
            choice["delta"].get("content") or ""
            for document in documents(stream)
            for choice in document.get("choices", [])
            if choice["index"] == self.choice
        )

    def repeated(self, stream: bytes) -> list[str]:
        return []

    def _chunk(self, delta: Json, finish_reason: str | None = None) -> bytes:
        choice = {"index": self.choice, "delta": delta, "finish_reason": finish_reason}
        return plain({"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": [choice]})


@dataclass(frozen=True)
class ChatArguments(ChatText):
    """Chat Completions: the arguments of one tool call."""

    call: int = 0

    def piece(self, text: str) -> bytes:
        return self._chunk({"tool_calls": [{"index": self.call, "function": {"arguments": text}}]})

    def heard(self, stream: bytes) -> str:
        return "".join(
            call["function"].get("arguments", "")
            for document in documents(stream)
            for choice in document.get("choices", [])
            for call in choice["delta"].get("tool_calls", [])
            if choice["index"] == self.choice and call["index"] == self.call
        )


@dataclass(frozen=True)
class AnthropicText:
    """Messages: a text block."""

    dialect: str = "anthropic-messages"
    kind: str = "text_delta"
    field: str = "text"

    def piece(self, text: str) -> bytes:
        delta = {"type": self.kind, self.field: text}
        return named({"type": "content_block_delta", "index": 0, "delta": delta})

    def events(self, pieces: Iterable[str]) -> list[bytes]:
        message = {"id": "m", "role": "assistant", "model": "m", "content": [], "usage": {"input_tokens": 3}}
        block = {"type": "text", "text": ""}
        if self.field != "text":
            block = {"type": "tool_use", "id": "t", "name": "shell", "input": {}}
        return [
            named({"type": "message_start", "message": message}),
            named({"type": "content_block_start", "index": 0, "content_block": block}),
            named({"type": "ping"}),
            *(self.piece(text) for text in pieces),
            named({"type": "content_block_stop", "index": 0}),
            named(
                {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}}
            ),
            named({"type": "message_stop"}),
        ]

    def heard(self, stream: bytes) -> str:
        return "".join(
            document["delta"].get(self.field, "")
            for document in documents(stream)
            if document.get("type") == "content_block_delta"
        )

    def repeated(self, stream: bytes) -> list[str]:
        return []


@dataclass(frozen=True)
class ConverseText:
    """ConverseStream: a text block, in binary messages."""

    dialect: str = "bedrock-converse"

    def piece(self, text: str) -> bytes:
        return self._event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": text}})

    def events(self, pieces: Iterable[str]) -> list[bytes]:
        usage = {"inputTokens": 3, "outputTokens": 5, "totalTokens": 8}
        return [
            self._event("messageStart", {"role": "assistant"}),
            *(self.piece(text) for text in pieces),
            self._event("contentBlockStop", {"contentBlockIndex": 0}),
            self._event("messageStop", {"stopReason": "end_turn"}),
            self._event("metadata", {"usage": usage, "metrics": {"latencyMs": 1}}),
        ]

    def heard(self, stream: bytes) -> str:
        return "".join(
            json.loads(message.payload)["delta"]["text"]
            for message in MessageDecoder().feed(stream)
            if message.name == "contentBlockDelta"
        )

    def _event(self, name: str, payload: dict[str, object]) -> bytes:
        return event(name, json.dumps(payload).encode())


@dataclass(frozen=True)
class ResponsesText:
    """Responses: output text, said again three times when it is complete."""

    dialect: str = "openai-responses"

    def piece(self, text: str) -> bytes:
        return named(
            {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": text}
        )

    def events(self, pieces: Iterable[str]) -> list[bytes]:
        pieces = list(pieces)
        text = "".join(pieces)
        place = {"output_index": 0, "content_index": 0}
        part = {"type": "output_text", "text": text, "annotations": []}
        item = {"type": "message", "role": "assistant", "content": [part]}
        return [
            named({"type": "response.created", "response": {"id": "r", "model": "m", "output": []}}),
            *(self.piece(piece) for piece in pieces),
            named({"type": "response.output_text.done", **place, "text": text}),
            named({"type": "response.content_part.done", **place, "part": part}),
            named({"type": "response.output_item.done", "output_index": 0, "item": item}),
            named({"type": "response.completed", "response": _completed([item])}),
        ]

    def heard(self, stream: bytes) -> str:
        return "".join(
            document["delta"]
            for document in documents(stream)
            if document.get("type") == "response.output_text.delta"
        )

    def repeated(self, stream: bytes) -> list[str]:
        found = []
        for document in documents(stream):
            match document["type"]:
                case "response.output_text.done":
                    found.append(document["text"])
                case "response.content_part.done":
                    found.append(document["part"]["text"])
                case "response.output_item.done":
                    found.append(document["item"]["content"][0]["text"])
                case "response.completed":
                    found.append(document["response"]["output"][0]["content"][0]["text"])
        return found


@dataclass(frozen=True)
class ResponsesArguments:
    """Responses: a function call's arguments, said again three times when they are complete."""

    dialect: str = "openai-responses"

    def piece(self, text: str) -> bytes:
        return named({"type": "response.function_call_arguments.delta", "output_index": 0, "delta": text})

    def events(self, pieces: Iterable[str]) -> list[bytes]:
        pieces = list(pieces)
        text = "".join(pieces)
        item = {"type": "function_call", "call_id": "f", "name": "shell", "arguments": text}
        return [
            named({"type": "response.created", "response": {"id": "r", "model": "m", "output": []}}),
            *(self.piece(piece) for piece in pieces),
            named({"type": "response.function_call_arguments.done", "output_index": 0, "arguments": text}),
            named({"type": "response.output_item.done", "output_index": 0, "item": item}),
            named({"type": "response.completed", "response": _completed([item])}),
        ]

    def heard(self, stream: bytes) -> str:
        return "".join(
            document["delta"]
            for document in documents(stream)
            if document.get("type") == "response.function_call_arguments.delta"
        )

    def repeated(self, stream: bytes) -> list[str]:
        found = []
        for document in documents(stream):
            match document["type"]:
                case "response.function_call_arguments.done":
                    found.append(document["arguments"])
                case "response.output_item.done":
                    found.append(document["item"]["arguments"])
                case "response.completed":
                    found.append(document["response"]["output"][0]["arguments"])
        return found


@dataclass(frozen=True)
class GeminiText:
    """generateContent with `alt=sse`: every event a whole response with the next part."""

    dialect: str = "gemini-generate-content"

    def piece(self, text: str) -> bytes:
        content = {"role": "model", "parts": [{"text": text}]}
        return plain({"candidates": [{"content": content, "index": 0}], "modelVersion": "m"})

    def events(self, pieces: Iterable[str]) -> list[bytes]:
        usage = {"promptTokenCount": 3, "candidatesTokenCount": 5}
        end = {"candidates": [{"finishReason": "STOP", "index": 0}], "usageMetadata": usage}
        return [*(self.piece(text) for text in pieces), plain(end)]

    def heard(self, stream: bytes) -> str:
        return "".join(
            part.get("text", "")
            for document in documents(stream)
            for candidate in document.get("candidates", [])
            for part in candidate.get("content", {}).get("parts", [])
        )

    def repeated(self, stream: bytes) -> list[str]:
        return []


TEXTS: tuple[Voice, ...] = (ChatText(), AnthropicText(), ResponsesText(), GeminiText())
ARGUMENTS: tuple[Voice, ...] = (
    ChatArguments(),
    AnthropicText(kind="input_json_delta", field="partial_json"),
    ResponsesArguments(),
)


def _completed(output: list[Json]) -> Json:
    usage = {"input_tokens": 3, "output_tokens": 5}
    return {"id": "r", "model": "m", "status": "completed", "output": output, "usage": usage}
