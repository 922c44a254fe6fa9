"""Messages (RFC 5322, MIME): who wrote to whom about what, every text part, and the files attached."""

from __future__ import annotations

from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from agent.extraction.budget import Budget
from agent.model.reading import Problem

type Nested = Callable[[str, bytes], None]

_SPOKEN = ("from", "to", "cc", "subject")


def read_mail(data: bytes, budget: Budget, nested: Nested) -> None:
    """The heads, the texts, and what is attached. Raises Stopped."""
    message = message_from_bytes(data, policy=default)
    for part in message.walk():
        assert isinstance(part, EmailMessage)
        budget.entry()
        _heads(part, budget)
        if part.is_multipart():
            continue
        try:
            content = part.get_payload(decode=True)
        except (ValueError, LookupError):
            budget.note(Problem.DAMAGED)
            continue
        if not isinstance(content, bytes):
            continue
        name = part.get_filename() or ""
        if part.get_content_type() == "text/plain" and not name:
            budget.text(_text(content, str(part.get_content_charset() or "utf-8")))
        else:
            nested(name or f"part.{part.get_content_subtype()}", content)


def _heads(part: EmailMessage, budget: Budget) -> None:
    lines: list[str] = []
    for name in _SPOKEN:
        try:
            lines += [f"{name}: {value}" for value in part.get_all(name, ())]
        except (ValueError, IndexError, LookupError):  # heads that the standard library cannot parse
            budget.note(Problem.DAMAGED)
    budget.text("\n".join(lines))


def _text(content: bytes, charset: str) -> str:
    try:
        return content.decode(charset, "replace")
    except LookupError:
        return content.decode("latin-1")
