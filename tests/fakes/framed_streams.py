"""Answers that stream in other frames than server-sent events, and clients that read them. Written from the vendors'
documentation, not with the dialects under test: botocore reads Amazon's messages, the standard library the rest.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from botocore.eventstream import EventStreamBuffer

from agent.dialects.eventstream import event
from tests.fakes.streams import Json, plain, read_sse


def messages(stream: bytes) -> Iterator[tuple[str, bytes]]:
    """The name and payload of each message; checksums are botocore's to check."""
    buffer = EventStreamBuffer()
    buffer.add_data(stream)
    for message in buffer:
        kind = message.headers.get(":event-type") or message.headers.get(":exception-type")
        yield kind, message.payload


@dataclass(frozen=True)
class ArrayText:
    """generateContent without `alt=sse`: one JSON array, as Google spells it; `wrapped` as Code Assist does."""

    dialect: str = "gemini-generate-content"
    media_type: bytes = b"application/json"
    wrapped: bool = False

    def piece(self, text: str) -> bytes:
        return self._element({"content": {"role": "model", "parts": [{"text": text}]}, "index": 0})

    def events(self, pieces: Iterable[str]) -> list[bytes]:
        elements = [
            *(self.piece(text) for text in pieces),
            self._element({"finishReason": "STOP", "index": 0}),
        ]
        return [b"[" + elements[0], *(b"\n,\r\n" + each for each in elements[1:]), b"\n]\n"]

    def heard(self, stream: bytes) -> str:
        text = stream.decode()
        answers = json.loads(text if text.rstrip().endswith("]") else f"{text}]" if text else "[]")
        return "".join(
            part["text"]
            for answer in answers
            for candidate in (answer["response"] if self.wrapped else answer)["candidates"]
            for part in candidate.get("content", {}).get("parts", [])
        )

    def said_last(self, stream: bytes) -> str:
        """What a client is told by the end of a stopped stream."""
        return self.heard(stream)

    def _element(self, candidate: Json) -> bytes:
        answer = {"candidates": [candidate], "modelVersion": "m [1]"}
        return json.dumps({"response": answer} if self.wrapped else answer, indent=2).encode()


@dataclass(frozen=True)
class OllamaText:
    """`/api/chat` of Ollama."""

    dialect: str = "ollama-native"
    media_type: bytes = b"application/x-ndjson"

    def piece(self, text: str) -> bytes:
        return self._line({"message": {"role": "assistant", "content": text}, "done": False})

    def events(self, pieces: Iterable[str]) -> list[bytes]:
        end = {"message": {"content": ""}, "done": True, "done_reason": "stop", "eval_count": 5}
        return [*(self.piece(text) for text in pieces), self._line(end)]

    def heard(self, stream: bytes) -> str:
        lines = [json.loads(line) for line in stream.splitlines()]
        return "".join(line.get("message", {}).get("content", "") for line in lines)

    def said_last(self, stream: bytes) -> str:
        return str(json.loads(stream.splitlines()[-1])["error"])

    def _line(self, document: Json) -> bytes:
        return json.dumps({"model": "m", **document}).encode() + b"\n"


@dataclass(frozen=True)
class CohereLines:
    """`/v1/chat` of Cohere."""

    dialect: str = "cohere-v1"
    media_type: bytes = b"application/stream+json"

    def piece(self, text: str) -> bytes:
        return json.dumps({"event_type": "text-generation", "text": text}).encode() + b"\n"

    def events(self, pieces: Iterable[str]) -> list[bytes]:
        texts = list(pieces)
        end = {"event_type": "stream-end", "is_finished": True, "response": {"text": "".join(texts)}}
        return [*map(self.piece, texts), json.dumps(end).encode() + b"\n"]

    def heard(self, stream: bytes) -> str:
        lines = [json.loads(line) for line in stream.splitlines()]
        return "".join(line["text"] for line in lines if line["event_type"] == "text-generation")

    def said_last(self, stream: bytes) -> str:
        return str(json.loads(stream.splitlines()[-1])["response"]["text"])


@dataclass(frozen=True)
class InvokeText:
    """InvokeModelWithResponseStream: Claude's events, or Llama's documents, in chunks."""

    dialect: str = "bedrock-invoke"
    media_type: bytes = b"application/vnd.amazon.eventstream"
    claude: bool = True

    def piece(self, text: str) -> bytes:
        if not self.claude:
            return self._chunk({"generation": text, "stop_reason": None})
        delta = {"type": "text_delta", "text": text}
        return self._chunk({"type": "content_block_delta", "index": 0, "delta": delta})

    def events(self, pieces: Iterable[str]) -> list[bytes]:
        texts = [self.piece(text) for text in pieces]
        metrics = {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 3, "outputTokenCount": 5}}
        if not self.claude:
            return [*texts, self._chunk({"generation": "", "stop_reason": "stop", **metrics})]
        block = {"type": "text", "text": ""}
        return [
            self._chunk({"type": "message_start", "message": {"role": "assistant", "content": []}}),
            self._chunk({"type": "content_block_start", "index": 0, "content_block": block}),
            *texts,
            self._chunk({"type": "content_block_stop", "index": 0}),
            self._chunk({"type": "message_delta", "delta": {"stop_reason": "end_turn"}}),
            self._chunk({"type": "message_stop", **metrics}),
        ]

    def heard(self, stream: bytes) -> str:
        inner = [
            json.loads(b64decode(json.loads(data)["bytes"]))
            for name, data in messages(stream)
            if name == "chunk"
        ]
        return "".join(each.get("generation") or each.get("delta", {}).get("text", "") for each in inner)

    def said_last(self, stream: bytes) -> str:
        told = [json.loads(data)["message"] for name, data in messages(stream) if name != "chunk"]
        return self.heard(stream) + "".join(told)

    def _chunk(self, document: Json) -> bytes:
        packed = {"bytes": b64encode(json.dumps(document).encode()).decode(), "p": "abcdef"}
        return event("chunk", json.dumps(packed).encode())


@dataclass(frozen=True)
class KiroText:
    """generateAssistantResponse."""

    dialect: str = "aws-codewhisperer"
    media_type: bytes = b"application/vnd.amazon.eventstream"

    def piece(self, text: str) -> bytes:
        return event("assistantResponseEvent", json.dumps({"content": text}).encode())

    def events(self, pieces: Iterable[str]) -> list[bytes]:
        return [*map(self.piece, pieces), event("meteringEvent", b'{"unit":"credit","usage":0.1}')]

    def heard(self, stream: bytes) -> str:
        told = messages(stream)
        return "".join(json.loads(data)["content"] for name, data in told if name == "assistantResponseEvent")

    def said_last(self, stream: bytes) -> str:
        return "".join(json.loads(data).get("message", "") for _, data in messages(stream))


@dataclass(frozen=True)
class TranscriptText:
    """A transcription that streams."""

    dialect: str = "openai-chat"
    media_type: bytes = b"text/event-stream"

    def piece(self, text: str) -> bytes:
        return plain({"type": "transcript.text.delta", "delta": text})

    def events(self, pieces: Iterable[str]) -> list[bytes]:
        texts = list(pieces)
        end = plain({"type": "transcript.text.done", "text": "".join(texts)})
        return list(chain(map(self.piece, texts), (end,)))

    def heard(self, stream: bytes) -> str:
        told = [json.loads(data) for _, data in read_sse(stream) if data != "[DONE]"]
        return "".join(each["delta"] for each in told if each.get("type") == "transcript.text.delta")

    def said_last(self, stream: bytes) -> str:
        told = [json.loads(data) for _, data in read_sse(stream) if data != "[DONE]"]
        return str(told[-1]["error"]["message"])


FRAMED = (
    ArrayText(),
    ArrayText(wrapped=True),
    OllamaText(),
    CohereLines(),
    InvokeText(),
    InvokeText(claude=False),
    KiroText(),
    TranscriptText(),
)
