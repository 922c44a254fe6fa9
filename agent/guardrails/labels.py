"""Where the labels of rules stand in a text, and which rules' values may follow: the question for rules with labels.

Two small automata know the labels, without their surroundings. What follows a label is asked only there: one pattern
covers the labels and values of all rules, and a census of the labels tells the rules. Immutable.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from agent.guardrails.context import label_marks, label_pattern
from agent.guardrails.detector import NEAR, Detector
from agent.guardrails.names import Other
from agent.guardrails.regex import Census, Regexp, compiled
from agent.guardrails.rule import KEYWORD_AHEAD, Rule
from agent.guardrails.syntax import PatternSyntaxError, needed, parse

_NEVER = r"\z\C"
_MOST = 200  # places in a text that are told apart
_BEFORE = 4  # bytes that tell whether a label begins a word
_MOST_LABELS = 500  # that are looked at one by one
_BEFORE_VALUE = 300  # characters: more than a label and what may stand between it and its value have
_BYTES_PER_CHAR = 4
_MARKED = 2  # bytes of what may stand before a label and belongs to it: `_`, or the end of an escape


class Labels:
    """The labels of `detectors`. `cover` matches wherever a rule of them does."""

    def __init__(self, detectors: Sequence[Detector], cover: Regexp | None, *, memory: int) -> None:
        """Raises RegexpError where they are too large together."""
        self._detectors = detectors
        self._cover = cover
        self._near = all(is_near(detector.rule) for detector in detectors)
        words = {word for detector in detectors for word in detector.rule.labels}
        plain = {word for word in words if word.isascii()}
        self.patterns = [pattern for pattern in label_marks(words) if pattern]
        """Patterns that match where a label begins, but for a mark before it, and elsewhere."""
        long, short = label_marks(words)
        self.presence = Other(long or _NEVER, label_marks(plain)[0]), short
        """What tells whether a label may stand in a text: patterns for long ones and, if there are any, short ones."""
        self._mark = _either(self.patterns, memory)
        self._ascii_mark = _either(filter(None, label_marks(plain)), memory)
        self._census = Census([label_pattern(each.rule.labels) for each in detectors], memory=memory)

    def parts(self, data: bytes, within: Sequence[tuple[int, int]]) -> dict[int, list[tuple[int, int]]]:
        """For each rule, by index, that may find something: where labels stand before what may be their values, in
        those parts of `data`."""
        places = list(self._places(data, within))
        if len(places) > _MOST:
            places = [(0, len(data) + 1)]
        parts: dict[int, list[tuple[int, int]]] = {}
        for start, stop in places:
            for place in self._census.matching(data[max(0, start - _BEFORE) : stop]):
                parts.setdefault(self._detectors[place].index, []).append((start, stop))
        return parts

    def _places(self, data: bytes, within: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """Where a label stands before what may be its value: from the label up to the value's end."""
        if self._cover is None:
            return
        at, left = 0, _MOST_LABELS if self._near else 0
        for start, stop in within:
            at = max(at, start)
            mark = self._ascii_mark if data.isascii() else self._mark
            while at < stop and left and (begun := mark.search(data, at, stop + KEYWORD_AHEAD)) is not None:
                label = begun.start()
                if label >= stop:
                    break
                left -= 1
                found = self._valued(data, max(at, label - _MARKED), label)
                at = label + 1 if found is None else found[1]
                if found is not None:
                    yield found
            while at < stop and not left and (match := self._cover.search(data, at)) is not None:
                if match.start() < stop:
                    yield match.span()
                at = match.end()

    def _valued(self, data: bytes, first: int, last: int) -> tuple[int, int] | None:
        """The match of the cover that begins first from `first` to `last`."""
        assert self._cover is not None
        for place in range(first, last + 1):
            if (match := self._cover.match(data, place, place + NEAR)) is not None:
                return match.span()
        return None


def is_near(rule: Rule) -> bool:
    """Whether `NEAR` bytes behind a label tell whether the rule matches there. Told from the values: to read the
    patterns with their labels takes ten times as long, and policies are read while somebody waits."""
    try:
        most = needed(parse(rule.pattern))
    except PatternSyntaxError:
        return False
    return most is not None and (most + _BEFORE_VALUE) * _BYTES_PER_CHAR <= NEAR


def _either(patterns: Iterable[str], memory: int) -> Regexp:
    return compiled("|".join(patterns) or _NEVER, memory=memory, captures=False)
