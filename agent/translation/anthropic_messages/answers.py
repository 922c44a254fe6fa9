"""A whole message, both ways."""

from __future__ import annotations

from agent.dialects.shapes import objects, string
from agent.errors import ContentError
from agent.model.conversation import Choice, Media, Reply, Text, Thinking, ToolCall
from agent.translation.anthropic_messages.blocks import (
    read_call,
    read_thinking,
    write_call,
    write_media,
    write_thinking,
)
from agent.translation.anthropic_messages.endings import (
    read_finish,
    read_usage,
    says_no,
    write_finish,
    write_usage,
)
from agent.translation.documents import read_document, write_document

_NO_CHOICE = Choice(parts=())


def read_answer(body: bytes) -> Reply:
    """The message in `body`. Raises ContentError."""
    document = read_document(body)
    if type(document.get("content")) is not list:
        raise ContentError("a message without `content`")
    parts: list[Text | Media | Thinking | ToolCall] = []
    for _, block in objects(document["content"]):
        match block.get("type"):
            case "text":
                parts.append(Text(text=string(block.get("text"))))
            case "tool_use":
                parts.append(read_call(block))
            case "thinking" | "redacted_thinking":
                parts.append(read_thinking(block))
    choice = Choice(
        parts=tuple(parts),
        finish=read_finish(document.get("stop_reason")),
        stop_sequence=string(document.get("stop_sequence")),
    )
    return Reply(
        id=string(document.get("id")),
        model=string(document.get("model")),
        choices=(choice,),
        usage=read_usage(document.get("usage")),
    )


def write_answer(reply: Reply) -> bytes:
    """The message for the client: the first choice, as the format knows no more than one."""
    choice = reply.choices[0] if reply.choices else _NO_CHOICE
    content: list[dict[str, object]] = []
    for part in choice.parts:
        match part:
            case Text():
                if part.text:
                    content.append({"type": "text", "text": part.text})
            case ToolCall():
                content.append(write_call(part, part.id))
            case Thinking():
                content += write_thinking(part)
            case Media():  # the API's models draw nothing; clients that know no such block pass over it
                if block := write_media(part):
                    content.append(block)
    return write_document(
        {
            "id": reply.id,
            "type": "message",
            "role": "assistant",
            "model": reply.model,
            "content": content,
            "stop_reason": write_finish(choice.finish, refused=says_no(choice.parts)),
            "stop_sequence": choice.stop_sequence or None,
            "usage": write_usage(reply.usage),
        }
    )
