"""What the trail's documents are made with: their type, and the bounds of what they hold. Pure."""

from __future__ import annotations

from agent.audit.chain import Json

MAX_LIST = 1000
_MAX_TEXT = 1024  # characters of any text that comes from outside

type Document = dict[str, Json]


def clipped(value: str, limit: int = _MAX_TEXT) -> str:
    """`value`, clipped, and without the lone surrogates that file and process names may hold."""
    if len(value) > limit:
        value = value[:limit] + "…"
    return value if value.isascii() else value.encode("utf-8", "replace").decode()
