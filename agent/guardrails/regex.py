"""RE2, typed: the one place that speaks to the library.

Patterns are text, subjects are UTF-8 bytes, offsets are bytes. RE2 runs in time linear in the subject, whatever the
pattern, so no pattern of a policy can stop the agent; it releases the interpreter lock while it runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import re2

type Spans = list[tuple[int, int]]

_UNANCHORED = re2._Anchor.UNANCHORED  # noqa: SLF001
_START = re2._Anchor.ANCHOR_START  # noqa: SLF001


class Match(Protocol):
    """Where a pattern matched."""

    def start(self, group: int = 0) -> int:
        """Offset of the group's first byte, -1 where it took no part."""
        ...

    def end(self, group: int = 0) -> int:
        """Offset behind the group's last byte, -1 where it took no part."""
        ...

    def span(self, group: int = 0) -> tuple[int, int]:
        """Both."""
        ...


class Regexp(Protocol):
    """A compiled pattern."""

    @property
    def programsize(self) -> int:
        """RE2's measure of a pattern's cost: the instructions it was compiled to."""
        ...

    @property
    def groups(self) -> int:
        """How many capturing groups the pattern has."""
        ...

    def search(self, text: bytes, pos: int = 0, endpos: int | None = None) -> Match | None:
        """The leftmost match that begins at or after `pos`, in the text up to `endpos`."""
        ...

    def match(self, text: bytes, pos: int = 0, endpos: int | None = None) -> Match | None:
        """The match that begins at `pos`, in the text up to `endpos`."""
        ...


class _Match:
    """A `Match`: the spans of the whole and of each group."""

    __slots__ = ("_spans",)

    def __init__(self, spans: Spans) -> None:
        self._spans = spans

    def start(self, group: int = 0) -> int:
        return self._spans[group][0]

    def end(self, group: int = 0) -> int:
        return self._spans[group][1]

    def span(self, group: int = 0) -> tuple[int, int]:
        return self._spans[group]


class _Regexp:
    """A `Regexp` that asks RE2 itself, where the library's own wrapper would take as long as RE2 does.

    Between the two lie a generator, a match object that keeps its text, and care for texts that are `str`: 1.3 of
    2.9 µs for a short text. What is called instead belongs to the library (its version is pinned); a test holds both
    against each other.
    """

    __slots__ = ("_ask", "groups", "programsize")

    def __init__(self, engine: Any) -> None:
        self._ask = engine.Match
        self.groups: int = engine.NumberOfCapturingGroups()
        self.programsize: int = engine.ProgramSize()

    def search(self, text: bytes, pos: int = 0, endpos: int | None = None) -> Match | None:
        length = len(text)
        end = length if endpos is None or endpos > length else endpos
        if not 0 <= pos <= end and (pos := max(0, min(pos, length))) > end:
            return None
        spans: Spans = self._ask(_UNANCHORED, text, pos, end)
        return None if spans[0][0] < 0 else _Match(spans)

    def match(self, text: bytes, pos: int = 0, endpos: int | None = None) -> Match | None:
        length = len(text)
        end = length if endpos is None or endpos > length else endpos
        if not 0 <= pos <= end and (pos := max(0, min(pos, length))) > end:
            return None
        spans: Spans = self._ask(_START, text, pos, end)
        return None if spans[0][0] < 0 else _Match(spans)


class RegexpError(ValueError):
    """RE2 refuses a pattern; the text is its own reason."""


def compiled(pattern: str, *, memory: int, captures: bool = True) -> Regexp:
    """Compile `pattern`. `memory` bounds its program and automata, in bytes. Raises RegexpError.

    Where the automata outgrow their memory RE2 forgets and rebuilds them, or simulates them: slower, never wrong.
    """
    options = re2.Options()
    options.log_errors = False
    options.max_mem = memory
    options.never_capture = not captures
    try:
        return _Regexp(re2.compile(pattern, options)._regexp)  # noqa: SLF001  see _Regexp
    except re2.error as error:
        reason = error.args[0] if error.args else b""
        raise RegexpError(
            reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        ) from error


def escaped(text: str) -> str:
    """A pattern that matches exactly `text`."""
    pattern: str = re2.escape(text)
    return pattern


class Sieve:
    """Many patterns at once, by the literals that a match of each must contain: which of them are worth a search."""

    def __init__(self, patterns: Iterable[str], *, memory: int) -> None:
        """Raises RegexpError."""
        options = re2.Options()
        options.log_errors = False
        options.max_mem = memory
        sieve = re2.Filter()
        self._size = 0
        for pattern in patterns:
            try:
                sieve.Add(pattern, options)
            except re2.error as error:
                raise RegexpError("the pattern is refused") from error
            self._size += 1
        try:
            sieve.Compile()
        except re2.error as error:
            raise RegexpError("their literals are too many") from error
        self._ask = sieve._filter.Match  # noqa: SLF001  see _Regexp

    def candidates(self, text: bytes) -> list[int]:
        """Indices of the patterns that may match; those without literals are always among them."""
        if not self._size:
            return []
        found: list[int] = self._ask(text, True)  # noqa: FBT003  potential matches
        return found


class Census:
    """Many patterns at once, in one pass: which of them match. For patterns without literals to sieve by."""

    def __init__(self, patterns: Iterable[str], *, memory: int, anchored: bool = False) -> None:
        """`anchored`: only matches count that begin where the text does. Raises RegexpError."""
        options = re2.Options()
        options.log_errors = False
        options.max_mem = memory
        options.never_capture = True
        asked = re2.Set.MatchSet(options) if anchored else re2.Set.SearchSet(options)
        self._size = 0
        try:
            for pattern in patterns:
                asked.Add(pattern)
                self._size += 1
            # matches always: RE2 answers "none" where its memory does not suffice, and this tells the two apart
            asked.Add(r"\C*\z" if anchored else r"\z")
            asked.Compile()
        except re2.error as error:
            raise RegexpError("the patterns are too large together") from error
        self._ask = asked._set.Match  # noqa: SLF001  see _Regexp

    def matching(self, text: bytes) -> list[int]:
        """Indices of the patterns that match; all of them where RE2 cannot tell."""
        if not self._size:
            return []
        found: list[int] = self._ask(text)
        if self._size not in found:
            return list(range(self._size))
        found.remove(self._size)
        return found
