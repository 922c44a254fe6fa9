"""Whole answers: a response object, read and written."""

from __future__ import annotations

import hashlib

import orjson

from agent.dialects.shapes import json_object, objects, string
from agent.model.conversation import (
    NO_COUNT,
    Choice,
    Finish,
    Media,
    Reply,
    Text,
    Thinking,
    TokenLogprob,
    ToolCall,
)
from agent.translation.openai_responses import items
from agent.translation.openai_responses.items import CallSigned

type _Spoken = Text | Media | Thinking | ToolCall


def read(body: bytes) -> Reply:
    """The answer in a response object. Items that no other format has (searches, code that ran) are left out."""
    document = json_object(body)
    parts: list[_Spoken] = []
    logprobs: list[TokenLogprob] = []
    signatures: dict[str, str] = {}
    for _, item in objects(document.get("output")):
        _read_item(item, parts, logprobs, signatures)
    calls = any(isinstance(part, ToolCall) for part in parts)
    created = document.get("created_at")
    return Reply(
        id=string(document.get("id")),
        model=string(document.get("model")),
        choices=(
            Choice(
                parts=items.with_signatures(tuple(parts), signatures),
                finish=items.read_finish(document, calls=calls),
                logprobs=tuple(logprobs),
            ),
        ),
        usage=items.read_usage(document.get("usage")) or NO_COUNT,
        created=int(created) if isinstance(created, (int, float)) else 0,
    )


def _read_item(
    item: dict[str, object],
    parts: list[_Spoken],
    logprobs: list[TokenLogprob],
    signatures: dict[str, str],
) -> None:
    match item.get("type"):
        case "message":
            for _, part in objects(item.get("content")):
                if part.get("type") == "refusal":
                    parts.append(Text(text=string(part.get("refusal")), refusal=True))
                else:
                    parts.append(Text(text=string(part.get("text"))))
                    logprobs += items.read_logprobs(part.get("logprobs"))
        case "function_call":
            parts.append(items.read_call(item))
        case "reasoning":
            thought = items.read_reasoning(item)
            if isinstance(thought, CallSigned):
                signatures[thought.call_id] = thought.signature
            elif thought:
                parts.append(thought)


def write(reply: Reply) -> bytes:
    """The response object that says `reply`. Of several choices it holds the first."""
    choice = reply.choices[0] if reply.choices else Choice(parts=())
    id = response_id(reply.id, reply.model, reply.created)  # noqa: A001
    return orjson.dumps(
        items.response(
            id=id,
            model=reply.model,
            created=reply.created,
            output=_output(id, choice),
            finish=choice.finish,
            usage=reply.usage,
        )
    )


def response_id(id: str, model: str, created: int) -> str:  # noqa: A002
    """The provider's id of the answer, or one that this answer always has."""
    return id or f"resp_{hashlib.blake2b(f'{model} {created}'.encode(), digest_size=12).hexdigest()}"


def _output(id: str, choice: Choice) -> list[dict[str, object]]:  # noqa: A002
    """Neighbouring texts make one message."""
    output: list[dict[str, object]] = []
    content: list[dict[str, object]] = []
    logprobs = items.logprobs_of(choice.logprobs)  # of the choice, so they go with its first text
    for part in choice.parts:
        number = len(output)
        match part:
            case Text():
                if not content:
                    output.append(items.message(f"msg_{id}_{number}", content, "completed"))
                content.append(items.text_part(part, logprobs))
                logprobs = []
                continue
            case ToolCall():
                if part.signature:
                    sealed = items.sealed_call(part.id, part.signature)
                    output.append(items.reasoning(f"rs_{id}_{number}", "", sealed))
                    number += 1
                output.append(items.call(f"fc_{id}_{number}", part, "completed"))
            case Thinking():
                output.append(items.reasoning(f"rs_{id}_{number}", part.text, items.sealed_thought(part)))
            case Media():  # an answer of this format shows no files
                continue
        content = []
    if choice.finish is Finish.LENGTH and output and "status" in output[-1]:
        output[-1]["status"] = "incomplete"
    return output
