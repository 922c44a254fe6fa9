"""How a stream's bytes become events and events bytes again: server-sent events, or Amazon's binary messages.

Whoever inspects a stream sees events with a name and a JSON document, whatever carries them.
"""

from __future__ import annotations

from typing import Protocol

from agent.dialects import eventstream, sse
from agent.dialects.sse import SseDecoder, SseEvent, new_event


class Framing(Protocol):
    """Cuts one stream into events, however it is chunked."""

    def feed(self, data: bytes) -> list[SseEvent]:
        """The events that `data` completes. Raises ContentError where the bytes are no such stream, or an event
        outgrows the limit."""
        ...

    def finish(self) -> list[SseEvent]:
        """The body has ended: what is left and can be read as an event."""
        ...

    def encode(self, event: str, data: bytes) -> bytes:
        """The bytes of an event."""
        ...


class SseFraming(SseDecoder):
    """Server-sent events."""

    content_type = b"text/event-stream"

    def encode(self, event: str, data: bytes) -> bytes:
        """See `Framing`."""
        return sse.encode(event, data)


class MessageFraming:
    """Amazon's event stream: the event's name is that of the message, its data the payload."""

    content_type = b"application/vnd.amazon.eventstream"

    def __init__(self) -> None:
        self._decoder = eventstream.MessageDecoder()

    def feed(self, data: bytes) -> list[SseEvent]:
        """See `Framing`."""
        return [new_event(each.raw, each.name, each.payload) for each in self._decoder.feed(data)]

    def finish(self) -> list[SseEvent]:
        """A message that broke off has no checksum and says nothing."""
        return []

    def encode(self, event: str, data: bytes) -> bytes:
        """See `Framing`."""
        return eventstream.event(event, data)
