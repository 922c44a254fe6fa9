"""One conversation in each format that programs speak, written by hand from the vendors' documentation: the request in
which the user says something, a whole answer, and a stream whose text comes in pieces.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from botocore.eventstream import EventStreamBuffer

from agent.dialects.eventstream import event

type Json = dict[str, object]

JSON = "application/json"
SSE = "text/event-stream"
AMAZON = "application/vnd.amazon.eventstream"
NDJSON = "application/x-ndjson"
BEDROCK = "bedrock-runtime.us-east-1.amazonaws.com"
VERTEX = "us-east5-aiplatform.googleapis.com"
CODE_ASSIST = "cloudcode-pa.googleapis.com"
CURSOR = "agent.api5.cursor.sh"
KIRO = "q.us-east-1.amazonaws.com"
AZURE = "my-company.openai.azure.com"
COPILOT = "api.individual.githubcopilot.com"
HOSTS = (
    BEDROCK, VERTEX, CODE_ASSIST, CURSOR, KIRO, AZURE, COPILOT, "ollama.com", "api.cohere.com",
    "bedrock-mantle.us-east-1.api.aws", "proxy.individual.githubcopilot.com",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """`ask` is the request's document with what the user says, `stream` the answer's bytes, `heard` the text in such.

    `blocked` says where the message stands in a refusal of `status`; `tokens` is 0 where the format counts none.
    """

    name: str
    host: str
    target: str
    ask: Callable[[str], Json]
    stream: Callable[[list[str]], bytes]
    heard: Callable[[bytes], str]
    kind: str = SSE
    status: int = 400
    blocked: Callable[[Json], object] = lambda document: document["error"]["message"]  # type: ignore[index]
    operation: str = "chat"
    model: str = "m"
    tokens: int = 3
    fields: tuple[tuple[str, str], ...] = ()


def _sse(documents: list[Json], *, named: bool = False, done: bool = False) -> bytes:
    lines = [
        (f"event: {each['type']}\n" if named else "") + f"data: {json.dumps(each)}\n\n" for each in documents
    ]
    return "".join([*lines, "data: [DONE]\n\n" if done else ""]).encode()


def _documents(stream: bytes) -> Iterator[Json]:
    for line in stream.decode().splitlines():
        if line.startswith("data: {"):
            yield json.loads(line[6:])


def _messages(stream: bytes) -> Iterator[tuple[str, Json]]:
    buffer = EventStreamBuffer()
    buffer.add_data(stream)
    for message in buffer:
        kind = message.headers.get(":event-type") or message.headers.get(":exception-type")
        yield kind, json.loads(message.payload)


def _chat_stream(pieces: list[str]) -> bytes:
    chunks: list[Json] = [
        {"choices": [], "prompt_filter_results": [{"prompt_index": 0}]}
    ]  # as Copilot begins
    chunks += [{"model": "m", "choices": [{"index": 0, "delta": {"content": text}}]} for text in pieces]
    chunks += [{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}]
    return _sse([*chunks, {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 5}}], done=True)


def _chat_heard(stream: bytes) -> str:
    return "".join(
        choice.get("text") or choice.get("delta", {}).get("content", "")
        for document in _documents(stream)
        for choice in document.get("choices", [])  # type: ignore[attr-defined]
    )


def _completion_stream(pieces: list[str]) -> bytes:
    chunks: list[Json] = [{"choices": [{"index": 0, "text": text, "finish_reason": None}]} for text in pieces]
    usage = {"prompt_tokens": 3, "completion_tokens": 5}
    return _sse([*chunks, {"choices": [{"text": "", "finish_reason": "stop"}], "usage": usage}], done=True)


def _claude(pieces: list[str]) -> list[Json]:
    start = {"type": "message_start", "message": {"content": [], "model": "m", "usage": {"input_tokens": 3}}}
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    texts: list[Json] = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
        for text in pieces
    ]
    end: list[Json] = [
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
    ]
    return [start, block, *texts, *end]


def _claude_text(documents: Iterator[Json]) -> str:
    deltas = [each["delta"] for each in documents if each.get("type") == "content_block_delta"]
    return "".join(delta["text"] for delta in deltas)  # type: ignore[index]


def _gemini(pieces: list[str]) -> list[Json]:
    def answer(part: Json, **more: object) -> Json:
        return {"candidates": [{"content": {"role": "model", "parts": [part]}, **more}], "modelVersion": "m"}

    usage = {"promptTokenCount": 3, "candidatesTokenCount": 5}
    return [
        *(answer({"text": text}) for text in pieces),
        {**answer({"text": "."}, finishReason="STOP"), "usageMetadata": usage},
    ]


def _gemini_text(answers: Iterator[Json] | list[Json]) -> str:
    return "".join(
        part["text"]
        for answer in answers
        for candidate in answer["candidates"]  # type: ignore[attr-defined]
        for part in candidate["content"]["parts"]
    )


def _array(stream: bytes) -> str:
    return _gemini_text(json.loads(stream))


def _chunked(documents: list[Json]) -> bytes:
    packed = [{"bytes": b64encode(json.dumps(each).encode()).decode(), "p": "abc"} for each in documents]
    return b"".join(event("chunk", json.dumps(each).encode()) for each in packed)


def _unchunked(stream: bytes) -> Iterator[Json]:
    for kind, document in _messages(stream):
        if kind == "chunk":
            yield json.loads(b64decode(str(document["bytes"])))


def _llama(pieces: list[str]) -> bytes:
    texts: list[Json] = [{"generation": text, "stop_reason": None} for text in pieces]
    metrics = {"inputTokenCount": 3, "outputTokenCount": 5}
    end: Json = {"generation": "", "stop_reason": "stop", "amazon-bedrock-invocationMetrics": metrics}
    return _chunked([*texts, end])


def _ollama(pieces: list[str]) -> bytes:
    texts: list[Json] = [{"model": "m", "message": {"content": text}, "done": False} for text in pieces]
    end: Json = {
        "model": "m",
        "message": {"content": ""},
        "done": True,
        "prompt_eval_count": 3,
        "eval_count": 5,
    }
    return b"".join(json.dumps(each).encode() + b"\n" for each in [*texts, end])


def _cohere(pieces: list[str]) -> bytes:
    def told(kind: str, **more: object) -> Json:
        return {"type": kind, **more}

    texts = [
        told("content-delta", index=0, delta={"message": {"content": {"text": text}}}) for text in pieces
    ]
    usage = {"billed_units": {"input_tokens": 3, "output_tokens": 5}}
    end = told("message-end", delta={"finish_reason": "COMPLETE", "usage": usage})
    return _sse([told("message-start"), *texts, told("content-end", index=0), end], named=True)


def _cohere_text(stream: bytes) -> str:
    found = [each for each in _documents(stream) if each["type"] == "content-delta"]
    return "".join(each["delta"]["message"]["content"]["text"] for each in found)  # type: ignore[index]


def _cohere_lines(pieces: list[str]) -> bytes:
    meta = {"billed_units": {"input_tokens": 3, "output_tokens": 5}}
    texts: list[Json] = [{"event_type": "text-generation", "text": text} for text in pieces]
    end: Json = {
        "event_type": "stream-end",
        "is_finished": True,
        "response": {"text": "".join(pieces), "meta": meta},
    }
    return b"".join(json.dumps(each).encode() + b"\n" for each in [*texts, end])


def _lines(stream: bytes, *keys: str) -> str:
    found = ""
    for line in stream.splitlines():
        value = json.loads(line)
        for key in keys:
            value = value.get(key, {})
        found += value if isinstance(value, str) else ""
    return found


def _kiro(pieces: list[str]) -> bytes:
    texts = [event("assistantResponseEvent", json.dumps({"content": text}).encode()) for text in pieces]
    return b"".join([*texts, event("meteringEvent", b'{"unit":"credit","usage":0.1}')])


def _kiro_text(stream: bytes) -> str:
    return "".join(str(document.get("content", "")) for _, document in _messages(stream))


def _said(text: str) -> list[Json]:
    return [{"role": "user", "content": text}]


def _contents(text: str) -> Json:
    return {"contents": [{"role": "user", "parts": [{"text": text}]}]}


def _message(document: Json) -> object:
    return document["message"]


FORMATS = (
    Format(
        name="openai-completions", host="api.openai.com", target="/v1/completions", operation="completions",
        ask=lambda text: {"model": "m", "prompt": text, "stream": True},
        stream=_completion_stream, heard=_chat_heard,
    ),
    Format(
        name="azure-deployment", host=AZURE, target="/openai/deployments/m/chat/completions?api-version=2024-10-21",
        ask=lambda text: {"messages": _said(text), "stream": True}, stream=_chat_stream, heard=_chat_heard,
    ),
    Format(
        name="copilot-chat", host=COPILOT, target="/chat/completions",
        ask=lambda text: {"model": "m", "messages": _said(text), "stream": True},
        stream=_chat_stream, heard=_chat_heard, fields=(("copilot-integration-id", "vscode-chat"),),
    ),
    Format(
        name="copilot-ghost-text", host="proxy.individual.githubcopilot.com", target="/v1/engines/m/completions",
        operation="completions",
        ask=lambda text: {"prompt": text, "suffix": "}", "stream": True, "extra": {"language": "go"}},
        stream=_completion_stream, heard=_chat_heard,
    ),
    Format(
        name="code-assist", host=CODE_ASSIST, target="/v1internal:streamGenerateContent?alt=sse",
        ask=lambda text: {"model": "m", "project": "p", "request": _contents(text)},
        stream=lambda pieces: _sse([{"response": each, "traceId": "t"} for each in _gemini(pieces)]),
        heard=lambda stream: _gemini_text([each["response"] for each in _documents(stream)]),  # type: ignore[misc]
    ),
    Format(
        name="gemini-array", host="generativelanguage.googleapis.com",
        target="/v1beta/models/m:streamGenerateContent", ask=_contents, kind=JSON,
        stream=lambda pieces: json.dumps(_gemini(pieces), indent=1).encode(), heard=_array,
    ),
    Format(
        name="vertex-gemini", host=VERTEX,
        target="/v1/projects/p/locations/l/publishers/google/models/m:streamGenerateContent?alt=sse", ask=_contents,
        stream=lambda pieces: _sse(_gemini(pieces)), heard=lambda stream: _gemini_text(_documents(stream)),
    ),
    Format(
        name="vertex-claude", host=VERTEX,
        target="/v1/projects/p/locations/l/publishers/anthropic/models/m:streamRawPredict",
        ask=lambda text: {"anthropic_version": "vertex-2023-10-16", "messages": _said(text), "stream": True},
        stream=lambda pieces: _sse(_claude(pieces), named=True),
        heard=lambda stream: _claude_text(_documents(stream)),
    ),
    Format(
        name="vertex-mistral", host=VERTEX,
        target="/v1/projects/p/locations/l/publishers/mistralai/models/m:streamRawPredict",
        ask=lambda text: {"model": "m", "messages": _said(text), "stream": True},
        stream=_chat_stream, heard=_chat_heard,
    ),
    Format(
        name="bedrock-claude", host=BEDROCK, target="/model/m/invoke-with-response-stream", kind=AMAZON,
        blocked=_message,
        ask=lambda text: {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": _said(text)},
        stream=lambda pieces: _chunked(_claude(pieces)), heard=lambda stream: _claude_text(_unchunked(stream)),
    ),
    Format(
        name="bedrock-llama", host=BEDROCK, target="/model/m/invoke-with-response-stream", kind=AMAZON,
        blocked=_message,
        ask=lambda text: {"prompt": text, "max_gen_len": 9}, stream=_llama,
        heard=lambda stream: "".join(str(each.get("generation", "")) for each in _unchunked(stream)),
    ),
    Format(
        name="bedrock-mantle", host="bedrock-mantle.us-east-1.api.aws", target="/v1/chat/completions",
        ask=lambda text: {"model": "m", "messages": _said(text), "stream": True},
        stream=_chat_stream, heard=_chat_heard,
    ),
    Format(
        name="ollama", host="ollama.com", target="/api/chat", kind=NDJSON, blocked=lambda document: document["error"],
        ask=lambda text: {"model": "m", "messages": _said(text)}, stream=_ollama,
        heard=lambda stream: _lines(stream, "message", "content"),
    ),
    Format(
        name="cohere-v2", host="api.cohere.com", target="/v2/chat", blocked=_message,
        ask=lambda text: {"model": "m", "messages": _said(text), "stream": True}, stream=_cohere, heard=_cohere_text,
    ),
    Format(
        name="cohere-v1", host="api.cohere.com", target="/v1/chat", blocked=_message, kind="application/stream+json",
        ask=lambda text: {"model": "m", "message": text, "stream": True}, stream=_cohere_lines,
        heard=lambda stream: _lines(stream, "text"),
    ),
    Format(
        name="kiro", host=KIRO, target="/generateAssistantResponse", kind=AMAZON, blocked=_message, tokens=0,
        ask=lambda text: {"conversationState": {"conversationId": "c", "currentMessage": {
            "userInputMessage": {"content": text, "modelId": "m"}}}},
        stream=_kiro, heard=_kiro_text,
    ),
)  # fmt: skip
