"""Whole answers: a response object, read and written."""

from __future__ import annotations

from datetime import datetime

import orjson

from agent.dialects.shapes import integer, json_object, mapping, objects, string
from agent.model.conversation import (
    NO_COUNT,
    Choice,
    Finish,
    Media,
    Reply,
    Text,
    Thinking,
    ToolCall,
)
from agent.translation.gemini_generate import names, parts
from agent.translation.gemini_generate.names import camel
from agent.translation.gemini_generate.parts import Fields

type _Spoken = Text | Media | Thinking | ToolCall


def read(body: bytes) -> Reply:
    """The answer in a response object. A prompt that was blocked is an answer without words."""
    document = camel(json_object(body))
    id = string(document.get("responseId"))  # noqa: A001
    choices = tuple(_choice(id, candidate) for _, candidate in objects(document.get("candidates")))
    if not choices and is_blocked(document):
        choices = (Choice(parts=(), finish=Finish.FILTERED),)
    return Reply(
        id=id,
        model=string(document.get("modelVersion")),
        choices=choices,
        usage=parts.read_usage(document.get("usageMetadata")) or NO_COUNT,
        created=created(document),
    )


def is_blocked(document: Fields) -> bool:
    """Whether the prompt was refused before a model saw it."""
    feedback = camel(mapping(document.get("promptFeedback")))
    return bool(feedback.get("blockReason"))


def created(document: Fields) -> int:
    """When the answer was made, in Unix seconds; 0 where it does not say."""
    try:
        return int(datetime.fromisoformat(string(document.get("createTime"))).timestamp())
    except ValueError:
        return 0


def _choice(id: str, candidate: Fields) -> Choice:  # noqa: A002
    candidate = camel(candidate)
    number = integer(candidate.get("index")) or 0
    spoken: list[_Spoken] = []
    for _, part in objects(mapping(candidate.get("content")).get("parts")):
        if read_part := _part(id, number, len(spoken), camel(part)):
            spoken.append(read_part)
    return Choice(
        parts=tuple(spoken),
        finish=parts.read_finish(string(candidate.get("finishReason")), calls=parts.has_calls(tuple(spoken))),
        logprobs=parts.read_logprobs(candidate.get("logprobsResult")),
    )


def _part(id: str, choice: int, index: int, part: Fields) -> _Spoken | None:  # noqa: A002
    """A part of an answer; None where no other format has its like (code that ran, server-side tools)."""
    text = part.get("text")
    signature = string(part.get("thoughtSignature"))
    if isinstance(text, str):
        if part.get("thought") is True:
            return parts.read_thought(text, signature)
        return Text(text=text) if text else None
    if isinstance(called := part.get("functionCall"), dict):
        return read_call(called, signature, index, id, str(choice))
    return parts.read_media(part)


def read_call(called: Fields, signature: str, index: int, *seeds: str) -> ToolCall:
    """A `functionCall`. Where it has no id, one is made from its place, `seeds` and what it says."""
    name, arguments = string(called.get("name")), parts.arguments_of(called)
    return ToolCall(
        id=string(called.get("id")) or names.call_id(index, *seeds, name, arguments),
        name=name,
        arguments=arguments,
        signature=parts.read_call_signature(signature),
    )


def write(reply: Reply) -> bytes:
    """The response object that says `reply`."""
    written: Fields = {
        "candidates": [_candidate(number, choice) for number, choice in enumerate(reply.choices)]
    }
    if usage := parts.usage_of(reply.usage):
        written["usageMetadata"] = usage
    written["modelVersion"] = reply.model
    written["responseId"] = reply.id
    return orjson.dumps(written)


def _candidate(number: int, choice: Choice) -> Fields:
    spoken: list[Fields] = []
    broken = False
    for part in choice.parts:
        written = _written(part)
        broken = broken or written is None
        if written is not None:
            spoken.append(written)
    candidate: Fields = {
        "content": {"role": "model", "parts": spoken},
        "finishReason": parts.finish_of(choice.finish, broken=broken),
        "index": number,
    }
    if choice.logprobs:
        candidate["logprobsResult"] = parts.logprobs_of(choice.logprobs)
    return candidate


def _written(part: _Spoken) -> Fields | None:
    """None where it is a call whose arguments are no object: this format cannot hold them, and must not call the tool
    without."""
    match part:
        case Text():
            return {"text": part.text}
        case Thinking():
            return parts.thought(part)
        case ToolCall():
            arguments = parts.read_arguments(part.arguments)
            return None if arguments is None else parts.call(part, arguments)
        case Media():
            if part.data:
                return parts.inline(part)
            return {"fileData": {"mimeType": part.media_type, "fileUri": part.url or part.file_id}}
