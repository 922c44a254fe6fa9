"""Writes thoughts: back to the model that had them, and to a client that will hand them back."""

from __future__ import annotations

from base64 import b64decode

from agent.model.conversation import Thinking

type Block = dict[str, object]


def returned(part: Thinking) -> Block | None:
    """The block for a model. Only a thought that was signed or sealed means anything to it; OpenAI's have an id."""
    if part.id:
        return None
    if part.sealed:
        return _reasoning({"redactedContent": part.sealed}) if is_base64(part.sealed) else None
    if not part.signature:
        return None
    return _reasoning({"reasoningText": {"text": part.text, "signature": part.signature}})


def shown(part: Thinking) -> list[Block]:
    """The blocks for a client: what can be read and what cannot are two."""
    blocks = []
    if part.text or part.signature:
        said = {"text": part.text}
        if part.signature:
            said["signature"] = part.signature
        blocks.append(_reasoning({"reasoningText": said}))
    if part.sealed and is_base64(part.sealed):
        blocks.append(_reasoning({"redactedContent": part.sealed}))
    return blocks


def is_base64(text: str) -> bool:
    """Whether `text` can stand where the service model has bytes."""
    try:
        b64decode(text, validate=True)
    except ValueError:
        return False
    return True


def _reasoning(content: Block) -> Block:
    return {"reasoningContent": content}
