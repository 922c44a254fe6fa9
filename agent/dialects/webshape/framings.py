"""What cuts the answers of chat pages into events, besides server-sent events. See `agent.dialects.framing.Framing`.

The `raw` of all events put together are the bytes fed, so what nobody edits is forwarded as it came.
"""

from __future__ import annotations

import codecs

from agent.dialects.framing import Framing as Cutter
from agent.dialects.framing import SseFraming
from agent.dialects.sse import MAX_EVENT_BYTES, SseEvent, new_event
from agent.dialects.webshape.envelopes import COMPRESSED, END, HEAD, envelope
from agent.errors import ContentError
from agent.model.webshape import Framing

_NAME = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789")
_LONGEST_NAME = 4


def cutter(framing: Framing) -> Cutter:
    """What cuts a stream of that framing."""
    match framing:
        case Framing.LINES:
            return LineFraming()
        case Framing.PREFIXED:
            return LineFraming(prefixed=True)
        case Framing.CONNECT:
            return ConnectFraming()
        case Framing.BATCH:
            return BatchFraming()
        case Framing.TEXT:
            return TextFraming()
        case Framing.SSE | Framing.DOCUMENT:
            return SseFraming()


class _Ours:
    """What they share: none knows comments, and a page's refusal is worded in the page's own framing."""

    comments = False

    def ending(self, worded: bytes, *, begun: bool) -> bytes:
        """See `Framing`."""
        del begun
        return worded


class LineFraming(_Ours):
    """One event a line. With `prefixed` a short name and a colon begin the line, as in the AI SDK's data streams
    (`0:"Hi"`); a line without is an event without name."""

    def __init__(self, *, prefixed: bool = False) -> None:
        self._prefixed = prefixed
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[SseEvent]:
        """See `Framing`."""
        end = data.rfind(b"\n") + 1
        if not end:
            self._keep(data)
            return []
        whole = data[:end]
        if self._rest:
            whole = bytes(self._rest) + whole
            self._rest.clear()
        self._keep(data[end:])
        return [self._event(line + b"\n") for line in whole[:-1].split(b"\n")]

    def finish(self) -> list[SseEvent]:
        """See `Framing`. The last line may do without its end."""
        rest = bytes(self._rest)
        self._rest.clear()
        return [self._event(rest)] if rest else []

    def encode(self, event: str, data: bytes) -> bytes:
        """See `Framing`."""
        return (f"{event}:".encode() if event else b"") + data + b"\n"

    def rewritten(self, event: SseEvent, data: bytes) -> bytes:
        """See `Framing`. The line ends as it did."""
        return self.encode(event.event, data)[:-1] + event.raw[len(event.raw.rstrip(b"\r\n")) :]

    def _keep(self, data: bytes) -> None:
        self._rest += data
        if len(self._rest) > MAX_EVENT_BYTES:
            raise ContentError(f"a line longer than {MAX_EVENT_BYTES} bytes")

    def _event(self, raw: bytes) -> SseEvent:
        line = raw.rstrip(b"\r\n")
        if self._prefixed:
            colon = line.find(b":", 0, _LONGEST_NAME + 1)
            if colon > 0 and _NAME.issuperset(line[:colon]):
                return new_event(raw, line[:colon].decode("ascii"), line[colon + 1 :])
        return new_event(raw, "", line)


class ConnectFraming(_Ours):
    """Messages in Connect's envelopes. The one that ends a stream has the name `end`."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[SseEvent]:
        """See `Framing`. Raises ContentError for a compressed message: browsers cannot ask for one."""
        self._rest += data
        events: list[SseEvent] = []
        at = 0
        while len(self._rest) - at >= HEAD:
            size = int.from_bytes(self._rest[at + 1 : at + HEAD])
            if size > MAX_EVENT_BYTES:
                raise ContentError(f"a message longer than {MAX_EVENT_BYTES} bytes")
            if len(self._rest) - at < HEAD + size:
                break
            raw = bytes(self._rest[at : at + HEAD + size])
            if raw[0] & COMPRESSED:
                raise ContentError("a compressed message in an envelope")
            events.append(new_event(raw, "end" if raw[0] & END else "", raw[HEAD:]))
            at += HEAD + size
        del self._rest[:at]
        return events

    def finish(self) -> list[SseEvent]:
        """A message that broke off says nothing."""
        return []

    def encode(self, event: str, data: bytes) -> bytes:
        """See `Framing`."""
        return envelope(END if event == "end" else 0, data)

    def rewritten(self, event: SseEvent, data: bytes) -> bytes:
        """See `Framing`. The flags stay."""
        return envelope(event.raw[0], data)


class BatchFraming(_Ours):
    """Google's batches: `)]}'`, then again and again a line with a length and a line with a JSON array.

    The length counts UTF-16 units of the array and of the line breaks around it.
    """

    def __init__(self) -> None:
        self._lines = LineFraming()
        self._length = b""  # the line with it

    def feed(self, data: bytes) -> list[SseEvent]:
        """See `Framing`."""
        return [event for line in self._lines.feed(data) for event in self._taken(line)]

    def finish(self) -> list[SseEvent]:
        """See `Framing`."""
        events = [event for line in self._lines.finish() for event in self._taken(line)]
        length, self._length = self._length, b""
        return [*events, new_event(length, "", b"")] if length else events

    def encode(self, event: str, data: bytes) -> bytes:
        """See `Framing`."""
        del event
        return str(_units(data) + 2).encode() + b"\n" + data + b"\n"

    def rewritten(self, event: SseEvent, data: bytes) -> bytes:
        """See `Framing`. The length is counted as the service counts it: more or less by what has changed."""
        length, _, line = event.raw.rpartition(event.data)[0].partition(b"\n")
        tail = event.raw[len(event.raw.rstrip(b"\r\n")) :]
        if not length.strip().isdigit():
            return data + tail
        return str(int(length) + _units(data) - _units(event.data)).encode() + b"\n" + line + data + tail

    def _taken(self, line: SseEvent) -> list[SseEvent]:
        length, self._length = self._length, b""
        if length:
            return [new_event(length + line.raw, "", line.data)]
        if line.data.isdigit() and len(line.data) < 10:
            self._length = line.raw
            return []
        return [new_event(line.raw, "", line.data if line.data != b")]}'" else b"")]


class TextFraming(_Ours):
    """The text itself: what has come is an event, but for a character that is cut."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")

    def feed(self, data: bytes) -> list[SseEvent]:
        """See `Framing`."""
        return self._event(self._decoder.decode(data))

    def finish(self) -> list[SseEvent]:
        """See `Framing`."""
        return self._event(self._decoder.decode(b"", final=True))

    def encode(self, event: str, data: bytes) -> bytes:
        """See `Framing`."""
        del event
        return data

    def rewritten(self, event: SseEvent, data: bytes) -> bytes:
        """See `Framing`."""
        del event
        return data

    def _event(self, text: str) -> list[SseEvent]:
        raw = text.encode("utf-8", "surrogateescape")
        return [new_event(raw, "", raw)] if raw else []


def _units(data: bytes) -> int:
    """How many UTF-16 units the text is long."""
    text = data.decode("utf-8", "replace")
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2
