"""One rule, compiled: its matches in a piece of UTF-8, judged; and where a match may still be under way.

Works on bytes, since RE2 does; whoever scans maps offsets back to characters. Holds no state of a scan.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

from agent.errors import PolicyError
from agent.guardrails.closure import exact_closure, loose_closure, loosened, tail_closure
from agent.guardrails.regex import Match, Regexp, RegexpError, compiled, escaped
from agent.guardrails.rule import FIRST_GROUP, KEYWORD_REACH, Rule
from agent.guardrails.syntax import Node, PatternSyntaxError, parse, width
from agent.guardrails.tokens import entropy
from agent.guardrails.validators import VALIDATORS

_BYTES_PER_CHAR = 4
_MARGIN = 16
_OUTLINE_COUNT = 8


class Span(NamedTuple):
    """`data[start:end]` in bytes, seen by the detector of that index."""

    start: int
    end: int
    detector: int


class Cursor(NamedTuple):
    """Where a rule's search goes on, and up to where it has looked into matches that were no findings."""

    at: int
    tried: int

    def moved(self, by: int) -> Cursor:
        """The same places, counted from elsewhere."""
        return Cursor(self.at + by, self.tried + by)


class Detector:
    """A rule ready to run. `index` is its place among the scanner's rules.

    Raises PolicyError, naming the rule, where RE2 refuses a pattern, where it costs more than `max_cost` RE2
    instructions, where it can match the empty text, and where the rule names what does not exist.
    """

    def __init__(self, rule: Rule, index: int, *, memory: int, max_cost: int) -> None:
        self.rule = rule
        self.index = index
        self._memory = memory
        self._regexp = self._compile(rule.pattern)
        if self._regexp.programsize > max_cost:
            raise PolicyError(
                f"rule {rule.id}: the pattern is too costly, {self._regexp.programsize} steps of {max_cost}",
                hint="Lower the counts of its repetitions.",
            )
        self._tree = self._parsed()
        low, high = width(self._tree) if self._tree is not None else (0, None)
        if (self._tree is not None and low == 0) or self._regexp.search(b"") is not None:
            raise PolicyError(f"rule {rule.id}: the pattern can match the empty text")
        self._longest = None if high is None else high * _BYTES_PER_CHAR
        self._allow = tuple(self._compile(pattern, captures=False) for pattern in rule.allow)
        if rule.stopwords:
            words = "|".join(escaped(word) for word in rule.stopwords)
            self._allow += (self._compile(f"(?i)(?:{words})", captures=False),)
        self._keywords = tuple(word.encode("utf-8") for word in rule.keywords)
        self._check()
        self._validator = VALIDATORS[rule.validator] if rule.validator else None

    @property
    def outline(self) -> str:
        """A pattern that matches wherever the rule's does, and is cheaper to look for together with others."""
        return self.rule.pattern if self._tree is None else loosened(self._tree, counted=_OUTLINE_COUNT)

    @property
    def closed(self) -> bool:
        """Whether closures can be derived, or `window` must do."""
        return self._tree is not None

    @cached_property
    def loose(self) -> str | None:
        """The rule's loose closure, or None where none can be derived and `window` must do."""
        return None if self._tree is None else loose_closure(self._tree)

    @cached_property
    def tail(self) -> str:
        """What of the loose closure a caller must ask that holds back `closure.WORD_TAIL` anyway; may be empty."""
        return "" if self._tree is None else tail_closure(self._tree)

    @cached_property
    def exact(self) -> Regexp | None:
        """The rule's exact closure anchored at the end of the text, or the loose one where RE2 finds that too large;
        None where none can be derived. Compiled when first asked for: few texts need it."""
        if self._tree is None or self.loose is None:
            return None
        try:
            return self._compile(f"(?:{exact_closure(self._tree)})\\z", captures=False)
        except PolicyError:
            return self._compile(f"(?:{self.loose})\\z", captures=False)

    def window(self, most: int) -> int:
        """How many bytes at the end of a text a match may need, at most `most`: for rules without a closure."""
        return most if self._longest is None else min(self._longest, most)

    def spans(self, data: bytes, cursor: Cursor, stop: int, most: int) -> tuple[list[Span], Cursor]:
        """What the rule finds by matches that begin between `cursor` and `stop`, at most `most`; and where to go on.

        `data` may reach beyond both: matches are not cut at `stop`, and boundaries see what stands before. A match
        that is no finding may hide one, so the search goes on at its span, once: what is found there to be none is
        passed over, which keeps the search linear.
        """
        found: list[Span] = []
        at, tried = cursor
        while len(found) < most:
            match = self._regexp.search(data, at)
            if match is None or match.start() >= stop:
                break
            span = self.judge(match, data)
            if span is not None:
                found.append(span)
                at = span.end if match.end() - span.end <= _MARGIN else match.end()
                continue
            inside = match.start(self._taken(match))
            if inside > match.start() >= tried:
                at, tried = inside, match.end()
            else:
                at = match.end()
        return found, Cursor(at, tried)

    def match_at(self, data: bytes, start: int) -> Match | None:
        """The match that begins exactly at `start`."""
        return self._regexp.match(data, start)

    def judge(self, match: Match, data: bytes) -> Span | None:
        """The span of a match that stands up to keywords, entropy, allowlist, stop words and validator."""
        start, end = match.span(self._taken(match))
        if start < 0 or start >= end:
            return None
        reach = max(0, match.start() - KEYWORD_REACH)
        if self._keywords:
            around = data[reach : match.end()].lower()
            if not any(word in around for word in self._keywords):
                return None
        value = data[start:end].decode("utf-8", "replace")
        if not self._plausible(value):
            return None
        if self._validator is not None:
            length = self._validator(value, data[reach:start].decode("utf-8", "replace"))
            if not length:
                return None
            if length < len(value):
                end = start + len(value[:length].encode("utf-8"))
        return Span(start, end, self.index)

    def _plausible(self, value: str) -> bool:
        if self.rule.entropy and entropy(value) <= self.rule.entropy:
            return False
        return not any(pattern.search(value.encode("utf-8")) for pattern in self._allow)

    def _taken(self, match: Match) -> int:
        if self.rule.group != FIRST_GROUP:
            return self.rule.group
        return next((group for group in range(1, self._regexp.groups + 1) if match.start(group) >= 0), 0)

    def _parsed(self) -> Node | None:
        try:
            return parse(self.rule.pattern)
        except PatternSyntaxError:
            return None

    def _compile(self, pattern: str, *, captures: bool = True) -> Regexp:
        try:
            return compiled(pattern, memory=self._memory, captures=captures)
        except RegexpError as error:
            raise PolicyError(
                f"rule {self.rule.id}: RE2 refuses the pattern: {error}",
                hint="Patterns are RE2's: no look-around, no back-references, repetitions up to 1000.",
            ) from error

    def _check(self) -> None:
        rule = self.rule
        if rule.validator and rule.validator not in VALIDATORS:
            raise PolicyError(f"rule {rule.id}: there is no validator {rule.validator}")
        if not FIRST_GROUP <= rule.group <= self._regexp.groups:
            raise PolicyError(
                f"rule {rule.id}: the pattern has {self._regexp.groups} groups, {rule.group} is asked for"
            )
        for word in rule.keywords:
            if not word.isascii() or not word or word != word.lower():
                raise PolicyError(f"rule {rule.id}: a keyword must be ASCII and lower case")
