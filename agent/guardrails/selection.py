"""Which rules can match a text at all: asked once for each text, so that only those search it.

By their literals, through one sieve; those whose literals stand in most texts, and carriers, through automata that
each know rules of one kind, since one automaton for all would have many times the states; rules with labels behind one
cover of them all. Immutable; knows no texts and no findings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

from agent.guardrails.carriers import Carrier
from agent.guardrails.context import label_pattern
from agent.guardrails.detector import LONG_LIST, Detector
from agent.guardrails.offsets import boundary
from agent.guardrails.regex import Census, Regexp, RegexpError, Sieve, compiled, escaped
from agent.guardrails.rule import KEYWORD_AHEAD, KEYWORD_REACH, Rule
from agent.model.findings import Family

_SIEVED = 150_000  # RE2 instructions: what the sieve has room for, with some to spare
_BLOCK = 8_192  # bytes
_SHORT = (
    1_024  # bytes: a text that costs by the number of automata asked, not by the states they have to make
)
_NAMES = -2  # and any keyword
_LABELS = -1  # no rule's index: any label
_MOST_PLACES = 200  # of labels in a text, that are told apart
_BEFORE_LABEL = 4  # bytes that tell whether a label begins a word
_COMMON = ("key", "pass")  # words that stand in most of what developers write
_FREQUENT = frozenset(
    {"pat", "re_", "sk_", "you", "tel", "ignore", "user", "cio", "://"}
)  # and others that often do


# Ranges of letters in a pattern: numbers with their separators have none.
_LETTERS = compiled(r"[A-Z]-[A-Z]|[a-z]-[a-z]|\(\?i|\[A", memory=1 << 16, captures=False)


type Parts = tuple[tuple[int, int], ...]
"""Parts of a text, from and up to which byte."""


class Selection:
    """The question, compiled. `labelled` are the rules with labels, `cover` a pattern that matches where one does."""

    def __init__(
        self,
        detectors: Sequence[Detector],
        carriers: Sequence[Carrier],
        labelled: Sequence[Detector],
        cover: Regexp | None,
        *,
        rule_memory: int,
        shared_memory: int,
    ) -> None:
        """Raises RegexpError where the rules are too large together."""
        self._detectors: Sequence[Detector] = (*detectors, *carriers)
        self._labelled = labelled
        self._cover = cover
        self._labels = Census(
            [label_pattern(detector.rule.labels) for detector in labelled], memory=shared_memory
        )
        gates = _gates(detectors)
        covered = {detector.index for detector in labelled}
        unmarked = set(Sieve(gates, memory=rule_memory).candidates(b""))
        unmarked.update(detector.index for detector in detectors if _weakly_marked(detector.rule))
        marked = [each.index for each in detectors if each.index not in unmarked | covered]
        self._named = [index for index in marked if detectors[index].rule.keywords]
        self._names = Sieve([gates[index] for index in self._named], memory=rule_memory)
        self._shaped = [index for index in marked if not detectors[index].rule.keywords]
        self._shapes = Sieve([gates[index] for index in self._shaped], memory=rule_memory)
        self._memory = shared_memory
        self._unnamed_all = [*sorted(unmarked - covered), *(carrier.index for carrier in carriers)]
        # Rules that are looked for in the same places share an automaton. The states of one for all would be the
        # product of what is under way in each rule.
        groups: dict[str, list[int]] = {}
        for index in self._unnamed_all:
            groups.setdefault(_kind(self._detectors[index]), []).append(index)
        self._censuses = tuple((group, self._census(group)) for group in groups.values())

    def candidates(self, data: bytes) -> list[Detector]:
        """The detectors that may find something in `data`, in order; carriers stand last."""
        labels = names = True
        if len(data) > _SHORT or self._together is None:
            indices = self._unnamed(data)
        else:
            group, census = self._together
            indices = [group[place] for place in census.matching(data)]
            if not indices:
                return []
            labels, names = _LABELS in indices, _NAMES in indices
            indices = [index for index in indices if index >= 0]
        if names:
            indices.extend([self._named[place] for place in self._names.candidates(data)])
        if labels and self._cover is not None and self._cover.search(data) is not None:
            indices.extend([self._labelled[place].index for place in self._labels.matching(data)])
        return [self._detectors[index] for index in sorted(indices)]

    def located(self, data: bytes) -> list[tuple[Detector, Parts]]:
        """The same for a large text, each with the parts of it (in bytes) in which its matches may begin.

        A rule's keyword stands near the beginning of a match, so a rule is asked about the blocks that hold one.
        """
        whole: Parts = ((0, len(data) + 1),)
        parts: dict[int, list[tuple[int, int]]] = {}
        start = 0
        while start < len(data):
            stop = boundary(data, start + _BLOCK) if start + _BLOCK < len(data) else len(data) + 1
            block = data[max(0, start - KEYWORD_REACH) : stop + KEYWORD_AHEAD]
            for place in self._names.candidates(block):
                known = parts.setdefault(self._named[place], [])
                if known and known[-1][1] == start:
                    known[-1] = (known[-1][0], stop)
                else:
                    known.append((start, stop))
            start = stop
        found = dict.fromkeys(self._unnamed(data), whole)
        for index, ranges in (parts | self._label_parts(data)).items():
            found[index] = tuple(ranges) if self._detectors[index].near else whole
        return [(self._detectors[index], found[index]) for index in sorted(found)]

    def _label_parts(self, data: bytes) -> dict[int, list[tuple[int, int]]]:
        """For each rule with labels that may find something: where labels stand before what may be their values."""
        if self._cover is None:
            return {}
        places: list[tuple[int, int]] = []
        at = 0
        while (match := self._cover.search(data, at)) is not None and len(places) <= _MOST_PLACES:
            start, at = match.span()
            if places and start <= places[-1][1]:
                places[-1] = (places[-1][0], at)
            else:
                places.append((start, at))
        if len(places) > _MOST_PLACES:
            places = [(0, len(data) + 1)]
        parts: dict[int, list[tuple[int, int]]] = {}
        for start, stop in places:
            for place in self._labels.matching(data[max(0, start - _BEFORE_LABEL) : stop]):
                parts.setdefault(self._labelled[place].index, []).append((start, stop))
        return parts

    def _unnamed(self, data: bytes) -> list[int]:
        """The rules that may find something, of those that have no keyword, or one that stands everywhere."""
        indices = [self._shaped[place] for place in self._shapes.candidates(data)]
        for group, census in self._censuses:
            indices.extend([group[place] for place in census.matching(data)])
        return indices

    def warm(self) -> None:
        """Make now what short texts, and so streams, ask."""
        self._together  # noqa: B018

    @cached_property
    def _together(self) -> tuple[list[int], Census] | None:
        """For short texts one automaton in place of several, the sieve for shapes and the question whether any label
        stands there. None where it is too large."""
        group = [*self._unnamed_all, *self._shaped]
        patterns = [self._detectors[index].outline for index in group]
        if self._labelled:
            group.append(_LABELS)
            words = {word for detector in self._labelled for word in detector.rule.labels}
            patterns.append(label_pattern(tuple(sorted(words))))
        if self._named:
            group.append(_NAMES)
            names = {word for index in self._named for word in self._detectors[index].rule.keywords}
            patterns.append(f"(?i:{'|'.join(escaped(word) for word in sorted(names))})")
        try:
            return group, Census(patterns, memory=self._memory)
        except RegexpError:
            return None

    def _census(self, indices: Iterable[int]) -> Census:
        return Census([self._detectors[index].outline for index in indices], memory=self._memory)


def _gates(detectors: Sequence[Detector]) -> list[str]:
    """For each rule a pattern by whose literals the sieve tells whether the rule can match.

    A long word list has more literals than the sieve has room for; a census takes them at no greater cost.
    """
    costs = {each.index: each.cost for each in detectors if not each.rule.keywords}
    most = 4 * LONG_LIST if sum(costs.values()) <= _SIEVED else LONG_LIST // 2
    return ["" if costs.get(each.index, 0) > most else _gate(each.rule) for each in detectors]


def _gate(rule: Rule) -> str:
    return rf"(?i)(?:{'|'.join(escaped(word) for word in rule.keywords)})" if rule.keywords else rule.pattern


def _weakly_marked(rule: Rule) -> bool:
    """Whether a keyword stands in nearly every text, so that the sieve would spare little."""
    return bool(_common_word(rule)) or any(len(word) < 2 or word in _FREQUENT for word in rule.keywords)


def _kind(detector: Detector) -> str:
    """What decides which automaton knows a rule: its common word, or what its matches consist of."""
    if isinstance(detector, Carrier):
        return "pieces" if detector.joins else "runs"
    rule = detector.rule
    if word := _common_word(rule):
        return word
    if rule.family is Family.SECRET:
        return "tokens"
    return "words" if _LETTERS.search(rule.pattern.encode()) is not None else "numbers"


def _common_word(rule: Rule) -> str:
    """The common word that is one of the rule's keywords, or nothing."""
    return next((word for word in _COMMON if word in rule.keywords), "")
