"""Text inside a request or an answer: where it stands, who speaks, and how it is to be changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from agent.model.direct import direct

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
    FILE = "file"  # the text of a file that goes along


class Where(StrEnum):
    """The part of an exchange to which a guardrail applies."""

    PROMPT = "prompt"
    TOOL_RESULT = "tool_result"
    ANSWER = "answer"


class OnRedact(StrEnum):
    """What happens where something is to be rewritten in a file that cannot be, such as a PDF."""

    BLOCK = "block"
    REMOVE = "remove"  # the file is taken out of the request, which goes on without it
    ALLOW = "allow"  # it passes, and the finding is recorded


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One piece of decoded text that a person, a tool or a model wrote."""

    address: Address
    role: Role
    text: str
    tool: str = ""  # of a tool call's arguments: the tool's name, where the document tells
    on_redact: OnRedact | None = None  # of a file that cannot be rewritten: what happens instead
    call: int = field(
        default=0, compare=False
    )  # … and how many steps of the address lead to them; 0 in streams


def outermost(slots: Sequence[Slot]) -> Sequence[Slot]:
    """The slots that do not stand inside another's text: each text once."""
    for slot in slots:
        if len(slot.address) != 1:
            break
    else:
        return slots
    known = {slot.address for slot in slots}
    return [
        slot
        for slot in slots
        if not any(slot.address[:depth] in known for depth in range(1, len(slot.address)))
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Replace `text[start:end]` of the slot at `address` (Python str indices) by `replacement`."""

    address: Address
    start: int
    end: int
    replacement: str


class Coding(StrEnum):
    """How the bytes of a file stand in a request."""

    BASE64 = "base64"  # the string at the path, with or without the head of a `data:` URL
    PART = "part"  # the value of a form's part: its name and number
    BODY = "body"  # the whole body


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Where a request holds the bytes of a file: an address in its body, not a copy.

    `element` is the path of the part of a message that the file is, empty where it is none; a text part that may stand
    in its place is an object with `text` and, unless that is empty, `type`: `text_type`.
    """

    coding: Coding
    path: Path = ()
    element: Path = ()
    text_type: str = ""
    sealed: bool = False  # its size or digest was told before: other bytes would be refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that goes along with a request, or something else in it that is no text.

    What its sender says of it comes first; what follows is known once it has been read (`agent/extraction`), or is
    remembered of its upload.
    """

    kind: str  # image, audio, document, file
    media_type: str = ""
    size: int | None = None  # bytes, where the request tells
    name: str = ""
    id: str = ""  # by which the service knows it, where it was uploaded before
    held: Held | None = field(default=None, compare=False, repr=False)
    type: str = ""  # by content: pdf, docx, png, … ; empty: not looked at
    readable: bool | None = None  # whether its text was read, all of it; None: nobody tried
    problem: str = ""  # why it was not: encrypted, damaged, too_large, …
    characters: int | None = None  # of the text that was read
    pages: int | None = None  # or sheets, slides
    entries: int | None = None  # files in an archive
    pixels: tuple[int, int] | None = None  # width and height of a picture
    findings: tuple[
        tuple[str, int], ...
    ] = ()  # what some guardrail cares about in it: family/type, how often
    uploaded_at: float | None = None  # Unix seconds, of a file that was uploaded through here before
    outcome: str = ""  # what became of it: read, rewritten, removed, blocked, …; empty: it was only noted


@direct
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
