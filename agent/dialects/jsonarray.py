"""The elements of a JSON array, cut out of a byte stream while it comes.

Only structure is looked at: brackets, and where strings begin and end. Whether an element is valid JSON, and what it
means, is for whoever reads it. All `raw` put together are the bytes fed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

import re2

from agent.errors import ContentError

MAX_ELEMENT_BYTES = 16 * 1024 * 1024
_STRUCTURE = re2.compile(rb'["{}\[\]]')
_IN_STRING = re2.compile(rb'["\\]')
_SPACE = b" \t\r\n"
_QUOTE, _BRACE, _OPENING, _CLOSING = b'"{[]'


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
    """Cuts an array of objects, however it is chunked. What does not begin as an array is kept whole until its end."""

    def __init__(self, *, max_element_bytes: int = MAX_ELEMENT_BYTES) -> None:
        self._limit = max_element_bytes
        self._rest = bytearray()  # what has come and was not given out
        self._begin = 0  # of the rest, where the element begins
        self._depth = 0  # brackets that are open: 1 is the array's own
        self._quoted = False  # in a string
        self._escaped = False  # behind a backslash that ended a chunk
        self._place = _Place.BEFORE
        self._closed = False  # the last step ended an element, or the array

    def feed(self, data: bytes) -> list[Element]:
        """The elements that `data` completes. Raises ContentError where one outgrows the limit, or something else than
        objects stands in the array."""
        found: list[Element] = []
        at = start = 0
        if self._place is _Place.BEFORE:
            at = self._open(data)
        while self._place is _Place.INSIDE and at < len(data):
            at = self._string(data, at) if self._quoted else self._structure(data, at, start)
            if self._closed:
                self._closed = False
                raw = bytes(self._rest) + data[start:at]
                found.append(Element(raw=raw, document=raw[self._begin :] if self._depth else b""))
                self._rest.clear()
                start = at
        self._rest += data[start:]
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

    def _open(self, data: bytes) -> int:
        """Look for the bracket that begins the array; returns the position behind it."""
        at = len(data) - len(data.lstrip(_SPACE))
        if at < len(data):
            self._place = _Place.INSIDE if data[at] == _OPENING else _Place.ELSEWHERE
            self._depth = 1
        return at + 1

    def _string(self, data: bytes, at: int) -> int:
        """Go on in a string; returns the position behind what was taken."""
        if self._escaped:
            self._escaped = False
            return at + 1
        match = _IN_STRING.search(data, at)
        if match is None:
            return len(data)
        if data[match.start()] == _QUOTE:
            self._quoted = False
        else:
            self._escaped = True
        return int(match.end())

    def _structure(self, data: bytes, at: int, start: int) -> int:
        """Go on outside of strings to the next quote or bracket; returns the position behind it."""
        match = _STRUCTURE.search(data, at)
        if match is None:
            return len(data)
        end = int(match.end())
        found = data[end - 1]
        if self._depth == 1 and found not in (_BRACE, _CLOSING):
            raise ContentError("an array of something else than objects")
        if found == _QUOTE:
            self._quoted = True
        elif found in (_BRACE, _OPENING):
            if self._depth == 1:
                self._begin = len(self._rest) + end - 1 - start
            self._depth += 1
        else:
            self._depth -= 1
            self._closed = self._depth <= 1
            if not self._depth:
                self._place = _Place.BEHIND
        return end
