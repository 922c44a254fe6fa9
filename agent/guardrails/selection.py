"""Which rules can match a text at all: asked once for each text, so that only those search it.

Rules with a name of their own by that, through one sieve; the others by what their matches must hold (`gates`); rules
with labels where a label stands. Immutable; knows no texts and no findings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from agent.guardrails.banks import PROSE
from agent.guardrails.carriers import Carrier
from agent.guardrails.detector import LONG_LIST, Detector
from agent.guardrails.gates import Gates, Mark, Parts, holds_digits, is_gated, is_weak
from agent.guardrails.labels import Labels, is_near
from agent.guardrails.names import Names, Other, joined_owners
from agent.guardrails.offsets import boundary
from agent.guardrails.outlines import front
from agent.guardrails.regex import Regexp, Sieve, compiled, escaped
from agent.guardrails.rule import KEYWORD_AHEAD, KEYWORD_REACH, Rule
from agent.guardrails.syntax import parse

_SIEVED = 150_000  # RE2 instructions: what the sieve has room for, with some to spare
_BLOCK = 8_192  # bytes; more than `NEAR`
_LABEL = -1  # no rule's index: a label
_FRONT = 1 << 22


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
        covered = {detector.index for detector in labelled}
        plain = [detector for detector in detectors if detector.index not in covered]
        gates = _gates(plain)
        unmarked = _unmarked(plain, gates, memory=rule_memory)
        nameless = [
            each
            for each in plain
            if each.index in unmarked or is_weak(each.rule) or (not each.rule.keywords and is_gated(each))
        ]
        apart = {each.index for each in nameless}
        named = [each for each in plain if each.index not in apart]
        fronts = {each.index: front for each in named if (front := _front(each))}
        sieved = [each for each in named if not each.rule.keywords and each.index not in fronts]
        label_words, short_labels = self._labels.presence
        self._gates = Gates(nameless, carriers, memory=shared_memory, also=short_labels, glanced=sieved)
        owners = joined_owners((each.index, each.rule.keywords) for each in named)
        worded = {place: _words(words) for place, words in self._gates.words.items()}
        self._owners = [*owners.values(), *([index] for index in (*fronts, *worded, _LABEL))]
        others = [*(Other(each, each) for each in (*fronts.values(), *worded.values())), label_words]
        self._names = Names(owners, others, memory=shared_memory)
        self._sieved = [each.index for each in sieved]
        self._sieve = Sieve([gates[each.index] for each in sieved], memory=rule_memory)

    def candidates(self, data: bytes) -> list[Detector]:
        """The detectors that may find something in `data`, in order; carriers stand last."""
        held, seen = self._gates.held(data)
        told = self._told(data)
        return self._chosen(data, {*seen, *self._gates.matching(data, {*held, *told}), *told}, held)

    def glanced(self, data: bytes) -> list[Detector]:
        """The same, for the many short texts that streams ask about: most hold nothing, which two automata tell."""
        glanced = self._gates.glanced(data)
        if glanced is None:
            return self.candidates(data)
        indices, held = glanced
        told = self._worded(data)
        if not indices and not held and not told:
            return []
        return self._chosen(data, {*indices, *self._gates.worded(data, told), *told}, held)

    def _chosen(self, data: bytes, indices: set[int], held: Sequence[int]) -> list[Detector]:
        """The detectors at `indices`, and those whose labels stand in `data`."""
        asked = self._asked_labels(held, labelled=_LABEL in indices)
        if asked and _has_letters(data):
            whole = ((0, len(data) + 1),)
            for labels in asked:
                indices.update(labels.parts(data, whole))
        return [self._detectors[index] for index in sorted(indices) if index >= 0]

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
            told = self._told(seen)
            held.append([*self._gates.held(seen)[0], *(index for index in told if index < _LABEL)])
            for index in told:
                named.setdefault(index, []).append((start, stop))
        labelled = set(named.get(_LABEL, ()))
        for number, block in enumerate(blocks):
            near = [place for each in held[number : number + 2] for place in each]
            for labels in self._asked_labels(near, labelled=block in labelled):
                with_labels.setdefault(labels, []).append(block)
        parts = {index: places for index, places in named.items() if index >= 0}
        parts |= self._gates.spread(data, blocks, held)
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
        self._gates.glance  # noqa: B018

    def _told(self, data: bytes) -> set[int]:
        """The indices of the rules whose words or literals stand in `data`, and more, as `_worded` tells."""
        indices = self._worded(data)
        if self._sieved:
            indices.update([self._sieved[place] for place in self._sieve.candidates(data)])
        return indices

    def _worded(self, data: bytes) -> set[int]:
        """The indices of the rules whose words stand in `data`; and `_LABEL` where a label may, and less than that for
        the words of a group (`Gates.words`)."""
        return {index for place in self._names.found(data) for index in self._owners[place]}

    def _asked_labels(self, held: Sequence[int], *, labelled: bool) -> list[Labels]:
        asked = [self._labels] if labelled or self._gates.also_held(held) else []
        if Mark.DIGITS in held:
            asked.append(self._marked_labels)
        return asked


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


def _has_letters(data: bytes) -> bool:
    """Whether a label may stand in `data`: in rows of numbers none does."""
    return not data.isascii() or data.upper() != data.lower()


def _is_marked(rule: Rule) -> bool:
    """Whether a rule with labels finds nothing where no number stands near."""
    return is_near(rule) and holds_digits(parse(rule.pattern))


def _unmarked(detectors: Sequence[Detector], gates: Mapping[int, str], *, memory: int) -> set[int]:
    """The indices of the detectors of whose gates the sieve can make nothing: it would let them pass always."""
    every = [each.index for each in detectors if not each.rule.keywords]
    sieve = Sieve([gates[index] for index in every], memory=memory)
    return {every[place] for place in sieve.candidates(b"")}


def _gates(detectors: Sequence[Detector]) -> dict[int, str]:
    """For each rule without keywords, by index, a pattern by whose literals the sieve tells whether it can match.

    A long word list has more literals than the sieve has room for; a census takes them at no greater cost.
    """
    costs = {each.index: each.cost for each in detectors if not each.rule.keywords}
    most = 4 * LONG_LIST if sum(costs.values()) <= _SIEVED else LONG_LIST // 2
    return {
        each.index: "" if costs[each.index] > most else each.rule.pattern
        for each in detectors
        if not each.rule.keywords
    }


def _front(detector: Detector) -> str:
    """A pattern for words with which every match of a rule of ours begins; empty where it has keywords, or where none
    are plain to see."""
    rule = detector.rule
    if rule.keywords or not rule.tested:
        return ""
    first = front(parse(rule.pattern))
    return "" if first is None or compiled(first, memory=_FRONT, captures=False).search(PROSE) else first


def _words(words: Iterable[str]) -> str:
    """A pattern for any of `words`, in any case."""
    return f"(?i:{'|'.join(escaped(word) for word in sorted(words))})"
