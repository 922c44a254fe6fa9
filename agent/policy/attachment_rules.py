"""The policy's `attachments`: which files may go along, which are read, and what follows where one cannot be read or
rewritten. Says what may stand there; `attachments` decides.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from agent.model.content import OnRedact
from agent.model.decision import Action, Fallback
from agent.policy import fields
from agent.policy.section import MANY, Globs, Scope

_MOST_BYTES = 2**40
_EXTENSION = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-")


def _extension(text: str) -> str:
    lower = text.lower().removeprefix(".")
    if not lower or set(lower) - _EXTENSION:
        raise ValueError("must be the last extension of a name, such as pdf")
    return lower


Extension = Annotated[str, Field(max_length=16), AfterValidator(_extension)]


class AttachmentRule(Scope):
    """What happens to files. The first rule that fits a file decides; none lets it pass, read."""

    id: fields.Slug
    types: Globs = Field(
        default=(), description="What a file is by its content: pdf, docx, csv, png, zip, unknown, …"
    )
    media_types: Globs = Field(default=(), description="What its sender declares, such as image/*.")
    extensions: Annotated[tuple[Extension, ...], Field(max_length=MANY)] = Field(
        default=(), description="The last extension of its name, such as pdf."
    )
    action: fields.AccessAction = Field(default=Action.ALLOW, description="allow (the default) or block.")
    read: bool = Field(default=True, description="false: noted only, its text is not looked at.")
    max_bytes: int | None = Field(
        default=None, ge=0, le=_MOST_BYTES, description="A larger file is blocked by this rule."
    )
    max_count: int | None = Field(
        default=None,
        ge=0,
        le=MANY,
        description="So many files may fit this rule in one request; more are blocked.",
    )
    on_unreadable: Fallback = Field(
        default=Fallback.ALLOW,
        description="A file that should be read and cannot be (encrypted, damaged, of an unknown type, too large, "
        "too slow, not uploaded through here): allow, which is recorded, or block.",
    )
    on_redact: OnRedact = Field(
        default=OnRedact.BLOCK,
        description="Where something is to be redacted, masked or pseudonymised in a file that cannot be rewritten, "
        "such as a PDF: block, remove (the file, from the request), or allow, which is recorded.",
    )
    message: fields.Template | None = Field(default=None, description="Instead of the policy's message.")
