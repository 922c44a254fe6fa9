"""What the reading of one file may cost, and what came of it so far."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from agent.model.reading import Passage, Problem

_SMALL = 1024 * 1024  # bytes that anything may unpack to, whatever its ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Of one file. Beyond them it is not read, or not further: what was read is judged all the same."""

    bytes: int = 64 * 1024 * 1024  # of the file
    characters: int = 5_000_000  # of all its texts
    pages: int = 2000  # or sheets, slides
    entries: int = 2000  # files in archives, at all levels together
    unpacked: int = 256 * 1024 * 1024  # bytes of everything in it that is compressed, together
    ratio: int = 250  # unpacked to packed; a sheet of zeros reaches 100
    depth: int = 2  # archives inside archives
    seconds: float = 10.0
    memory: int = 1024 * 1024 * 1024  # bytes of the process that reads


class Stopped(Exception):
    """The file is not read any further."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class Budget:
    """Adds up what was found and what it cost. Everything that costs says so here; each method may raise Stopped."""

    def __init__(self, limits: Limits, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self.passages: list[Passage] = []
        self.problem: Problem | None = None
        self.pages = 0
        self.entries = 0
        self._clock = clock
        self._ends = clock() + limits.seconds
        self._left = limits.characters
        self._unpacked = 0

    def text(self, text: str, *, rewritable: bool = False) -> None:
        """A text that was found."""
        if not text or text.isspace():
            return
        if len(text) > self._left:
            if self._left:
                self.passages.append(Passage(text=text[: self._left]))  # a part cannot be written back
            self._left = 0
            raise Stopped(Problem.TOO_LARGE)
        self._left -= len(text)
        self.passages.append(Passage(text=text, rewritable=rewritable))

    def note(self, problem: Problem) -> None:
        """Something could not be read; the rest may be."""
        self.problem = self.problem or problem

    def page(self) -> None:
        """One more page, sheet or slide."""
        self.pages += 1
        if self.pages > self.limits.pages:
            raise Stopped(Problem.TOO_LARGE)
        self.check_time()

    def entry(self, count: int = 1) -> None:
        """So many more files in an archive."""
        self.entries += count
        if self.entries > self.limits.entries:
            raise Stopped(Problem.TOO_LARGE)

    def unpacked(self, size: int, *, whole: int, packed: int) -> None:
        """`size` more bytes came out of something that is `packed` bytes small and has given `whole` so far."""
        self._unpacked += size
        if whole > _SMALL and whole > packed * self.limits.ratio:
            raise Stopped(Problem.BOMB)
        if self._unpacked > self.limits.unpacked:
            raise Stopped(Problem.BOMB)
        self.check_time()

    def check_time(self) -> None:
        """To be called now and then by whatever takes long."""
        if self._clock() > self._ends:
            raise Stopped(Problem.TIMEOUT)
