"""Which rules can match a text at all: asked once for each text, so that only those search it.

Rules with a name of their own by that, through one sieve; the others by what their matches must hold (`gates`); rules
with labels where a label stands. Immutable; knows no texts and no findings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from agent.guardrails.carriers import Carrier
from agent.guardrails.detector import LONG_LIST, Detector
from agent.guardrails.gates import Gates, Mark, Parts, holds_digits, is_gated, is_weak
from agent.guardrails.labels import Labels, is_near
from agent.guardrails.offsets import boundary
from agent.guardrails.regex import Regexp, RegexpError, Sieve, compiled, escaped
from agent.guardrails.rule import KEYWORD_AHEAD, KEYWORD_REACH, Rule
from agent.guardrails.syntax import parse

_SIEVED = 150_000  # RE2 instructions: what the sieve has room for, with some to spare
_BLOCK = 16_384  # bytes
_NEVER = r"\z\C"
_TOGETHER = 8  # keywords whose forms the sieve tells apart; of more it makes none


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
        self._memory = shared_memory
        # most values are numbers that a mark tells, so that few texts are asked for their labels
        marked = {each.index: _is_marked(each.rule) for each in labelled}
        self._labels = Labels(
            [each for each in labelled if not marked[each.index]], cover, memory=shared_memory
        )
        self._marked_labels = Labels(
            [each for each in labelled if marked[each.index]], cover, memory=shared_memory
        )
        gates = _gates(detectors)
        covered = {detector.index for detector in labelled}
        plain = [detector for detector in detectors if detector.index not in covered]
        unmarked = _unmarked(plain, gates, memory=rule_memory)
        nameless = [
            each
            for each in plain
            if each.index in unmarked or is_weak(each.rule) or (not each.rule.keywords and is_gated(each))
        ]
        apart = {each.index for each in nameless}
        self._gates = Gates(nameless, carriers, memory=shared_memory)
        sought = [(each, gate) for each in plain if each.index not in apart for gate in gates[each.index]]
        self._named = [detector for detector, _ in sought]
        self._names = Sieve([gate for _, gate in sought], memory=rule_memory)

    def candidates(self, data: bytes) -> list[Detector]:
        """The detectors that may find something in `data`, in order; carriers stand last."""
        held, seen = self._gates.held(data)
        indices = {*seen, *self._gates.matching(data, held)}
        indices.update([self._named[place].index for place in self._names.candidates(data)])
        whole = ((0, len(data) + 1),)
        for labels in self._asked_labels(held):
            indices.update(labels.parts(data, whole))
        return [self._detectors[index] for index in sorted(indices)]

    def glanced(self, data: bytes) -> list[Detector]:
        """The same, for the many short texts that streams ask about: most hold nothing, which two automata tell."""
        if self._any_word is None or self._any_word.search(data) is not None:
            return self.candidates(data)
        indices = self._gates.glanced(data)
        if indices is None:
            return self.candidates(data)
        return [self._detectors[index] for index in sorted(indices)]

    def located(self, data: bytes) -> list[tuple[Detector, Parts]]:
        """The same for a large text, each with the parts of it (in bytes) in which its matches may begin.

        A rule's keyword stands near the beginning of a match, so a rule is asked about the blocks that hold one.
        """
        blocks = list(_blocks(data))
        held: list[Sequence[int]] = []
        named: dict[int, list[tuple[int, int]]] = {}
        with_labels: dict[Labels, list[tuple[int, int]]] = {}
        for start, stop in blocks:
            seen = data[max(0, start - KEYWORD_REACH) : stop + KEYWORD_AHEAD]
            held.append(self._gates.held(seen)[0])
            for index in {self._named[place].index for place in self._names.candidates(seen)}:
                named.setdefault(index, []).append((start, stop))
        for number, block in enumerate(blocks):
            for labels in self._asked_labels([place for each in held[number : number + 2] for place in each]):
                with_labels.setdefault(labels, []).append(block)
        parts = named | self._gates.spread(data, blocks, held)
        for labels, within in with_labels.items():
            parts |= labels.parts(data, _joined(within))
        whole: Parts = ((0, len(data) + 1),)
        found: list[tuple[Detector, Parts]] = []
        for index in sorted(parts):
            detector, places = self._detectors[index], _joined(parts[index])
            found.append((detector, places if detector.is_local(data, places) else whole))
        return found

    def warm(self) -> None:
        """Make now what streams ask."""
        self._any_word, self._gates.glance  # noqa: B018

    def _asked_labels(self, held: Sequence[int]) -> Sequence[Labels]:
        return (self._labels, self._marked_labels) if Mark.DIGITS in held else (self._labels,)

    @cached_property
    def _any_word(self) -> Regexp | None:
        """Any name, label or other word that rules know. None where there are too many of them."""
        words = {word for detector in self._named for word in detector.rule.keywords} | self._gates.words
        others = dict.fromkeys(each.outline for each in self._named if not each.rule.keywords)
        labels = (*self._labels.patterns, *self._marked_labels.patterns)
        patterns = [*others, *labels, *([_words(words)] if words else [])]
        try:
            return compiled("|".join(patterns) or _NEVER, memory=self._memory, captures=False)
        except RegexpError:
            return None


def _blocks(data: bytes) -> Iterator[tuple[int, int]]:
    """The blocks of a large text. The last reaches beyond its end."""
    start = 0
    while start < len(data):
        stop = boundary(data, start + _BLOCK) if start + _BLOCK < len(data) else len(data) + 1
        yield start, stop
        start = stop


def _joined(parts: Iterable[tuple[int, int]]) -> Parts:
    """Parts that touch, as one."""
    joined: list[tuple[int, int]] = []
    for start, stop in parts:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(stop, joined[-1][1]))
        else:
            joined.append((start, stop))
    return tuple(joined)


def _is_marked(rule: Rule) -> bool:
    """Whether a rule with labels finds nothing where no number stands near."""
    return is_near(rule) and holds_digits(parse(rule.pattern))


def _unmarked(detectors: Sequence[Detector], gates: dict[int, list[str]], *, memory: int) -> set[int]:
    """The indices of the detectors of whose gates the sieve can make nothing: it would let them pass always."""
    every = [(detector.index, gate) for detector in detectors for gate in gates[detector.index]]
    sieve = Sieve([gate for _, gate in every], memory=memory)
    return {every[place][0] for place in sieve.candidates(b"")}


def _gates(detectors: Sequence[Detector]) -> dict[int, list[str]]:
    """For each rule, by index, patterns by whose literals the sieve tells whether the rule can match.

    A long word list has more literals than the sieve has room for; a census takes them at no greater cost.
    """
    costs = {each.index: each.cost for each in detectors if not each.rule.keywords}
    most = 4 * LONG_LIST if sum(costs.values()) <= _SIEVED else LONG_LIST // 2
    return {each.index: [""] if costs.get(each.index, 0) > most else _gate(each) for each in detectors}


def _gate(detector: Detector) -> list[str]:
    words = detector.rule.keywords
    if not words:
        return [detector.rule.pattern]
    return [_words(words[at : at + _TOGETHER]) for at in range(0, len(words), _TOGETHER)]


def _words(words: Iterable[str]) -> str:
    """A pattern for any of `words`, in any case."""
    return f"(?i:{'|'.join(escaped(word) for word in sorted(words))})"
