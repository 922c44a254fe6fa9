"""Reads and writes whole Converse answers, and what they share with streams: usage and reasons to stop.

Source: the service model `bedrock-runtime` 2023-09-30, shape ConverseResponse; for `usage` the Amazon Bedrock user
guide, "Prompt caching": `inputTokens` leaves out what came from or went into the cache.
"""

from __future__ import annotations

from collections.abc import Mapping

from agent.dialects.shapes import integer, mapping, objects, string
from agent.errors import ContentError
from agent.model.conversation import (
    Choice,
    Finish,
    Media,
    Reply,
    Text,
    Thinking,
    TokenCount,
    ToolCall,
    ToolResult,
)
from agent.translation.bedrock_converse.blocks import BlockReader
from agent.translation.bedrock_converse.media import MediaWriter
from agent.translation.bedrock_converse.messages import json_object_in
from agent.translation.bedrock_converse.thoughts import shown
from agent.translation.documents import read_document, write_document

_FINISHES: Mapping[str, Finish] = {
    "end_turn": Finish.STOP,
    "tool_use": Finish.TOOL_CALLS,
    "max_tokens": Finish.LENGTH,
    "model_context_window_exceeded": Finish.LENGTH,
    "stop_sequence": Finish.STOP_SEQUENCE,
    "guardrail_intervened": Finish.FILTERED,
    "content_filtered": Finish.FILTERED,
    "malformed_model_output": Finish.FAILED,
    "malformed_tool_use": Finish.FAILED,
}
_REASONS: Mapping[Finish, str] = {
    Finish.STOP: "end_turn",
    Finish.TOOL_CALLS: "tool_use",
    Finish.LENGTH: "max_tokens",
    Finish.STOP_SEQUENCE: "stop_sequence",
    Finish.FILTERED: "content_filtered",
    Finish.FAILED: "malformed_model_output",
    Finish.PAUSED: "max_tokens",  # like this one, it says that the answer is not whole
}


def finish_of(reason: object) -> Finish:
    """What a stop reason means. One that is not known is not called a plain stop."""
    return _FINISHES.get(string(reason), Finish.FAILED)


def reason_for(finish: Finish) -> str:
    """The stop reason that says it."""
    return _REASONS[finish]


def stop_sequence_in(fields: object) -> str:
    """The sequence that stopped Claude, where the client asked for that field."""
    return string(mapping(fields).get("stop_sequence"))


def read_usage(value: object) -> TokenCount:
    """Tokens; the whole prompt is what was new and what the cache had to do with."""
    usage = mapping(value)
    fresh, read, written = (
        integer(usage.get(name)) for name in ("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens")
    )
    long = [
        integer(detail.get("inputTokens")) or 0
        for _, detail in objects(usage.get("cacheDetails"))
        if detail.get("ttl") == "1h"
    ]
    return TokenCount(
        input=None if fresh is None else fresh + (read or 0) + (written or 0),
        output=integer(usage.get("outputTokens")),
        cache_read=read,
        cache_write=written,
        cache_write_1h=sum(long) if long else None,
    )


def write_usage(usage: TokenCount) -> dict[str, object]:
    """The `usage` object; it always has its three totals."""
    read, written, long = usage.cache_read or 0, usage.cache_write or 0, usage.cache_write_1h or 0
    prompt, output = usage.input or 0, usage.output or 0
    document: dict[str, object] = {
        "inputTokens": max(prompt - read - written, 0),
        "outputTokens": output,
        "totalTokens": prompt + output,
    }
    if usage.cache_read is not None:
        document["cacheReadInputTokens"] = read
    if usage.cache_write is not None:
        document["cacheWriteInputTokens"] = written
    details = [("1h", long), ("5m", written - long)] if usage.cache_write_1h is not None else []
    if details:
        document["cacheDetails"] = [
            {"ttl": ttl, "inputTokens": count} for ttl, count in details if count > 0 or ttl == "1h"
        ]
    return document


def read_answer(body: bytes) -> Reply:
    """The message that the model made. Raises ContentError."""
    document = read_document(body)
    message = mapping(mapping(document.get("output")).get("message"))
    if not message:
        raise ContentError("output.message is missing: no answer of Converse")
    parts = BlockReader(lenient=True).read("output.message.content", message.get("content") or [])
    return Reply(
        id="",
        model="",
        choices=(
            Choice(
                parts=tuple(part for part in parts if not isinstance(part, ToolResult)),
                finish=finish_of(document.get("stopReason")),
                stop_sequence=stop_sequence_in(document.get("additionalModelResponseFields")),
            ),
        ),
        usage=read_usage(document.get("usage")),
    )


def write_answer(reply: Reply) -> bytes:
    """The answer's first choice: Converse knows no others."""
    choice = reply.choices[0] if reply.choices else Choice(parts=())
    media = MediaWriter()
    content: list[dict[str, object]] = []
    for part in choice.parts:
        match part:
            case Text():
                content.append({"text": part.text})
            case Thinking():
                content += shown(part)
            case ToolCall():
                content.append(_call(part))
            case Media():
                block = media.write(part)
                content += [block] if block else []
    document: dict[str, object] = {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": reason_for(choice.finish),
        "usage": write_usage(reply.usage),
        "metrics": {"latencyMs": 0},  # a field that must be there
    }
    if choice.stop_sequence:
        document["additionalModelResponseFields"] = {"stop_sequence": choice.stop_sequence}
    return write_document(document)


def _call(call: ToolCall) -> dict[str, object]:
    """A call of the model's, under the id and the name that it gave: they come back with the result."""
    arguments = json_object_in(call.arguments)
    written = call.arguments if arguments is None else arguments  # the model's mistake stays to be seen
    return {"toolUse": {"toolUseId": call.id, "name": call.name, "input": written}}
