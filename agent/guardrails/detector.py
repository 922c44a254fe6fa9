"""One rule, compiled: its matches in a piece of UTF-8, judged; and where a match may still be under way.

Works on bytes, since RE2 does; whoever scans maps offsets back to characters. Holds no state of a scan.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property, lru_cache
from typing import NamedTuple

from agent.errors import PolicyError
from agent.guardrails.allowlist import Exemption
from agent.guardrails.closure import (
    WORDS,
    WordList,
    exact_closure,
    loose_closure,
    opening,
    tail_closure,
    word_list,
)
from agent.guardrails.context import labelled
from agent.guardrails.needs import Needs, lines, needs
from agent.guardrails.outlines import outlined
from agent.guardrails.regex import Match, Regexp, RegexpError, compiled
from agent.guardrails.rule import FIRST_GROUP, KEYWORD_AHEAD, KEYWORD_REACH, Rule
from agent.guardrails.stopwords import StopWords
from agent.guardrails.syntax import Node, PatternSyntaxError, needed, parse, width
from agent.guardrails.tokens import entropy
from agent.guardrails.validators import VALIDATORS

_BYTES_PER_CHAR = 4
_MARGIN = 16
_TELLING_WORD = 3
_TELLING_LENGTH = 6
LONG_LIST = 1_000
"""RE2 instructions from which on a list of words is treated as one: some thirty words."""
_LINE_FEED = 0x0A
NEAR = 4_096
"""Bytes behind the beginning of a match in which most rules can tell that it is one."""


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


class Compiled(dict[tuple[str, bool], Regexp]):
    """Compiled patterns by their text and whether groups are captured: rules of one pack share their exceptions."""


class Detector:
    """A rule ready to run. `index` is its place among the scanner's rules, `fleet` what rules before it compiled.

    Raises PolicyError, naming the rule, where RE2 refuses a pattern, where it costs more than `max_cost` RE2
    instructions, where it can match the empty text, and where the rule names what does not exist.
    """

    def __init__(
        self,
        rule: Rule,
        index: int,
        *,
        memory: int,
        max_cost: int,
        shared: Compiled | None = None,
        telling: int = _TELLING_LENGTH,
    ) -> None:
        self.rule = rule
        self._telling = telling
        self.index = index
        self._memory = memory
        self._shared = Compiled() if shared is None else shared
        self._pattern = labelled(rule.labels, rule.pattern) if rule.labels else rule.pattern
        if not rule.tested:
            self._examine(max_cost)
        self._allow = tuple(self._compile(pattern, captures=False) for pattern in rule.allow)
        self._stopwords = StopWords(rule.stopwords) if rule.stopwords else None
        self._exemptions = tuple(
            Exemption(allowlist, rule.lead, lambda pattern: self._compile(pattern, captures=False))
            for allowlist in rule.allowlists
        )
        self._keywords = tuple(word.encode("utf-8") for word in rule.keywords)
        self._validator = VALIDATORS[rule.validator] if rule.validator else None

    @cached_property
    def _regexp(self) -> Regexp:
        return self._compile(self._pattern)

    @property
    def _tree(self) -> Node | None:
        return _parsed(self._pattern)

    @cached_property
    def _longest(self) -> int | None:
        """Bytes of the longest match; None where there is no such bound."""
        high = width(self._tree)[1] if self._tree is not None else None
        return None if high is None else high * _BYTES_PER_CHAR

    @cached_property
    def cost(self) -> int:
        """RE2 instructions; of our own rules it is not asked, for their tests hold them."""
        return 0 if self.rule.tested else self._regexp.programsize

    @property
    def outline(self) -> str:
        """A pattern that is found wherever the rule's is, and is cheaper to look for together with others."""
        return self._pattern if self._tree is None else outlined(self._tree)

    @cached_property
    def needs(self) -> Needs:
        """What every match holds, as far as it can be told."""
        return Needs() if self._tree is None else needs(self._tree)

    @cached_property
    def lines(self) -> int | None:
        """Line feeds that a match may hold; None where there is no such bound."""
        return None if self._tree is None else lines(self._tree)

    @property
    def closed(self) -> bool:
        """Whether closures can be derived, or `window` must do."""
        return self.rule.tested or self._tree is not None

    @property
    def loose(self) -> str | None:
        """The rule's loose closure, or None where none can be derived and `window` must do. It is long, takes some time
        to derive, and is not kept; nor are the next two."""
        if self._tree is None:
            return None
        return self._words.loose if self._words is not None else loose_closure(self._tree)

    @property
    def tail(self) -> str:
        """What of the loose closure a caller must ask that holds back `closure.TOKEN_TAIL` anyway; may be empty."""
        if self._tree is None:
            return ""
        if self._words is not None:
            return "" if self._words.loose == WORDS else self._words.loose
        return tail_closure(self._tree)

    @property
    def opening(self) -> str:
        """A pattern for what stands at the front of texts that `tail` matches (`closure.opening`); empty for none."""
        if self._tree is None or self._words is not None:
            return ""
        return opening(self._tree) or ""

    @cached_property
    def _words(self) -> WordList | None:
        """The closures of a list of words so long that those made from the words would be large."""
        return None if self._tree is None or self.cost <= LONG_LIST else word_list(self._tree)

    @cached_property
    def exact(self) -> Regexp | None:
        """The rule's exact closure anchored at the end of the text, or the loose one where RE2 finds that too large;
        None where none can be derived. Compiled when first asked for: few texts need it."""
        if self._tree is None:
            return None
        exact = exact_closure(self._tree) if self._words is None else self._words.exact
        try:
            return self._compile(f"(?:{exact})\\z", captures=False)
        except PolicyError:
            return self._compile(f"(?:{self.loose})\\z", captures=False)

    @property
    def exact_made(self) -> bool:
        """Whether `exact` was asked for before, and so costs nothing."""
        return "exact" in self.__dict__

    def window(self, most: int) -> int:
        """How many bytes at the end of a text a match may need, at most `most`: for rules without a closure."""
        return most if self._longest is None else min(self._longest, most)

    @cached_property
    def reach(self) -> int | None:
        """Bytes behind its beginning from which a match can be told, its end perhaps excepted; None for no bound."""
        most = needed(self._tree) if self._tree is not None else None
        return None if most is None else most * _BYTES_PER_CHAR

    @property
    def near(self) -> bool:
        """Whether a match can be told from `NEAR` bytes behind its beginning, its end perhaps excepted."""
        return self.reach is not None and self.reach <= NEAR

    def is_local(self, data: bytes, parts: Iterable[tuple[int, int]]) -> bool:
        """Whether matches that begin in those parts of `data` can be told from `NEAR` bytes behind them: all that the
        rule needs stands there, or so many line feeds that no match reaches beyond."""
        if self.near:
            return True
        most = self.lines
        return most is not None and all(
            stop + NEAR >= len(data) or data.count(b"\n", stop, stop + NEAR) > most for _, stop in parts
        )

    def spans(
        self, data: bytes, cursor: Cursor, stop: int, most: int, *, local: bool = False
    ) -> tuple[list[Span], Cursor]:
        """What the rule finds by matches that begin between `cursor` and `stop`, at most `most`; and where to go on.

        `data` may reach beyond both: matches are not cut at `stop`, and boundaries see what stands before. A match
        that is no finding may hide one, so the search goes on at its span, once: what is found there to be none is
        passed over, which keeps the search linear. `local` keeps it from going on to the end of `data` for nothing:
        where the rule `is_local`.
        """
        found: list[Span] = []
        at, tried = cursor
        horizon = stop + NEAR if local and stop + NEAR < len(data) else None
        while len(found) < most:
            match = self._regexp.search(data, at, horizon)
            if match is not None and match.end() == horizon:
                match = self._regexp.search(data, at)  # it may go on behind what was looked at
            if match is None or match.start() >= stop:
                break
            span = self.judge(match, data)
            if span is not None:
                found.append(span)
                at = span.end if match.end() - span.end <= _MARGIN else match.end()
                continue
            inside = match.start(self.taken(match))
            if inside > match.start() >= tried:
                at, tried = inside, match.end()
            else:
                at = match.end()
        return found, Cursor(at, tried)

    def search(self, data: bytes, start: int) -> Match | None:
        """The first match that begins at or after `start`, not judged."""
        return self._regexp.search(data, start)

    def match_at(self, data: bytes, start: int) -> Match | None:
        """The match that begins exactly at `start`."""
        return self._regexp.match(data, start)

    def earnest(self, data: bytes, start: int) -> bool:
        """Whether what begins at `start` and is under way at the end of `data` is more than any word could be: a
        keyword is there or has begun, or for rules without keywords some characters are."""
        if not self._keywords:
            return len(data) - start >= self._telling
        around = data[max(0, start - KEYWORD_REACH) :].lower()
        return any(
            word in around
            or any(around.endswith(word[:length]) for length in range(_TELLING_WORD, len(word)))
            for word in self._keywords
        )

    def judge(self, match: Match, data: bytes) -> Span | None:
        """The span of a match that stands up to keywords, entropy, allowlist, stop words and validator."""
        group = self.taken(match)
        start, end = match.span(group)
        if group == 0 and self.rule.group == FIRST_GROUP:
            start, end = _trimmed(data, start, end)
        if start < 0 or start >= end:
            return None
        if self._keywords and self.keyword(match, data) is None:
            return None
        reach = max(0, match.start() - KEYWORD_REACH)
        value = data[start:end].decode("utf-8", "replace")
        if not self._plausible(value):
            return None
        if any(exemption.covers(data, match.span(), (start, end)) for exemption in self._exemptions):
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
        return self.allowed_by(value) is None

    def keyword(self, match: Match, data: bytes) -> tuple[int, bytes] | None:
        """A keyword inside a match or shortly before it, and where it stands; None where there is none."""
        reach = max(0, match.start() - KEYWORD_REACH)
        around = data[reach : min(match.end(), match.start() + KEYWORD_AHEAD)].lower()
        for word in self._keywords:
            if (at := around.find(word)) >= 0:
                return reach + at, word
        return None

    def allowed_by(self, value: str) -> int | None:
        """Which of the rule's `allow` patterns lets the value pass; their count stands for the stop words."""
        if self._allow:
            data = value.encode("utf-8")
            place = next((place for place, pattern in enumerate(self._allow) if pattern.search(data)), None)
            if place is not None:
                return place
        passes = self._stopwords is not None and self._stopwords.found_in(value)
        return len(self._allow) if passes else None

    def taken(self, match: Match) -> int:
        """The group of a match that is the span."""
        if self.rule.group != FIRST_GROUP:
            return self.rule.group
        return next(
            (each for each in range(1, self._regexp.groups + 1) if match.end(each) > match.start(each)), 0
        )

    def _compile(self, pattern: str, *, captures: bool = True) -> Regexp:
        if (known := self._shared.get((pattern, captures))) is not None:
            return known
        try:
            made = compiled(pattern, memory=self._memory, captures=captures)
        except RegexpError as error:
            raise PolicyError(
                f"rule {self.rule.id}: RE2 refuses the pattern: {error}",
                hint="Patterns are RE2's: no look-around, no back-references, repetitions up to 1000.",
            ) from error
        if not captures:  # exceptions, which many rules of a pack have in common
            self._shared[pattern, captures] = made
        return made

    def _examine(self, max_cost: int) -> None:
        """Refuse what cannot work. Raises PolicyError."""
        rule = self.rule
        if self.cost > max_cost:
            raise PolicyError(
                f"rule {rule.id}: the pattern is too costly, {self.cost} steps of {max_cost}",
                hint="Lower the counts of its repetitions.",
            )
        low = width(self._tree)[0] if self._tree is not None else 1
        if low == 0 or self._regexp.search(b"") is not None:
            raise PolicyError(f"rule {rule.id}: the pattern can match the empty text")
        if rule.validator and rule.validator not in VALIDATORS:
            raise PolicyError(f"rule {rule.id}: there is no validator {rule.validator}")
        if not FIRST_GROUP <= rule.group <= self._regexp.groups:
            raise PolicyError(
                f"rule {rule.id}: the pattern has {self._regexp.groups} groups, {rule.group} is asked for"
            )
        for word in rule.keywords:
            if not word.isascii() or not word or word != word.lower():
                raise PolicyError(f"rule {rule.id}: a keyword must be ASCII and lower case")


@lru_cache(maxsize=4)
def _parsed(pattern: str) -> Node | None:
    """The tree of a pattern, kept for the next few questions only: those of all rules would take megabytes."""
    try:
        return parse(pattern)
    except PatternSyntaxError:
        return None


def _trimmed(data: bytes, start: int, end: int) -> tuple[int, int]:
    while start < end and data[start] == _LINE_FEED:
        start += 1
    while end > start and data[end - 1] == _LINE_FEED:
        end -= 1
    return start, end
