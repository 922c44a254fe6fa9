"""How a stream's bytes become events and events bytes again: server-sent events, Amazon's binary messages, lines of
JSON, or the elements of one JSON array.

Whoever inspects a stream sees events with a name and a JSON document, whatever carries them.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Protocol

import orjson

from agent.dialects import eventstream, sse
from agent.dialects.eventstream import Message
from agent.dialects.jsonarray import ArrayDecoder
from agent.dialects.sse import MAX_EVENT_BYTES, SseDecoder, SseEvent, new_event
from agent.errors import ContentError

ARRAY_END = "]"
"""The name of the event, without data, that ends a JSON array. It keeps its place, as no keepalive does."""


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

    def ending(self, worded: bytes, *, begun: bool) -> bytes:
        """The end of a stopped stream in this framing; `worded` is it in the usual one of the dialect. `begun`: the
        client has had some event."""
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

    def ending(self, worded: bytes, *, begun: bool) -> bytes:
        """See `Framing`."""
        del begun
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
        """The message with its headers, another payload, and checksums that fit it."""
        return eventstream.with_payload(event.raw, data)

    def ending(self, worded: bytes, *, begun: bool) -> bytes:
        """See `Framing`."""
        del begun
        return worded


class ChunkFraming(MessageFraming):
    """Amazon's event stream around another's events: `chunk` messages whose `bytes` are a JSON document in base64, as
    InvokeModelWithResponseStream and its kin send them. A chunk's event has no name, its data is the inner document;
    other messages (exceptions) are events of their own."""

    def feed(self, data: bytes) -> list[SseEvent]:
        """See `Framing`."""
        return [_unpacked(each) for each in self._decoder.feed(data)]

    def encode(self, event: str, data: bytes) -> bytes:
        """See `Framing`."""
        return eventstream.event(event, data) if event else eventstream.event("chunk", _packed(data))

    def rewritten(self, event: SseEvent, data: bytes) -> bytes:
        """See `Framing`. The padding beside the bytes, which hides their length, goes."""
        return eventstream.with_payload(event.raw, data if event.event else _packed(data))


class LinesFraming:
    """Documents, one to a line (NDJSON). Lines end with LF or CRLF; empty ones are forwarded, and say nothing."""

    content_type = b"application/x-ndjson"
    comments = False

    def __init__(self, *, max_line_bytes: int = MAX_EVENT_BYTES) -> None:
        self._limit = max_line_bytes
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[SseEvent]:
        """See `Framing`."""
        events: list[SseEvent] = []
        start = 0
        while end := data.find(b"\n", start) + 1:
            raw = bytes(self._rest) + data[start:end] if self._rest else data[start:end]
            self._rest.clear()
            self._check(len(raw))
            events.append(new_event(raw, "", raw.strip()))
            start = end
        self._rest += data[start:]
        self._check(len(self._rest))
        return events

    def finish(self) -> list[SseEvent]:
        """The last line, where nothing ends it."""
        raw = bytes(self._rest)
        self._rest.clear()
        return [new_event(raw, "", raw.strip())] if raw else []

    def encode(self, event: str, data: bytes) -> bytes:
        """See `Framing`."""
        return data + b"\n"

    def rewritten(self, event: SseEvent, data: bytes) -> bytes:
        """See `Framing`."""
        return data + event.raw[len(event.raw.rstrip()) :]

    def ending(self, worded: bytes, *, begun: bool) -> bytes:
        """See `Framing`."""
        del begun
        return worded

    def _check(self, size: int) -> None:
        if size > self._limit:
            raise ContentError(f"a line of the stream longer than {self._limit} bytes")


class ServerSentLines(LinesFraming):
    """Lines of JSON from a service whose usual framing is server-sent events (Cohere's first chat API)."""

    content_type = b"application/stream+json"

    def ending(self, worded: bytes, *, begun: bool) -> bytes:
        """See `Framing`."""
        del begun
        return b"".join(self.encode("", data) for data in _documents(worded))


class ArrayFraming:
    """One JSON array whose elements come as they are made: what Google's services stream where nobody asks for
    `alt=sse`. Brackets, commas and white space stay as they are; they belong to the element behind them."""

    content_type = b"application/json"
    comments = False

    def __init__(self) -> None:
        self._decoder = ArrayDecoder()
        self._begun = False

    def feed(self, data: bytes) -> list[SseEvent]:
        """See `Framing`."""
        return [
            new_event(each.raw, "" if each.document else ARRAY_END, each.document)
            for each in self._decoder.feed(data)
        ]

    def finish(self) -> list[SseEvent]:
        """White space behind the array, or what is no array at all. An element that broke off says nothing."""
        rest = self._decoder.finish()
        return [new_event(rest.raw, "" if rest.document else ARRAY_END, rest.document)] if rest.raw else []

    def encode(self, event: str, data: bytes) -> bytes:
        """The first element with the bracket before it, another with a comma."""
        opening, self._begun = (b",\n" if self._begun else b"["), True
        return opening + data

    def rewritten(self, event: SseEvent, data: bytes) -> bytes:
        """See `Framing`."""
        if not event.data:
            return event.raw
        at = event.raw.rfind(event.data)
        return event.raw[:at] + data + event.raw[at + len(event.data) :]

    def ending(self, worded: bytes, *, begun: bool) -> bytes:
        """See `Framing`."""
        self._begun = begun
        return b"".join(self.encode("", data) for data in _documents(worded)) + b"]"


def _documents(worded: bytes) -> list[bytes]:
    """The data of server-sent events of our own."""
    return [each.data for each in SseDecoder().feed(worded) if each.data != b"[DONE]"]


def _unpacked(message: Message) -> SseEvent:
    if message.kind == "event" and message.name == "chunk":
        try:
            packed = orjson.loads(message.payload)["bytes"]
            return new_event(message.raw, "", b64decode(packed, validate=True))
        except (ValueError, KeyError, TypeError):  # what cannot be unpacked is not let through unread
            raise ContentError("a chunk of the event stream without its bytes") from None
    return new_event(message.raw, message.name, message.payload)


def _packed(data: bytes) -> bytes:
    return orjson.dumps({"bytes": b64encode(data).decode()})
