"""Text inside a request or an answer: where it stands, who speaks, and how it is to be changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

type Path = tuple[str | int, ...]
"""Keys and indices from the root of one JSON document to a value."""

type Address = tuple[Path, ...]
"""Where a text stands: a path in the body, then, for JSON carried inside a JSON string, a path in that text, and so on.
A body that is not JSON has the single address `((),)`: the whole text."""


class Role(StrEnum):
    """Who speaks in a text slot."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL_CALL = "tool_call"  # a tool call's arguments, and tool definitions
    TOOL_RESULT = "tool_result"


class Where(StrEnum):
    """The part of an exchange to which a guardrail applies."""

    PROMPT = "prompt"
    TOOL_RESULT = "tool_result"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One piece of decoded text that a person, a tool or a model wrote."""

    address: Address
    role: Role
    text: str
    tool: str = ""  # of a tool call's arguments: the tool's name, where the document tells
    call: int = field(
        default=0, compare=False
    )  # … and how many steps of the address lead to them; 0 in streams


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Replace `text[start:end]` of the slot at `address` (Python str indices) by `replacement`."""

    address: Address
    start: int
    end: int
    replacement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """Something in the request that is no text: noted, not read."""

    kind: str  # image, audio, document, file
    media_type: str = ""
    size: int | None = None  # bytes, where the request tells
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens as the provider counts them; None where it did not say."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None

    def merged(self, newer: Usage) -> Usage:
        """These counts, each replaced by the newer one where that is known (streams report in parts)."""
        return Usage(
            **{
                name: new if (new := getattr(newer, name)) is not None else getattr(self, name)
                for name in self.__slots__
            }
        )


NO_USAGE = Usage()
"""What is known before a provider has said anything."""
