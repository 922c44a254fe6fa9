"""Reads and writes whole answers of `/v2/chat`, and what they share with streams: usage, reasons, likelihoods.

Source: the Cohere API reference, "Chat", and the SDK's types `V2ChatResponse`, `Usage`, `LogprobItem`. Of the two
counts in `usage` the billed one is read: it leaves out the tokens of Cohere's own prompt, which nobody pays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.dialects.shapes import mapping, objects, string
from agent.errors import ContentError
from agent.model.conversation import (
    Choice,
    Finish,
    Media,
    Reply,
    Text,
    Thinking,
    TokenCount,
    TokenLogprob,
    ToolCall,
)
from agent.translation.cohere_chat.reading import read_call
from agent.translation.cohere_chat.writing import Block, write_call
from agent.translation.documents import read_document, write_document

_FINISHES: Mapping[str, Finish] = {
    "COMPLETE": Finish.STOP,
    "STOP_SEQUENCE": Finish.STOP_SEQUENCE,
    "MAX_TOKENS": Finish.LENGTH,
    "ERROR_LIMIT": Finish.LENGTH,  # this one and the next are of version 1
    "ERROR_TOXIC": Finish.FILTERED,
    "TOOL_CALL": Finish.TOOL_CALLS,
    "ERROR": Finish.FAILED,
    "TIMEOUT": Finish.FAILED,
}
_REASONS: Mapping[Finish, str] = {
    Finish.STOP: "COMPLETE",
    Finish.STOP_SEQUENCE: "STOP_SEQUENCE",
    Finish.LENGTH: "MAX_TOKENS",
    Finish.TOOL_CALLS: "TOOL_CALL",
    Finish.FILTERED: "ERROR_TOXIC",
    Finish.FAILED: "ERROR",
    Finish.PAUSED: "MAX_TOKENS",  # like this one, it says that the answer is not whole
}


def finish_of(reason: object) -> Finish:
    """What a finish reason means. One that is not known is not called a plain stop."""
    return _FINISHES.get(string(reason), Finish.FAILED)


def reason_for(finish: Finish) -> str:
    """The finish reason that says it."""
    return _REASONS[finish]


def read_usage(value: object) -> TokenCount:
    """Tokens, which Cohere writes as numbers with or without a point."""
    usage = mapping(value)
    billed, counted = mapping(usage.get("billed_units")), mapping(usage.get("tokens"))
    prompt, output = (
        _count(billed.get(name)) if billed.get(name) is not None else _count(counted.get(name))
        for name in ("input_tokens", "output_tokens")
    )
    cached = _count(usage.get("cached_tokens"))
    if cached is not None and prompt is not None:
        cached = min(cached, prompt)
    return TokenCount(input=prompt, output=output, cache_read=cached)


def write_usage(usage: TokenCount) -> Block:
    """The `usage` object."""
    counts = {
        name: count
        for name, count in (("input_tokens", usage.input), ("output_tokens", usage.output))
        if count is not None
    }
    document: Block = {"billed_units": counts, "tokens": counts} if counts else {}
    if usage.cache_read is not None:
        document["cached_tokens"] = usage.cache_read
    return document


def _count(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def read_logprobs(value: object) -> tuple[TokenLogprob, ...]:
    """One likelihood for each piece of text: that of all its tokens together."""
    pieces = value if isinstance(value, list) else [value]
    found = []
    for piece in pieces:
        known = mapping(piece)
        logprobs = known.get("logprobs")
        if isinstance(logprobs, list) and all(isinstance(each, int | float) for each in logprobs):
            found.append(TokenLogprob(token=string(known.get("text")), logprob=float(sum(logprobs))))
    return tuple(found)


def write_logprob(tokens: Sequence[TokenLogprob]) -> Block:
    """One piece of text with the likelihoods of its tokens; their ids are not known."""
    return {
        "text": "".join(token.token for token in tokens),
        "token_ids": [],
        "logprobs": [token.logprob for token in tokens],
    }


def read_answer(body: bytes) -> Reply:
    """The message that the model made. Raises ContentError."""
    document = read_document(body)
    message = document.get("message")
    if not isinstance(message, dict):
        raise ContentError("message is missing: no answer of Cohere's chat")
    parts: list[Text | Media | Thinking | ToolCall] = []
    for _, block in objects(message.get("content")):
        match block:
            case {"type": "text", "text": str() as text}:
                parts.append(Text(text=text))
            case {"type": "thinking", "thinking": str() as text}:
                parts.append(Thinking(text=text))
    if plan := string(message.get("tool_plan")):
        parts.append(Text(text=plan))
    parts += [read_call(call) for _, call in objects(message.get("tool_calls"))]
    return Reply(
        id=string(document.get("id")),
        model="",
        choices=(
            Choice(
                parts=tuple(parts),
                finish=finish_of(document.get("finish_reason")),
                logprobs=read_logprobs(document.get("logprobs") or []),
            ),
        ),
        usage=read_usage(document.get("usage")),
    )


def write_answer(reply: Reply) -> bytes:
    """The answer's first choice: Cohere knows no others."""
    choice = reply.choices[0] if reply.choices else Choice(parts=())
    calls = [write_call(part) for part in choice.parts if isinstance(part, ToolCall)]
    content: list[Block] = []
    for part in choice.parts:
        match part:
            case Text(text=text) if text:
                content.append({"type": "text", "text": text})
            case Thinking(text=text) if text:
                content.append({"type": "thinking", "thinking": text})
    message: Block = {"role": "assistant", "content": content}
    if calls:
        message["tool_calls"] = calls
        message["tool_plan"] = "".join(str(block["text"]) for block in content if "text" in block)
        message["content"] = [block for block in content if "text" not in block]
    document: Block = {
        "id": reply.id,
        "finish_reason": reason_for(choice.finish),
        "message": message,
        "usage": write_usage(reply.usage),
    }
    if choice.logprobs:
        document["logprobs"] = [write_logprob([token]) for token in choice.logprobs]
    return write_document(document)
