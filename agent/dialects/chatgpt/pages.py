"""Words of our own in ChatGPT's forms: an assistant's message, an error.

The page takes an event that holds a whole message for the answer; without `[DONE]` at the end it asks again. Source:
what public projects answer with and what clients of the page read (2024 to 2026). Not seen on the page itself.
"""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

import orjson

from agent.dialects.base import Block
from agent.dialects.replies import json_reply
from agent.dialects.sse import encode

_DONE = encode("", b"[DONE]")
_KEEP_OUT = (b"cache-control", b"no-store")


def message(words: str, *, conversation: str, parent: str = "", model: str = "") -> dict[str, object]:
    """A document whose message the assistant says. Its id is made of its words, which carry a reference that no other
    has."""
    return {
        "message": {
            "id": str(uuid5(NAMESPACE_URL, f"drawbridge:{conversation}:{parent}:{words}")),
            "author": {"role": "assistant", "name": None, "metadata": {}},
            "create_time": None,
            "update_time": None,
            "content": {"content_type": "text", "parts": [words]},
            "status": "finished_successfully",
            "end_turn": True,
            "weight": 1.0,
            "metadata": {
                "finish_details": {"type": "stop"},
                "is_complete": True,
                "message_type": "next",
                "model_slug": model or None,
                "parent_id": parent or None,
            },
            "recipient": "all",
            "channel": "final",
        },
        "conversation_id": conversation or None,
        "error": None,
    }


def snapshot(document: dict[str, object]) -> bytes:
    """An event that shows a document whole, and the end of the stream."""
    return encode("", orjson.dumps(document)) + ending(document)


def ending(document: dict[str, object]) -> bytes:
    """The events that end a stream in order."""
    complete = {"type": "message_stream_complete", "conversation_id": document["conversation_id"]}
    return encode("", orjson.dumps(complete)) + _DONE


def change(pointer: str, operation: str, value: object, *, number: int | str | None = None) -> bytes:
    """An event of the delta encoding."""
    document: dict[str, object] = {"p": pointer, "o": operation, "v": value}
    if number is not None:
        document["c"] = number
    return encode("delta", orjson.dumps(document))


def stream_reply(body: bytes) -> Block:
    """A complete answer that streams."""
    return Block(
        status=200,
        headers=(
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            _KEEP_OUT,
        ),
        body=body,
    )


def detail(status: int, words: str) -> Block:
    """An error in the form of the page's own interfaces."""
    return json_reply(status, {"detail": words}, _KEEP_OUT)
