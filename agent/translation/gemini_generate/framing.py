"""How a stream of response objects is framed: in server-sent events (`alt=sse`), or as one JSON array."""

from __future__ import annotations

from agent.dialects.jsonarray import ArrayDecoder
from agent.dialects.sse import SseDecoder

_SPACE = b" \t\r\n"


class Framing:
    """Cuts a body into its JSON documents, however it is chunked. The first byte tells the framing."""

    __slots__ = ("_array", "_events")

    def __init__(self) -> None:
        self._events: SseDecoder | None = None
        self._array: ArrayDecoder | None = None

    def feed(self, data: bytes) -> list[bytes]:
        """The documents that `data` completes. Raises ContentError where one outgrows the limit."""
        if self._events:
            return [event.data for event in self._events.feed(data) if event.data]
        if self._array:
            return [each.document for each in self._array.feed(data) if each.document]
        if not (opening := data.lstrip(_SPACE)):
            return []
        if opening[:1] in (b"[", b"{"):  # a single object is what errors are
            self._array = ArrayDecoder()
            if opening[:1] == b"{":
                self._array.feed(b"[")
        else:
            self._events = SseDecoder()
        return self.feed(data)

    def finish(self) -> list[bytes]:
        """What the end of the body completes."""
        return [event.data for event in self._events.finish() if event.data] if self._events else []
