r"""Carriers: places in a text that may hold another text, in which the rules look as well.

A carrier is a detector like any other: a pattern says where it begins and ends, so that streams hold it back as they
hold back any match. Its judgement is a scan of what it carries. What is found there is the finding, of the rule that
found it. The kinds:

- base64 and hexadecimal of 24 characters or more;
- tokens that a line break cuts in two;
- escapes: `%41`, `\u0041`, `\u{41}`, `\x41`, `&#65;` in a run of 24 characters or more without white space;
- string literals that code joins: `"sk-" + "proj-…"`, `"".join(["sk-", "proj-…"])`, `CONCAT('sk-', 'proj-…')`. Lists
  that are joined by what stands behind them are let be: a stream would have to hold back every list of strings.

Carriers may lie in carriers, two levels deep. Findings in what was decoded as a whole cover all of the run; findings in
what was rewritten piece by piece cover what they were spelt by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import ClassVar, NamedTuple

from agent.guardrails.decoding import Rewriting, Rewritten, base64_text, hex_text, unescaped
from agent.guardrails.detector import Detector, Span
from agent.guardrails.regex import Match, Regexp, compiled
from agent.guardrails.rule import KEYWORD_REACH, Rule
from agent.model.findings import Family

LEVELS = 2
"""How deep carriers are looked into."""

_MIN_LENGTH = 24
_WRAPPED_LENGTH = 16
_BEGINNING = 4
_MAX_OPENED = 256 * 1024  # bytes of one run that are decoded and searched

_RUN = "[A-Za-z0-9+/_-]"
_WRAP = r"\\?\r?\n[ \t>|#*]{0,16}"
_BREAK = r"\\?\r?\n[ \t>|#*]*"  # any `_WRAP`, in few states
_ESCAPE = (
    r"(?:%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\u\{[0-9A-Fa-f]{1,6}\}|\\x[0-9A-Fa-f]{2}"
    r"|&#(?:[xX][0-9A-Fa-f]{1,6}|[0-9]{1,7});)"
)
_URLISH = r"[!#-&(-;=?-\[\]-_a-~]"  # visible ASCII but quotes, angle brackets and the backslash
_LETTER = r"[\w+/=.:@%-]"
_LITERAL = f"{_LETTER}{{1,200}}"
_JOINT = r"\s{0,4}(?:\+|\.{1,2}|&|\|\|)?\s{0,4}(?:[\\_]?\r?\n\s{0,40})?[fFrRbBuU]{0,2}"
_NAMED = (b"(", b":", b"[", b"{")  # behind a word, what makes it a name
_QUOTE = "[\"'`]"
_CALL = r"(?:[jJ]oin|JOIN|[cC]oncat|CONCAT)\((?:\s{0,4}(?:\"\"|''),)?\s{0,4}(?:\[\]string)?[\[({]?\s{0,16}"
_COMMA = r"\s{0,4},\s{0,40}[fFrRbBuU]{0,2}"

type Look = Callable[[bytes, int, int], Sequence[Span]]
"""What the rules find in a text, where carriers are opened from the given level on, and only those that begin at the
given place or later. Spans as `scan` makes them."""


class Opened(NamedTuple):
    """A text that was carried. `view` is None where it stands for the whole run."""

    text: bytes
    context: int  # bytes at its front that only give context
    view: Rewritten | None
    lines: Sequence[tuple[int, int]] = ()  # of a text that was broken: its pieces in the source


class Carrier(Detector):
    """A detector whose matches are opened and searched. `joins`: whether a match consists of several pieces.

    Each has an outline of its own: those with counts take many states, and with the counts made smaller every word
    would be one.
    """

    joins: ClassVar[bool] = False
    told: ClassVar[bool] = False  # whether a hint or a shape is its outline

    def __init__(self, name: str, pattern: str, index: int, look: Look, *, memory: int) -> None:
        rule = Rule(id=name, family=Family.CUSTOM, type=name, pattern=pattern)
        super().__init__(rule, index, memory=memory, max_cost=20_000, telling=_WRAPPED_LENGTH)
        self._look = look

    @property
    def hints(self) -> tuple[str, ...]:
        """Patterns of a few states, of which one of these, or of `shapes`, is found in every match; none for none."""
        return ()

    @property
    def shapes(self) -> tuple[str, ...]:
        """The same; but with runs of letters and digits their states would multiply."""
        return ()

    def judge(self, match: Match, data: bytes) -> Span | None:
        """The first of what is found in the text that the match carries, reaching as far as all that is found."""
        return self.judge_at(match, data, 1)

    def judge_at(self, match: Match, data: bytes, level: int) -> Span | None:
        """`judge` for a match that lies in `level - 1` other carriers."""
        start, end = match.span()
        if end - start < _WRAPPED_LENGTH:
            return None
        best: Span | None = None
        low, high = end, start
        for opened in self.opened(data, start, min(end, start + _MAX_OPENED)):
            for span in self._look(opened.text, level, opened.context):
                if span.end <= opened.context:
                    continue
                begin, stop = start, end
                if opened.view is not None:
                    if not opened.view.crosses(max(span.start, opened.context), span.end):
                        continue  # spelt plainly: it is found where it stands
                    begin = opened.view.start(max(span.start, opened.context))
                    stop = opened.view.end(span.end)
                if opened.lines and (stop := self._own_lines(data, opened.lines, begin, stop)) <= begin:
                    continue
                best = span if best is None else best
                low, high = min(low, begin), max(high, stop)
        return None if best is None else Span(low, high, best.detector)

    def _own_lines(self, data: bytes, lines: Sequence[tuple[int, int]], begin: int, stop: int) -> int:
        """Where a token that is broken over lines ends: before a line that begins a token of its own, as in a list of
        them. `begin` where it does not go beyond its first line: that is found where it stands."""
        broken = False
        for (_, end), (start, last) in pairwise(lines):
            if end <= begin or start >= stop:
                continue
            own = self._look(data[start:last], LEVELS, 0)
            if any(span.start < _BEGINNING for span in own):
                return end if broken else begin
            broken = True
        return stop

    def spans_within(self, data: bytes, level: int, start: int, most: int) -> list[Span]:
        """What is found in the matches, from `start` on, of a text that was itself carried, at most `most`."""
        found: list[Span] = []
        at = start
        while len(found) < most and (match := self.search(data, at)) is not None:
            span = self.judge_at(match, data, level)
            if span is not None:
                found.append(span)
            at = match.end()
        return found

    def opened(self, data: bytes, start: int, end: int) -> Iterator[Opened]:
        """The texts that `data[start:end]` may carry."""
        raise NotImplementedError


class Base64Runs(Carrier):
    """Base64 of text, standard or URL-safe (RFC 4648), also over several lines.

    Of ASCII text the first character of each four can only be one of thirty, so RE2 passes nearly everything else by.
    """

    def __init__(self, index: int, look: Look, *, memory: int) -> None:
        pattern = f"(?:[ACDI-Za-f]{_RUN}{{3}}){{{_MIN_LENGTH // 4}}}{_RUN}*(?:{_WRAP}{_RUN}{{4,}})*={{0,2}}"
        super().__init__("base64-run", pattern, index, look, memory=memory)
        self._pieces = compiled(f"{_RUN}+={{0,2}}", memory=memory, captures=False)

    @property
    def outline(self) -> str:
        """The least that is one."""
        return f"(?:[ACDI-Za-f]{_RUN}{{3}}){{{_MIN_LENGTH // 4}}}"

    @cached_property
    def tail(self) -> str:
        """Any run, not told by its groups of four: streams hold runs back anyway, for they may be broken tokens, and
        counting to four beside whatever else is under way makes four times the states."""
        return rf"{_RUN}+(?:\\?\r?\n[ \t>|#*]*{_RUN}*)*(?:\\?\r?|={{1,2}})"

    def opened(self, data: bytes, start: int, end: int) -> Iterator[Opened]:
        """What is encoded, with all lines joined or else in the first. What stands before it may have seemed its
        beginning: then it begins up to three characters later."""
        lines = [match.span() for match in _matches(self._pieces, data, start, end)] or [(start, end)]
        joined = b"".join(data[begin:stop] for begin, stop in lines)
        for run in (joined, data[lines[0][0] : lines[0][1]])[: len(lines)]:
            for shift in range(4):
                if text := base64_text(run[shift:]):
                    yield Opened(text.encode("utf-8", "replace"), 0, None)
                    return


class HexRuns(Carrier):
    """Hexadecimal of text."""

    def __init__(self, index: int, look: Look, *, memory: int) -> None:
        pattern = f"(?:[2-7][0-9A-Fa-f]|0[9aAdD]){{{_MIN_LENGTH // 2},}}"
        super().__init__("hex-run", pattern, index, look, memory=memory)

    @property
    def outline(self) -> str:
        """The least that is one."""
        return f"[0-9A-Fa-f]{{{_MIN_LENGTH}}}"

    def opened(self, data: bytes, start: int, end: int) -> Iterator[Opened]:
        """What is encoded."""
        if text := hex_text(data[start:end]):
            yield Opened(text.encode("utf-8", "replace"), 0, None)


class BrokenTokens(Carrier):
    """Tokens that a line break cuts in two."""

    joins = True
    told = True

    def __init__(self, index: int, look: Look, *, memory: int) -> None:
        pattern = f"{_RUN}{{{_WRAPPED_LENGTH},}}(?:{_WRAP}{_RUN}{{4,}})+"
        super().__init__("broken-token", pattern, index, look, memory=memory)
        self._pieces = compiled(f"{_RUN}{{4,}}", memory=memory, captures=False)

    @property
    def outline(self) -> str:
        """The pattern with a digit beside one of the breaks: without one nothing is opened, see `_broken`."""
        half, least = _WRAPPED_LENGTH // 2, f"{_RUN}{{4}}"
        before = rf"(?:{_RUN}{{{half},}}\d|\d{_RUN}{{{half},}}){_RUN}*{_BREAK}{least}"
        return rf"{before}|{_RUN}{{{_WRAPPED_LENGTH},}}{_BREAK}(?:{_RUN}{{4,}}{_BREAK})*{_RUN}*\d"

    @property
    def hints(self) -> tuple[str, ...]:
        """The outline."""
        return (self.outline,)

    def opened(self, data: bytes, start: int, end: int) -> Iterator[Opened]:
        """The lines, joined."""
        if not _numbered(data[start:end]):
            return
        if start and data[start - 1 : start] == b"\\" and data[start : start + 1] in (b"n", b"r", b"t"):
            start += 1  # the letter of an escaped line break
        lines = [match.span() for match in _matches(self._pieces, data, start, end)]
        if lines and data[lines[-1][1] : lines[-1][1] + 1] in _NAMED:
            lines.pop()  # no rest of a token but a name: of a function that is called, or a key
        if _broken(data, lines):
            yield _joined(data, start, lines)._replace(lines=lines)


class Escapes(Carrier):
    """Runs without white space in which characters are escaped."""

    told = True

    def __init__(self, index: int, look: Look, *, memory: int) -> None:
        pattern = rf"[\w-]*{_ESCAPE}(?:{_ESCAPE}|{_URLISH})*"
        super().__init__("escaped-run", pattern, index, look, memory=memory)
        self._escapes = compiled(_ESCAPE, memory=memory, captures=False)

    @property
    def outline(self) -> str:
        """One escape."""
        return _ESCAPE

    @property
    def shapes(self) -> tuple[str, ...]:
        """The outline."""
        return (self.outline,)

    def opened(self, data: bytes, start: int, end: int) -> Iterator[Opened]:
        """The run with its escapes resolved."""
        if end - start < _MIN_LENGTH:
            return
        context = max(0, start - KEYWORD_REACH)
        escapes = [match.span() for match in _matches(self._escapes, data, start, end)]
        view = unescaped(data, context, end, escapes)
        yield Opened(view.data, start - context, view)


class JoinedStrings(Carrier):
    """String literals that code puts together."""

    joins = True

    def __init__(self, index: int, look: Look, *, memory: int) -> None:
        literal = f"{_QUOTE}{_LITERAL}{_QUOTE}"
        pattern = f"{literal}(?:{_JOINT}{literal})+|{_CALL}{literal}(?:{_COMMA}{literal})+"
        super().__init__("joined-strings", pattern, index, look, memory=memory)
        self._literals = compiled(f"{_QUOTE}({_LITERAL}){_QUOTE}", memory=memory)

    @property
    def outline(self) -> str:
        """Two literals, uncounted."""
        literal = f"{_QUOTE}{_LETTER}+{_QUOTE}"
        joint = r"\s*(?:\+|\.{1,2}|&|\|\|)?\s*(?:[\\_]?\r?\n\s*)?[fFrRbBuU]{0,2}"
        call = r"(?:[jJ]oin|JOIN|[cC]oncat|CONCAT)\((?:\s*(?:\"\"|''),)?\s*(?:\[\]string)?[\[({]?\s*"
        return rf"{literal}{joint}{literal}|{call}{literal}\s*,\s*[fFrRbBuU]{{0,2}}{literal}"

    @property
    def hints(self) -> tuple[str, ...]:
        """What joins two literals."""
        joint = r"\s*(?:\+|\.{1,2}|&|\|\|)?\s*(?:[\\_]?\r?\n\s*)?[fFrRbBuU]{0,2}"
        return (f"{_LETTER}{_QUOTE}{joint}{_QUOTE}{_LETTER}",)

    @property
    def shapes(self) -> tuple[str, ...]:
        """A call with a literal in it."""
        return (rf"(?:oin|OIN|cat|CAT)\([^\w)]*(?:\[\]string[^\w)]*)?{_QUOTE}{_LETTER}",)

    def opened(self, data: bytes, start: int, end: int) -> Iterator[Opened]:
        """One literal of all of them, in its context."""
        pieces = [match.span(1) for match in _matches(self._literals, data, start, end)]
        if sum(stop - begin for begin, stop in pieces) >= _WRAPPED_LENGTH:
            yield _joined(data, start, pieces, closing=end)


def carriers(first_index: int, look: Look, *, memory: int) -> tuple[Carrier, ...]:
    """All kinds, as detectors with indices from `first_index` on."""
    kinds = (Base64Runs, HexRuns, BrokenTokens, Escapes, JoinedStrings)
    return tuple(kind(first_index + place, look, memory=memory) for place, kind in enumerate(kinds))


def _matches(regexp: Regexp, data: bytes, start: int, end: int) -> Iterator[Match]:
    at = start
    while at < end and (match := regexp.search(data, at)) is not None and match.end() <= end:
        yield match
        at = match.end()


def _broken(data: bytes, lines: Sequence[tuple[int, int]]) -> bool:
    """Whether some line break may stand inside a token: a digit near it, and no plain word or number on either side."""
    pieces = [data[begin:stop] for begin, stop in lines]
    return any(
        (_numbered(left) or _numbered(right)) and _mixed(left) and _mixed(right)
        for left, right in pairwise(pieces)
    )


def _numbered(line: bytes) -> bool:
    return len(line.translate(None, b"0123456789")) < len(line)


def _mixed(line: bytes) -> bool:
    return not (line.isdigit() or line.isupper() or line[1:].islower()) or (
        _numbered(line) and not line.isdigit()
    )


def _joined(
    data: bytes, start: int, pieces: Sequence[tuple[int, int]], *, closing: int | None = None
) -> Opened:
    """The pieces put together, behind what stands before them; with the quote behind the last where `closing`."""
    context = max(0, start - KEYWORD_REACH)
    view = Rewriting()
    view.copy(data, context, pieces[0][0])
    for begin, stop in pieces:
        view.copy(data, begin, stop)
    end = pieces[-1][1]
    if closing is not None:
        view.copy(data, closing - 1, closing)
        end = closing
    return Opened((done := view.done(end)).data, start - context, done)
