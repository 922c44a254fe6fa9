"""What sources of server-sent events share, whatever their events say."""

from __future__ import annotations

from collections.abc import Iterable

from agent.dialects.sse import SseDecoder, SseEvent
from agent.errors import ContentError
from agent.model.conversation import StreamEvent


class EventSource:
    """The half of a `base.StreamSource` whose events each say what they say alone, and which has an end of its own."""

    __slots__ = ("_decoder",)

    def __init__(self) -> None:
        self._decoder = SseDecoder()

    def feed(self, data: bytes) -> tuple[StreamEvent, ...]:
        """The events that `data` completes."""
        return self._read_all(self._decoder.feed(data))

    def finish(self) -> tuple[StreamEvent, ...]:
        """What stands at the end without a blank line. The format has an end of its own."""
        return self._read_all(self._decoder.finish())

    def _read_all(self, events: Iterable[SseEvent]) -> tuple[StreamEvent, ...]:
        return tuple(told for event in events for told in self._read(event.event, event.data))

    def _read(self, name: str, data: bytes) -> list[StreamEvent]:
        """What one event says."""
        raise NotImplementedError


class StrictSource:
    """The half of a `base.StreamSource` that takes nothing for its format but what is of it, until the stream is over.
    Only where the body ends within an event, that event is dropped."""

    __slots__ = ("_decoder", "_over")

    def __init__(self) -> None:
        self._decoder = SseDecoder()
        self._over = False  # by its own end, or by an error

    def feed(self, data: bytes) -> tuple[StreamEvent, ...]:
        """The events that `data` completes. Raises ContentError."""
        events: list[StreamEvent] = []
        for sse in self._decoder.feed(data):
            if sse.data and not self._over:
                self._read(sse, events)
        return tuple(events)

    def _rest(self) -> list[StreamEvent] | None:
        """What is left when the body has ended; None where it was cut off within an event."""
        events: list[StreamEvent] = []
        for sse in self._decoder.finish():
            if sse.data and not self._over:
                try:
                    self._read(sse, events)
                except ContentError:
                    return None
        return events

    def _read(self, sse: SseEvent, events: list[StreamEvent]) -> None:
        """Add what the event says. Raises ContentError."""
        raise NotImplementedError
