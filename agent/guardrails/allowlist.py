"""Allowlists that look at more than the value found: at the match around it, or at the line before it.

Owns the value and its compiled form. Plain exceptions on the value itself stand in `Rule.allow` and `Rule.stopwords`;
these here are for rule packs that say more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from agent.guardrails.regex import Regexp
from agent.guardrails.stopwords import StopWords

LINE_REACH = 120
"""How far before a match, in bytes of UTF-8, its line is looked at: a stream keeps a little more than that."""

_NO_CHARACTER = b"\xff"  # stands for the rest of a line: no pattern matches it, and no text ends before it
_CONTINUATION = range(0x80, 0xC0)
_LEAD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")


class Target(StrEnum):
    """What the patterns of an allowlist are matched with. Stop words always look at the value."""

    SECRET = "secret"  # noqa: S105  gitleaks' word for the value found
    MATCH = "match"
    LINE = "line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowlist:
    """Exceptions of a rule.

    A finding is dropped where any pattern matches the target or any stop word, in any case, stands in the value; with
    `every`, where both do. Of the line only the part before and inside the match is seen, at most `LINE_REACH` bytes
    before it: a stream cannot look ahead, and must find what a whole text does.
    """

    patterns: tuple[str, ...] = ()  # RE2 syntax
    stopwords: tuple[str, ...] = ()
    target: Target = Target.SECRET
    every: bool = False


class Exemption:
    """An allowlist ready to run. `lead`: see `Rule.lead`."""

    def __init__(self, allowlist: Allowlist, lead: int, compile: Callable[[str], Regexp]) -> None:  # noqa: A002
        self._target = allowlist.target
        self._every = allowlist.every
        self._lead = lead
        self._patterns = tuple(compile(pattern) for pattern in allowlist.patterns)
        self._stopwords = StopWords(allowlist.stopwords) if allowlist.stopwords else None

    def covers(self, data: bytes, match: tuple[int, int], span: tuple[int, int]) -> bool:
        """Whether the finding `data[span]`, made by the match `data[match]`, is let pass."""
        text, at = self._view(data, match, span)
        checks: list[bool] = []
        if self._patterns:
            checks.append(any(pattern.search(text, at) is not None for pattern in self._patterns))
        if self._stopwords is not None:
            value = data[span[0] : span[1]].decode("utf-8", "replace")
            checks.append(self._stopwords.found_in(value))
        return all(checks) and bool(checks) if self._every else any(checks)

    def _view(self, data: bytes, match: tuple[int, int], span: tuple[int, int]) -> tuple[bytes, int]:
        """The text that the patterns look at, and where in it they begin: `^` matches only at its very start."""
        match self._target:
            case Target.SECRET:
                return data[span[0] : span[1]], 0
            case Target.MATCH:
                start = match[0]
                while start > max(0, match[0] - self._lead) and data[start - 1] in _LEAD:
                    start -= 1
                return data[start : match[1]].strip(b"\n"), 0
            case Target.LINE:
                return _line(data, *match)


def _line(data: bytes, start: int, end: int) -> tuple[bytes, int]:
    """The line of a match up to its end. Where its beginning is out of reach, one byte before it is kept, so that no
    pattern takes the place of the cut for the beginning."""
    reach = start - LINE_REACH
    newline = data.rfind(b"\n", max(0, reach - 1), start)
    if newline >= 0 or reach <= 0:
        return data[newline + 1 : end] + _NO_CHARACTER, 0
    while reach < start and data[reach] in _CONTINUATION:
        reach += 1
    return data[reach - 1 : end] + _NO_CHARACTER, 1
