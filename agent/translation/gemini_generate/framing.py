"""How a stream of response objects is framed: in server-sent events (`alt=sse`), or as one JSON array."""

from __future__ import annotations

import orjson

from agent.dialects.sse import MAX_EVENT_BYTES, SseDecoder
from agent.errors import ContentError

_SPACE = b" \t\r\n"
_BETWEEN = _SPACE + b"[],"


class Framing:
    """Cuts a body into its JSON documents, however it is chunked. The first byte tells the framing."""

    __slots__ = ("_array", "_events")

    def __init__(self) -> None:
        self._events: SseDecoder | None = None
        self._array: _ObjectsOfArray | None = None

    def feed(self, data: bytes) -> list[bytes]:
        """The documents that `data` completes. Raises ContentError where one outgrows the limit."""
        if self._events:
            return [event.data for event in self._events.feed(data) if event.data]
        if self._array:
            return self._array.feed(data)
        if not (opening := data.lstrip(_SPACE)):
            return []
        if opening[:1] in (b"[", b"{"):  # a single object is what errors are
            self._array = _ObjectsOfArray()
        else:
            self._events = SseDecoder()
        return self.feed(data)

    def finish(self) -> list[bytes]:
        """What the end of the body completes."""
        return [event.data for event in self._events.finish() if event.data] if self._events else []


class _ObjectsOfArray:
    """Finds the objects of an array by their braces, looking at every byte once."""

    __slots__ = ("_depth", "_quoted", "_rest", "_searched")

    def __init__(self) -> None:
        self._rest = bytearray()
        self._searched = 0  # up to here the braces are counted
        self._depth = 0
        self._quoted = False  # whether that is inside a string

    def feed(self, data: bytes) -> list[bytes]:
        if not self._rest and (whole := _whole_object(data)):
            return [whole]
        self._rest += data
        found: list[bytes] = []
        while end := self._object_end():
            found.append(bytes(self._rest[:end]).lstrip(_BETWEEN))
            del self._rest[:end]
            self._searched = 0
        if len(self._rest) > MAX_EVENT_BYTES:
            raise ContentError(f"a response object longer than {MAX_EVENT_BYTES} bytes")
        return found

    def _object_end(self) -> int:
        """Where the first object ends, 0 where it does not yet. Goes from quote to quote: braces between are text."""
        rest, at = self._rest, self._searched
        while True:
            quote = rest.find(b'"', at)
            stop = len(rest) if quote < 0 else quote
            if self._quoted:
                if quote < 0:
                    self._searched = stop
                    return 0
                at = quote + 1
                self._quoted = _backslashes(rest, quote) % 2 == 1
                continue
            if end := self._count(at, stop):
                return end
            if quote < 0:
                self._searched = stop
                return 0
            self._quoted = True
            at = quote + 1

    def _count(self, start: int, stop: int) -> int:
        """Count the braces between `start` and `stop`; where the object ends among them, 0 where it goes on."""
        closings = self._rest.count(b"}", start, stop)
        if closings < self._depth or not closings:
            self._depth += self._rest.count(b"{", start, stop) - closings
            return 0
        for at in range(start, stop):
            if self._rest[at] == 0x7B:
                self._depth += 1
            elif self._rest[at] == 0x7D:
                self._depth -= 1
                if self._depth <= 0:
                    self._depth = 0
                    return at + 1
        return 0


def _whole_object(data: bytes) -> bytes:
    """`data` where it is one object and nothing else, as it mostly comes: cheaper than to count its braces."""
    piece = data.strip(_BETWEEN)
    if piece[:1] != b"{" or piece[-1:] != b"}":
        return b""
    try:
        orjson.loads(piece)
    except orjson.JSONDecodeError:
        return b""
    return piece


def _backslashes(text: bytearray, end: int) -> int:
    """How many backslashes stand right before `end`."""
    at = end
    while at and text[at - 1] == 0x5C:
        at -= 1
    return end - at
