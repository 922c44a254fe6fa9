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

    def rewritten(self, event: SseEvent, data: bytes) -> bytes:
        """The bytes of an event that was read, with other data."""
        ...

    def ending(self, worded: bytes) -> bytes:
        """The end of a stopped stream in this framing; `worded` is it in the usual one of the dialect."""
        ...

    @property
    def comments(self) -> bool:
        """Whether it knows comments, which keep a connection awake and say nothing."""
        ...


class SseFraming(SseDecoder):
    """Server-sent events."""

    content_type = b"text/event-stream"
    comments = True

    def encode(self, event: str, data: bytes) -> bytes:
        """See `Framing`."""
        return sse.encode(event, data)

    def rewritten(self, event: SseEvent, data: bytes) -> bytes:
        """See `Framing`."""
        return sse.encode(event.event, data)

    def ending(self, worded: bytes) -> bytes:
        """See `Framing`."""
        return worded


class MessageFraming:
    """Amazon's event stream: the event's name is that of the message, its data the payload."""

    content_type = b"application/vnd.amazon.eventstream"
    comments = False

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

    def rewritten(self, event: SseEvent, data: bytes) -> bytes:
        """See `Framing`."""
        return eventstream.event(event.event, data)

    def ending(self, worded: bytes) -> bytes:
        """See `Framing`."""
        return worded
