"""The elements of a JSON array, cut out of a byte stream while it comes.

Only structure is looked at: brackets, and where strings begin and end. Whether an element is valid JSON, and what it
means, is for whoever reads it. All `raw` put together are the bytes fed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

import orjson

from agent.errors import ContentError

MAX_ELEMENT_BYTES = 16 * 1024 * 1024
_SPACE = b" \t\r\n"
_BETWEEN = _SPACE + b","
_BACKSLASH, _BRACE, _OPENING, _CLOSING = b"\\{[]"
_OTHER = "an array of something else than objects"


class _Place(Enum):
    BEFORE = auto()
    INSIDE = auto()
    BEHIND = auto()
    ELSEWHERE = auto()  # there is no array


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One element: its exact bytes with what stands before it, and itself. The end of the array is an element without
    a document."""

    raw: bytes
    document: bytes


class ArrayDecoder:
    """Cuts an array of objects, however it is chunked. What does not begin as an array is kept whole until its end.

    Every byte is looked at once. It goes from quote to quote: brackets between two are text, or are counted.
    """

    __slots__ = ("_begin", "_depth", "_limit", "_place", "_quoted", "_rest", "_searched")

    def __init__(self, *, max_element_bytes: int = MAX_ELEMENT_BYTES) -> None:
        self._limit = max_element_bytes
        self._rest = bytearray()  # what has come and was not given out
        self._searched = 0  # of the rest; up to here the brackets are counted
        self._begin = 0  # of the rest, where the element begins
        self._depth = 0  # brackets that are open: 1 is the array's own
        self._quoted = False  # in a string
        self._place = _Place.BEFORE

    def feed(self, data: bytes) -> list[Element]:
        """The elements that `data` completes. Raises ContentError where one outgrows the limit, or something else than
        objects stands in the array."""
        if not self._rest and self._depth == 1 and (whole := _whole(data)):
            behind = data.index(whole) + len(whole)
            self._rest += data[behind:]
            self._searched = len(self._rest)
            return [Element(raw=data[:behind], document=whole)]
        self._rest += data
        if self._place is _Place.BEFORE:
            self._open()
        found: list[Element] = []
        while self._place is _Place.INSIDE and (end := self._end()):
            document = bytes(self._rest[self._begin : end]) if self._depth else b""
            found.append(Element(raw=bytes(self._rest[:end]), document=document))
            del self._rest[:end]
            self._searched = 0
            if not self._depth:
                self._place = _Place.BEHIND
        if len(self._rest) > self._limit:
            raise ContentError(f"an element of the stream longer than {self._limit} bytes")
        return found

    def finish(self) -> Element:
        """What is left: white space, or all of what was no array, as a document."""
        rest = bytes(self._rest)
        self._rest.clear()
        if self._place is _Place.ELSEWHERE:
            return Element(raw=rest, document=rest.strip())
        return Element(raw=b"" if rest.strip() else rest, document=b"")

    def _open(self) -> None:
        """Look for the bracket that begins the array."""
        at = len(self._rest) - len(self._rest.lstrip(_SPACE))
        if at < len(self._rest):
            self._place = _Place.INSIDE if self._rest[at] == _OPENING else _Place.ELSEWHERE
            self._depth = 1
            self._searched = at + 1

    def _end(self) -> int:
        """Where the first element ends, or the array; 0 where neither does yet."""
        rest, at = self._rest, self._searched
        while True:
            quote = rest.find(b'"', at)
            stop = len(rest) if quote < 0 else quote
            if self._quoted:
                if quote < 0:
                    break
                self._quoted = _backslashes(rest, quote) % 2 == 1
            else:
                if end := self._counted(at, stop):
                    return end
                if quote < 0:
                    break
                if self._depth == 1:
                    raise ContentError(_OTHER)
                self._quoted = True
            at = quote + 1
        self._searched = len(rest)
        return 0

    def _counted(self, start: int, stop: int) -> int:
        """Count the brackets between two places; where the element or the array ends among them, 0 where neither."""
        count = self._rest.count
        closing = count(b"}", start, stop) + count(b"]", start, stop)
        if self._depth - closing > 1:  # wherever they stand, none of them ends the element
            self._depth += count(b"{", start, stop) + count(b"[", start, stop) - closing
            return 0
        for at in range(start, stop):
            match self._rest[at]:
                case 0x7B | 0x5B as opening:  # { [
                    if self._depth == 1:
                        if opening != _BRACE:
                            raise ContentError(_OTHER)
                        self._begin = at
                    self._depth += 1
                case 0x7D | 0x5D as closing:  # } ]
                    if self._depth == 1 and closing != _CLOSING:
                        raise ContentError(_OTHER)
                    self._depth -= 1
                    if self._depth <= 1:
                        return at + 1
        return 0


def _whole(data: bytes) -> bytes:
    """The one object that `data` holds, as it mostly comes: cheaper than to count its brackets. Empty for all else."""
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
    while at and text[at - 1] == _BACKSLASH:
        at -= 1
    return end - at
