"""Thoughts as Converse has them: from a model and back to it, to a client that will hand them back and from it."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping

from agent.dialects.shapes import mapping, string
from agent.model.conversation import Thinking
from agent.translation import seals
from agent.translation.seals import Seal

type Block = dict[str, object]


def read(content: Mapping[str, object]) -> Thinking:
    """The thought in a `reasoningContent`; what we wrapped up for a client is unwrapped."""
    said = mapping(content.get("reasoningText"))
    sealed = string(content.get("redactedContent"))
    if seal := seals.read64(sealed):
        return Thinking(signature=seal.signature, sealed=seal.sealed, id=seal.id)
    return Thinking(text=string(said.get("text")), signature=string(said.get("signature")), sealed=sealed)


def returned(part: Thinking) -> Block | None:
    """The block for a model: a thought that it signed or sealed itself. OpenAI's have an id; what another provider
    signed is marked with its name and a colon, which no base64 has."""
    if part.id or ":" in part.signature:
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
    if part.sealed:
        blocks.append(_reasoning({"redactedContent": wrapped(part.sealed, part.id)}))
    return blocks


def wrapped(sealed: str, item: str) -> str:
    """A seal as bytes: itself, or wrapped up where it is none or belongs to an item."""
    return sealed if is_base64(sealed) and not item else seals.written64(Seal(sealed=sealed, id=item))


def is_base64(text: str) -> bool:
    """Whether `text` can stand where the service model has bytes."""
    try:
        b64decode(text, validate=True)
    except ValueError:
        return False
    return True


def _reasoning(content: Block) -> Block:
    return {"reasoningContent": content}
