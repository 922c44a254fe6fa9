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

PIECE = 300
"""Characters of a piece of a window; edges move as those of windows do."""
PIECE_STRIDE = 200


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
    """The pieces of a window's text, in order. What is hardly longer than one piece is one."""
    if len(text) <= PIECE + SNAP:
        return [Window(0, text)] if text else []
    found: list[Window] = []
    opening = end = 0
    while end < len(text):
        start = _snapped(text, opening) if opening else 0
        end = _snapped(text, opening + PIECE)
        found.append(Window(start, text[start:end]))
        opening += PIECE_STRIDE
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
