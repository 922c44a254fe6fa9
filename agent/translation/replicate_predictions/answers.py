"""Reads predictions: how far one is, and the answer of one that has succeeded.

Source: Replicate's HTTP API reference, "Get a prediction": `status` is starting, processing, succeeded, failed,
canceled or aborted; `output` of a language model is a text or its pieces; `metrics` counts tokens for most of them.
"""

from __future__ import annotations

from datetime import datetime

from agent.dialects.shapes import integer, mapping, string
from agent.errors import ContentError
from agent.model.conversation import Choice, Reply, Text, TokenCount
from agent.translation.base import Promise
from agent.translation.documents import json_text, read_document

_OVER = "succeeded"
_FAILED = frozenset({"failed", "canceled", "aborted"})
_UNDER_WAY = frozenset({"starting", "processing", "queued"})


def read_promise(body: bytes) -> Promise:
    """How far the prediction is. Raises ContentError."""
    document = read_document(body)
    status, urls = string(document.get("status")), mapping(document.get("urls"))
    if status not in _FAILED | _UNDER_WAY | {_OVER}:
        raise ContentError("status is missing: no prediction of Replicate")
    failed = string(document.get("error")) or f"the prediction is {status}" if status in _FAILED else ""
    return Promise(
        over=status == _OVER,
        failed=failed,
        stream=string(urls.get("stream")),
        poll=string(urls.get("get")),
        cancel=string(urls.get("cancel")),
    )


def read_answer(body: bytes) -> Reply:
    """The answer. Raises ContentError."""
    document = read_document(body)
    if "output" not in document:
        raise ContentError("output is missing: no prediction of Replicate")
    metrics = mapping(document.get("metrics"))
    return Reply(
        id=string(document.get("id")),
        model=string(document.get("model")),
        choices=(Choice(parts=(Text(text=_text(document["output"])),)),),
        usage=TokenCount(
            input=integer(metrics.get("input_token_count")), output=integer(metrics.get("output_token_count"))
        ),
        created=_seconds(string(document.get("created_at"))),
    )


def _text(output: object) -> str:
    match output:
        case str():
            return output
        case None:
            return ""
        case list() if all(isinstance(piece, str) for piece in output):
            return "".join(output)
        case _:
            return json_text(output)


def _seconds(moment: str) -> int:
    try:
        return int(datetime.fromisoformat(moment).timestamp()) if moment else 0
    except ValueError:
        return 0
