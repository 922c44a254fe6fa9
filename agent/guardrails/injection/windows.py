"""The windows that a text is searched in, and the pieces of a window that the model judges: by character offsets from
the start alone, so that a text that arrives bit by bit has the windows of the whole, however it was cut.

Rules with wide gaps need a window. The model needs less: an attack is a sentence or two, and what stands around it
speaks for harmlessness without meaning any.
"""

from __future__ import annotations

from typing import NamedTuple

SIZE = 1_000
"""Characters of a window; an edge may move `SNAP` further, to the next white space."""
STRIDE = 750
"""Characters from the start of one window to the start of the next: what one cuts in two, its neighbour has whole."""
SNAP = 40

PIECE = 220
"""Characters of a piece of a window at most, but for `SNAP`."""
SENTENCE = 100
"""Sentences shorter than this are judged together with their neighbours."""
_FRAGMENT = 20  # characters before an end that may be one: `e.g. `, list numbers
_ENDS = ".!?"
_CLOSING = "\"')]"
_BARE_ENDS = "\n\u3002\uff01\uff1f"  # that need no white space behind them


class Window(NamedTuple):
    """A piece of a text and where it starts, in characters."""

    start: int
    text: str

    @property
    def end(self) -> int:
        """Behind its last character."""
        return self.start + len(self.text)


def windows(text: str) -> list[Window]:
    """All windows of a whole text, in order. A text that fits is one window; the empty text has none."""
    feed = WindowFeed()
    return [*feed.feed(text), *feed.finish()]


def pieces(text: str) -> list[Window]:
    """The pieces of a window's text, in order: whole sentences as far as they go, lines count as such. Where a piece
    ends with a short sentence, the next begins with it: what it says may belong to what follows."""
    edges = _edges(text)
    found: list[Window] = []
    first, last = 0, len(edges) - 1
    while first < last:
        behind = first + 1
        while (
            behind < last
            and edges[behind] - edges[first] < SENTENCE
            and edges[behind + 1] - edges[first] <= PIECE
        ):
            behind += 1
        found.append(Window(edges[first], text[edges[first] : edges[behind]]))
        if behind == last:
            break
        again = behind - 1
        first = again if again > first and edges[behind] - edges[again] < SENTENCE else behind
    return found


def _edges(text: str) -> list[int]:
    """Where sentences begin, and the end of the text; what is long is cut at white space."""
    edges = [0]
    for end in (*_ends(text), len(text)):
        if end - edges[-1] < _FRAGMENT and end < len(text):
            continue
        while end - edges[-1] > PIECE + SNAP:
            edges.append(_snapped(text, edges[-1] + PIECE))
        if end > edges[-1]:
            edges.append(end)
    return edges


def _ends(text: str) -> list[int]:
    """The places behind the marks that end a sentence or a line."""
    found = []
    for mark in _ENDS:
        at = text.find(mark)
        while at >= 0:
            behind = at + 1
            if text[behind : behind + 1] in _CLOSING:
                behind += 1
            if text[behind : behind + 1].isspace():
                found.append(behind)
            at = text.find(mark, at + 1)
    for mark in _BARE_ENDS:
        at = text.find(mark)
        while at >= 0:
            found.append(at + 1)
            at = text.find(mark, at + 1)
    found.sort()
    return found


class WindowFeed:
    """Cuts a text that arrives in pieces. Keeps no more of it than one window and the piece at hand."""

    def __init__(self) -> None:
        self._tail = ""
        self._at = 0  # where the tail starts in the text
        self._number = 0  # of the next window
        self._covered = 0  # where the last window ended

    def feed(self, piece: str) -> list[Window]:
        """The windows that `piece` completes."""
        self._tail += piece
        done: list[Window] = []
        while self._at + len(self._tail) >= self._number * STRIDE + SIZE + SNAP:
            done.append(self._next())
        kept = max(0, self._number * STRIDE - self._at)
        self._tail, self._at = self._tail[kept:], self._at + kept
        return done

    def finish(self) -> list[Window]:
        """The windows that the end of the text completes. The feed is then used up."""
        done: list[Window] = []
        while self._covered < self._at + len(self._tail):
            done.append(self._next())
        return done

    def _next(self) -> Window:
        """The window of the next number, as far as the text has come."""
        opening = self._number * STRIDE
        start = self._edge(opening) if self._number else 0
        end = self._edge(opening + SIZE)
        self._number += 1
        self._covered = end
        return Window(start, self._tail[start - self._at : end - self._at])

    def _edge(self, wanted: int) -> int:
        """The first white space from there on, if one stands near."""
        return self._at + _snapped(self._tail, wanted - self._at)


def _snapped(text: str, wanted: int) -> int:
    """The first white space from there on, if one stands near; at most the end."""
    if wanted >= len(text):
        return len(text)
    for offset, char in enumerate(text[wanted : wanted + SNAP]):
        if char.isspace():
            return wanted + offset
    return wanted
