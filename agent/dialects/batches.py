"""Google's batches: how the services behind its pages are asked and answer.

A question is a form whose field `f.req` holds JSON, in which further JSON stands as text. An answer begins with `)]}'`;
then come chunks of JSON, each behind its length: the number of UTF-16 code units (as JavaScript counts) from the end of
the number to the end of the chunk, both line ends included. A chunk is an array of parts; a part `["wrb.fr", id, "…"]`
again holds JSON as text. Knows nothing of what any service means.
Source: public clients (2023 to 2026) and recorded answers in their tests; Google has not described it.

Texts are addressed here by one path through both documents (`flat`), as if the inner one were no text: to whoever reads
it is not. `nested` is the way back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from agent.dialects import urlencoded
from agent.dialects.jsonedits import edit
from agent.dialects.jsontext import parse
from agent.dialects.sse import SseEvent, new_event
from agent.errors import ContentError
from agent.model.content import Edit, Path

MAX_CHUNK = 16 * 1024 * 1024  # bytes
FIELD = "f.req"
PREFIX = b")]}'"
PART = 2
"""Steps from an answer's chunk to the text of a part: its place, and that of the text in it."""
_SPACE = b" \t\r\n"
_DIGITS = b"0123456789"
_LONGEST_NUMBER = 10
_CONTINUATIONS = bytes(range(0x80, 0xC0))
_PAIRS = bytes(range(0xF0, 0xF8))  # what begins a character of two units


class BatchFraming:
    """Cuts an answer into chunks. An answer that is not cut in this way is one chunk: whatever follows its prefix."""

    content_type = b"application/json"
    comments = False

    def __init__(self, *, max_chunk: int = MAX_CHUNK) -> None:
        self._limit = max_chunk
        self._rest = bytearray()
        self._started = False
        self._unframed = False
        self._body = self._need = 0  # where the chunk's text begins in the rest, and how many units it has
        self._at = self._units = 0  # up to where units were counted

    def feed(self, data: bytes) -> list[SseEvent]:
        """The chunks that `data` completes. Raises ContentError where one outgrows the limit."""
        self._rest += data
        events: list[SseEvent] = []
        while (event := self._next()) is not None:
            events.append(event)
        if len(self._rest) > self._limit:
            raise ContentError(f"a chunk longer than {self._limit} bytes")
        return events

    def finish(self) -> list[SseEvent]:
        """What is left: an answer without lengths. A chunk that broke off says nothing."""
        rest = bytes(self._rest)
        self._rest.clear()
        if self._unframed:
            return [new_event(rest, "", rest.strip(_SPACE))]
        return [new_event(rest, "", b"")] if rest and not rest.strip(_SPACE) else []

    def encode(self, event: str, data: bytes) -> bytes:
        """The bytes of a chunk: its length is that of what it says now."""
        del event
        return data if self._unframed else str(units_of(data)).encode() + data

    def rewritten(self, event: SseEvent, data: bytes) -> bytes:
        """The bytes of a chunk that was read, with other data."""
        return self.encode(event.event, data)

    def ending(self, worded: bytes, *, begun: bool) -> bytes:
        """The end of a stopped stream, as its dialect words it."""
        del begun
        return worded

    def _next(self) -> SseEvent | None:
        if not self._started:
            head = self._rest.lstrip(_SPACE)
            if PREFIX.startswith(head[: len(PREFIX)]) and len(head) < len(PREFIX):
                return None
            self._started = True
            if head.startswith(PREFIX):
                return self._cut(len(self._rest) - len(head) + len(PREFIX), b"")
        if self._unframed or (not self._need and not self._number()):
            return None
        while self._units < self._need and self._at < len(self._rest):
            piece = self._rest[
                self._at : self._at + self._need - self._units
            ]  # no byte counts for more than one
            self._units += units_of(bytes(piece))
            self._at += len(piece)
        if self._units < self._need:
            return None
        return self._cut(self._at, bytes(self._rest[self._body : self._at]))

    def _number(self) -> bool:
        """Read the length of the next chunk, if it is there whole."""
        at = len(self._rest) - len(self._rest.lstrip(_SPACE))
        end = at
        while end < len(self._rest) and self._rest[end] in _DIGITS:
            end += 1
        if end == len(self._rest) and end - at <= _LONGEST_NUMBER:
            return False
        if not 0 < end - at <= _LONGEST_NUMBER:
            self._unframed = True
            return False
        self._need = int(self._rest[at:end])
        if self._need > self._limit:
            raise ContentError(f"a chunk longer than {self._limit} units")
        self._body = self._at = end
        self._units = 0
        self._unframed = not self._need
        return not self._unframed

    def _cut(self, end: int, data: bytes) -> SseEvent:
        raw = bytes(self._rest[:end])
        del self._rest[:end]
        self._need = 0
        return new_event(raw, "", data)


def units_of(data: bytes) -> int:
    """How many UTF-16 code units the UTF-8 text has."""
    if data.isascii():
        return len(data)
    pairs = len(data) - len(data.translate(None, _PAIRS))
    return len(data.translate(None, _CONTINUATIONS)) + pairs


def chunk(document: bytes) -> bytes:
    """A JSON document as a chunk."""
    text = b"\n" + document + b"\n"
    return str(units_of(text)).encode() + text


def question(body: bytes) -> object:
    """What the field `f.req` of a form holds. Raises ContentError."""
    field = next((each for each in urlencoded.fields_of(body) if each.name == FIELD), None)
    if field is None:
        raise ContentError(f"the form has no field {FIELD}")
    return parse(field.value)


def edit_question(body: bytes, edits: Iterable[Edit], *, depth: int) -> bytes:
    """The form with its `f.req` edited, at addresses that are flat. Raises ContentError."""
    field = next((each for each in urlencoded.fields_of(body) if each.name == FIELD), None)
    if field is None:
        raise ContentError(f"the form has no field {FIELD}")
    changed = edit(field.value.encode(), nested(edits, depth=depth))
    return urlencoded.with_values(body, {FIELD: changed.decode()})


def flat(outer: Path, inner: Path) -> Path:
    """One path through a document and the one in its text at `outer`."""
    return (*outer, *inner)


def nested(edits: Iterable[Edit], *, depth: int) -> tuple[Edit, ...]:
    """Edits at flat addresses as edits at addresses of texts in texts; the outer path has `depth` steps. A shorter path
    leads to a text of the outer document."""
    return tuple(
        replace(each, address=(each.address[0][:depth], each.address[0][depth:], *each.address[1:]))
        if len(each.address[0]) > depth
        else each
        for each in edits
    )
