"""The windows that a text is judged in: by character offsets from its start alone, so that a text that arrives in
pieces has the windows of the whole, however it was cut."""

from __future__ import annotations

from typing import NamedTuple

SIZE = 1_000
"""Characters of a window; an edge may move `SNAP` further, to the next white space."""
STRIDE = 750
"""Characters from the start of one window to the start of the next: what one cuts in two, its neighbour has whole."""
SNAP = 40


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
        begin = wanted - self._at
        if begin >= len(self._tail):
            return self._at + len(self._tail)
        near = self._tail[begin : begin + SNAP]
        for offset, char in enumerate(near):
            if char.isspace():
                return wanted + offset
        return wanted
