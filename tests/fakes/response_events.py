"""Streams of OpenAI Responses and of Gemini, put together from the events that their references show."""

from __future__ import annotations

from typing import Any

import orjson


def sse(*documents: dict[str, Any]) -> bytes:
    """Server-sent events; those with a `type` are named by it."""
    return b"".join(
        (b"event: " + str(document["type"]).encode() + b"\n" if "type" in document else b"")
        + b"data: "
        + orjson.dumps(document)
        + b"\n\n"
        for document in documents
    )


def events_of(stream: bytes) -> list[dict[str, Any]]:
    """The documents in a stream of server-sent events."""
    return [
        orjson.loads(line.removeprefix(b"data: "))
        for line in stream.split(b"\n")
        if line.startswith(b"data: ")
    ]


def response(
    *, status: str = "in_progress", output: list[Any] | None = None, **fields: Any
) -> dict[str, Any]:
    """A response object as lifecycle events hold it."""
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1741476542,
        "model": "gpt-5.4",
        "status": status,
        "output": output or [],
        **fields,
    }


def candidate(*parts: dict[str, Any], finish: str = "", index: int = 0, **fields: Any) -> dict[str, Any]:
    """One candidate of a Gemini response object."""
    content = {"role": "model", "parts": list(parts)}
    return {"content": content, "index": index} | ({"finishReason": finish} if finish else {}) | fields


def chunk(*candidates: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A Gemini response object of a stream."""
    return {"candidates": list(candidates), "modelVersion": "gemini-3-pro", "responseId": "r1", **fields}
