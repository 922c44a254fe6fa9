"""Server-sent events, cut out of a byte stream and put together again.

Follows the WHATWG HTML standard, section 9.2.6 "Interpreting an event stream": lines end with LF, CRLF or CR; a
blank line ends an event; a leading byte order mark is skipped. The bytes of each event are kept, so what nobody edits
is forwarded as it came: the `raw` of all events put together are the bytes fed.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.errors import ContentError

MAX_EVENT_BYTES = 16 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class SseEvent:
    """One event: its exact bytes with the blank line that ends it, its name ("" where none), its joined data lines.

    An event without data (comments, stray blank lines) is no event for a client; it is reported to be forwarded.
    """

    raw: bytes
    event: str
    data: bytes


_new = object.__new__
_set_raw = SseEvent.__dict__["raw"].__set__
_set_event = SseEvent.__dict__["event"].__set__
_set_data = SseEvent.__dict__["data"].__set__


def new_event(raw: bytes, event: str, data: bytes) -> SseEvent:
    """`SseEvent(raw=…, event=…, data=…)`, made fast (see `moulds`)."""
    made = _new(SseEvent)
    _set_raw(made, raw)
    _set_event(made, event)
    _set_data(made, data)
    return made


class SseDecoder:
    """Cuts a stream into events, however it is chunked.

    An event that ends with a bare CR, which only the next byte can tell from CRLF, is reported with the next chunk.
    """

    def __init__(self, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._limit = max_event_bytes
        self._rest = bytearray()
        self._searched = 0  # no event ends before this position of the rest
        self._has_cr = False  # whether the rest holds one
        self._started = False

    def feed(self, data: bytes) -> list[SseEvent]:
        """The events that `data` completes. Raises ContentError where one outgrows the limit."""
        events: list[SseEvent] = []
        if self._rest or not self._started or len(data) > self._limit:
            return self._feed_any(data, events)
        start = 0
        while end := _plain_event(data, start, events):
            start = end
        return events if start == len(data) else self._feed_any(data[start:], events)

    def _feed_any(self, data: bytes, events: list[SseEvent]) -> list[SseEvent]:
        buffer: bytes | bytearray = data
        self._has_cr = 0x0D in data or (self._has_cr and bool(self._rest))
        if self._rest:
            self._rest += data
            buffer = self._rest
        start = 0
        search = self._searched
        end_of = _end_before_cr if self._has_cr else _end_before_lf
        while end := end_of(buffer, search):
            if end - start > self._limit:
                raise self._too_long()
            events.append(self._cut(bytes(buffer[start:end])))
            start = search = end
        self._keep(buffer, start)
        return events

    def finish(self) -> list[SseEvent]:
        """The unterminated rest as an event, for providers that end without a blank line."""
        rest = bytes(self._rest)
        self._rest.clear()
        self._searched = 0
        return [self._cut(rest)] if rest else []

    def _keep(self, buffer: bytes | bytearray, start: int) -> None:
        if len(buffer) - start > self._limit:
            raise self._too_long()
        if buffer is self._rest:
            del self._rest[:start]
        elif start < len(buffer):
            self._rest += buffer[start:]
        self._searched = max(len(self._rest) - 3, 0)

    def _too_long(self) -> ContentError:
        return ContentError(f"a server-sent event longer than {self._limit} bytes")

    def _cut(self, raw: bytes) -> SseEvent:
        text = raw
        if not self._started:
            self._started = True
            text = raw.removeprefix(_BOM)
        if 0x0D in text:
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return new_event(raw, *_fields(text))


def encode(event: str, data: bytes) -> bytes:
    """One complete event. `event` is left out where empty; line breaks in `data` make several data lines."""
    head = b"event: " + event.encode() + b"\n" if event else b""
    return (
        head
        + b"data: "
        + data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\ndata: ")
        + b"\n\n"
    )


def _end_before_lf(buffer: bytes | bytearray, search: int) -> int:
    """Where the first event ends in a stream without CR, 0 where none does."""
    at = buffer.find(b"\n\n", search)
    return at + 2 if at >= 0 else 0


def _end_before_cr(buffer: bytes | bytearray, search: int) -> int:
    """The same in a stream with CR: a line end and then another, the second of which may be CR or begin a CRLF."""
    at = buffer.find(b"\n\r", search)
    for ends in (b"\n\n", b"\r\r"):
        other = buffer.find(ends, search, at + 1 if at >= 0 else len(buffer))
        if other >= 0:
            at = other
    if at < 0:
        return 0
    if buffer[at + 1] == 0x0A:
        return at + 2
    if len(buffer) == at + 2:
        return 0  # the next byte decides
    return at + 3 if buffer[at + 2] == 0x0A else at + 2


def _plain_event(data: bytes, start: int, events: list[SseEvent]) -> int:
    """Take the event at `start` if it is `data: …`, or `event: …` and `data: …`, and a blank line: nearly every event
    is, and need not be taken line by line. Returns where it ends, 0 if it is not such."""
    name = ""
    body = start
    if data.startswith(b"event: ", start):
        body = data.find(b"\n", start) + 1
        line = data[start + 7 : body - 1].removesuffix(b"\r")
        if not body or 0x0D in line:
            return 0
        name = line.decode("utf-8", "replace")
    end = data.find(b"\n", body)
    if end < 0 or not data.startswith(b"data: ", body):
        return 0
    bare_cr = data.find(b"\r", body, end)
    if bare_cr < 0 and data.startswith(b"\n", end + 1):
        last, after = end, end + 2
    elif bare_cr == end - 1 and data.startswith(b"\r\n", end + 1):
        last, after = end - 1, end + 3
    else:
        return 0
    events.append(new_event(data[start:after], name, data[body + 6 : last]))
    return after


def _fields(text: bytes) -> tuple[str, bytes]:
    """An event's name and data. `text` has LF only."""
    name = b""
    data = []
    for line in text.split(b"\n"):
        if line.startswith(b"data:"):
            data.append(line[6:] if line[5:6] == b" " else line[5:])
        elif line.startswith(b"event:"):
            name = line[7:] if line[6:7] == b" " else line[6:]
        elif line == b"data":
            data.append(b"")
    return name.decode("utf-8", "replace"), b"\n".join(data)
