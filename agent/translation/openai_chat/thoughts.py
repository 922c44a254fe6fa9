"""A model's thoughts in chat messages, both ways.

The API itself has no field for them. Servers and clients agree on `reasoning_content` (DeepSeek) or `reasoning`
(OpenRouter, Ollama) for the words, and on OpenRouter's `reasoning_details` for what must come back unchanged: items
`reasoning.text` (with `signature`), `reasoning.summary`, `reasoning.encrypted` (with `data`). Clients that collect a
stream send the items back in pieces; pieces of one thought share their `index`. Source: OpenRouter's documentation,
"Reasoning Tokens".
"""

from __future__ import annotations

from dataclasses import replace

from agent.dialects.shapes import objects, string
from agent.model.conversation import Thinking

WORDS = ("reasoning_content", "reasoning", "reasoning_text")  # DeepSeek; OpenRouter and Ollama; Copilot


def words_of(message: dict[str, object]) -> str:
    """What the message says in the plain fields; the first of them counts, they repeat one another."""
    for name in WORDS:
        words = message.get(name)
        if words and type(words) is str:
            return words
    return ""


def read_thoughts(message: dict[str, object]) -> list[Thinking]:
    """The thoughts of a message."""
    details = message.get("reasoning_details")
    if details:
        return _read_details(details)
    words = words_of(message)
    return [Thinking(text=words)] if words else []


def _read_details(details: object) -> list[Thinking]:
    found: list[Thinking] = []
    last: object = None
    for _, detail in objects(details):
        piece = read_detail(detail)
        place = detail.get("index")
        if found and place is not None and place == last:
            found[-1] = _joined(found[-1], piece)
        else:
            found.append(piece)
        last = place
    return [thought for thought in found if thought != Thinking()]


def read_detail(detail: dict[str, object]) -> Thinking:
    """One item, which may be a piece of a thought."""
    return Thinking(
        text=string(detail.get("text")) or string(detail.get("summary")),
        signature=string(detail.get("signature")),
        sealed=string(detail.get("data")),
        id=string(detail.get("id")),
    )


def _joined(thought: Thinking, piece: Thinking) -> Thinking:
    return replace(
        thought,
        text=thought.text + piece.text,
        signature=piece.signature or thought.signature,
        sealed=piece.sealed or thought.sealed,
        id=piece.id or thought.id,
    )


def write_details(thoughts: list[Thinking]) -> list[dict[str, object]]:
    """The items for `reasoning_details`."""
    return [detail for place, thought in enumerate(thoughts) for detail in _details(thought, place)]


def _details(thought: Thinking, place: int) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    if thought.text or thought.signature:
        found.append({"type": "reasoning.text", "text": thought.text, "index": place})
        if thought.signature:
            found[0]["signature"] = thought.signature
    if thought.sealed:
        found.append({"type": "reasoning.encrypted", "data": thought.sealed, "index": place})
    if found and thought.id:
        found[-1]["id"] = thought.id
    return found


def write_thoughts(
    thoughts: list[Thinking], *, details: bool = True, words: bool = True
) -> dict[str, object]:
    """The fields of a message that carry the thoughts."""
    fields: dict[str, object] = {}
    if words and (said := "".join(thought.text for thought in thoughts)):
        fields["reasoning_content"] = said
    if details and thoughts:
        fields["reasoning_details"] = write_details(thoughts)
    return fields
