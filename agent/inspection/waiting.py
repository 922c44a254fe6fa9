"""What of a stream waits: events, and the pieces of texts in them that may yet become part of a match."""

from __future__ import annotations

from dataclasses import dataclass

from agent.dialects.sse import SseEvent
from agent.inspection.channels import Channel
from agent.model.content import Edit, Slot


@dataclass(slots=True)
class Piece:
    """What an event adds to a text: the stretch of its channel, and the slot in the event where it stands."""

    channel: Channel
    start: int
    end: int
    slot: Slot


@dataclass(slots=True)
class Waiting:
    """An event that waits until its texts are clear, and what is to be changed in it besides."""

    event: SseEvent
    pieces: tuple[Piece, ...]
    edits: tuple[Edit, ...]


def all_plain(pieces: tuple[Piece, ...]) -> bool:
    """Whether all pieces are clear and in channels where nothing is changed or stopped."""
    for piece in pieces:
        channel = piece.channel
        if piece.end > channel.clear or channel.rewrites or channel.stop is not None:
            return False
    return True
