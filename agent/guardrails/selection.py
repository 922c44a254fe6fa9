"""Which rules can match a text at all: asked once for each text, so that only those search it.

By their literals, through one sieve; those whose literals stand in most texts through automata of their own, one for
each common word; rules with labels behind one cover of them all; carriers apart from everything, since together with
the rules' their automaton would have many times the states. Immutable; knows no texts and no findings.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.guardrails.carriers import Carrier
from agent.guardrails.context import label_pattern
from agent.guardrails.detector import LONG_LIST, Detector
from agent.guardrails.offsets import boundary
from agent.guardrails.regex import Census, Regexp, Sieve, escaped
from agent.guardrails.rule import KEYWORD_AHEAD, KEYWORD_REACH, Rule

_SIEVED = 150_000  # RE2 instructions: what the sieve has room for, with some to spare
_BLOCK = 8_192  # bytes
_MOST_PLACES = 200  # of labels in a text, that are told apart
_BEFORE_LABEL = 4  # bytes that tell whether a label begins a word
_COMMON = ("key", "pass")  # words that stand in most of what developers write
_FREQUENT = frozenset(
    {"pat", "re_", "sk_", "you", "tel", "ignore", "user", "cio", "://"}
)  # and others that often do


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
        self._detectors = detectors
        self._carriers = carriers
        self._labelled = labelled
        self._cover = cover
        self._labels = Census(
            [label_pattern(detector.rule.labels) for detector in labelled], memory=shared_memory
        )
        self._carried = Census([carrier.outline for carrier in carriers], memory=shared_memory)
        gates = _gates(detectors)
        covered = {detector.index for detector in labelled}
        unmarked = set(Sieve(gates, memory=rule_memory).candidates(b""))
        unmarked.update(detector.index for detector in detectors if _weakly_marked(detector.rule))
        marked = [each.index for each in detectors if each.index not in unmarked | covered]
        self._named = [index for index in marked if detectors[index].rule.keywords]
        self._names = Sieve([gates[index] for index in self._named], memory=rule_memory)
        self._shaped = [index for index in marked if not detectors[index].rule.keywords]
        self._shapes = Sieve([gates[index] for index in self._shaped], memory=rule_memory)
        # Rules that are looked for in the same places share an automaton. The states of one for all would be the
        # product of what is under way in each rule.
        groups: dict[str, list[int]] = {}
        for index in sorted(unmarked - covered):
            groups.setdefault(_common_word(detectors[index].rule), []).append(index)
        self._censuses = tuple(
            (group, Census([detectors[index].outline for index in group], memory=shared_memory))
            for group in groups.values()
        )

    def candidates(self, data: bytes) -> list[Detector]:
        """The detectors that may find something in `data`, in order; carriers stand last."""
        carried: list[Detector] = [self._carriers[place] for place in self._carried.matching(data)]
        indices = self._unnamed(data)
        indices.extend([self._named[place] for place in self._names.candidates(data)])
        if self._cover is not None and self._cover.search(data) is not None:
            indices.extend([self._labelled[place].index for place in self._labels.matching(data)])
        if not indices:
            return carried
        return [self._detectors[index] for index in sorted(indices)] + carried

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
        located: list[tuple[Detector, Parts]] = [
            (self._detectors[index], found[index]) for index in sorted(found)
        ]
        located += [(self._carriers[place], whole) for place in self._carried.matching(data)]
        return located

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


def _common_word(rule: Rule) -> str:
    """The common word that is one of the rule's keywords, or nothing."""
    return next((word for word in _COMMON if word in rule.keywords), "")
