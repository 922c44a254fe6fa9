"""A whole chat completion, both ways."""

from __future__ import annotations

from agent.dialects.shapes import integer, mapping, objects, string
from agent.errors import ContentError
from agent.model.conversation import Choice, Media, MediaKind, Part, Reply, Text, Thinking, ToolCall
from agent.translation.documents import read_document, write_document
from agent.translation.fields import Document
from agent.translation.openai_chat.endings import (
    read_finish,
    read_logprobs,
    read_usage,
    write_finish,
    write_logprobs,
    write_usage,
)
from agent.translation.openai_chat.messages import read_calls, read_part
from agent.translation.openai_chat.thoughts import read_thoughts, write_thoughts
from agent.translation.openai_chat.turns import write_call, write_image, write_signature


def read_answer(body: bytes) -> Reply:
    """The answer in `body`. Raises ContentError."""
    document = read_document(body)
    if type(document.get("choices")) is not list:
        raise ContentError("a chat completion without `choices`")
    answer = string(document.get("id"))
    return Reply(
        id=answer,
        model=string(document.get("model")),
        choices=tuple(_read_choice(choice, answer) for _, choice in objects(document["choices"])),
        usage=read_usage(document.get("usage")),
        created=integer(document.get("created")) or 0,
    )


def _read_choice(choice: Document, answer: str) -> Choice:
    parts = _read_parts(mapping(choice.get("message")), answer, integer(choice.get("index")) or 0)
    finish, sequence = read_finish(
        choice.get("finish_reason"),
        calls=any(isinstance(part, ToolCall) for part in parts),
        matched=choice.get("stop_reason"),
    )
    return Choice(
        parts=tuple(parts),
        finish=finish,
        stop_sequence=sequence,
        logprobs=read_logprobs(choice.get("logprobs")),
    )


def _read_parts(message: Document, answer: str, number: int) -> list[Text | Media | Thinking | ToolCall]:
    parts: list[Text | Media | Thinking | ToolCall] = [*read_thoughts(message)]
    content = message.get("content")
    if isinstance(content, str):
        if content:
            parts.append(Text(text=content))
    else:  # in parts, as Mistral answers
        for _, item in objects(content):
            part = read_part(item)
            if part is not None and not isinstance(part, str):
                parts.append(part)
    if refusal := string(message.get("refusal")):
        parts.append(Text(text=refusal, refusal=True))
    if spoken := string(mapping(message.get("audio")).get("transcript")):
        parts.append(Text(text=spoken))
    for _, image in objects(message.get("images")):  # OpenRouter's, of models that draw
        part = read_part(image)
        if isinstance(part, Media):
            parts.append(part)
    return parts + read_calls(message, f"call_{answer}", number)


def write_answer(reply: Reply) -> bytes:
    """The answer for the client."""
    return write_document(
        {
            "id": reply.id,
            "object": "chat.completion",
            "created": reply.created,
            "model": reply.model,
            "choices": [_write_choice(index, choice) for index, choice in enumerate(reply.choices)],
            "usage": write_usage(reply.usage),
        }
    )


def _write_choice(index: int, choice: Choice) -> dict[str, object]:
    return {
        "index": index,
        "message": _write_message(choice.parts),
        "logprobs": write_logprobs(choice.logprobs),
        "finish_reason": write_finish(choice.finish),
    }


def _write_message(parts: tuple[Part, ...]) -> dict[str, object]:
    texts = [part for part in parts if isinstance(part, Text)]
    said = "".join(text.text for text in texts if not text.refusal)
    refused = "".join(text.text for text in texts if text.refusal)
    message: dict[str, object] = {
        "role": "assistant",
        "content": said or None,
        "refusal": refused or None,
    }
    message |= write_thoughts([part for part in parts if isinstance(part, Thinking)])
    if calls := [_write_call(part) for part in parts if isinstance(part, ToolCall)]:
        message["tool_calls"] = calls
    media = [part for part in parts if isinstance(part, Media)]
    if images := [write_image(part) for part in media if part.kind is MediaKind.IMAGE]:
        message["images"] = images  # as OpenRouter answers
    return message


def _write_call(call: ToolCall) -> dict[str, object]:
    written = write_call(call)
    if call.signature:
        written["extra_content"] = write_signature(call.signature)
    return written
