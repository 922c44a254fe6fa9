"""Rules without a name that would tell them, in groups: each with an automaton of its own, and a gate before it.

The gates are cheap: marks that one automaton of some dozen states finds (a long run of characters, some digits), and
bytes that must be there. Small automata instead of one: what a text costs the first time is the states it makes, and
those of one for all would be the product of what is under way in each (docs/adr/0026).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import IntEnum
from functools import cached_property
from typing import NamedTuple

from agent.guardrails.carriers import Carrier
from agent.guardrails.detector import NEAR, Detector
from agent.guardrails.needs import digits_pattern, needs, run_pattern
from agent.guardrails.regex import Census, RegexpError, compiled, escaped
from agent.guardrails.rule import KEYWORD_AHEAD, KEYWORD_REACH, Rule
from agent.guardrails.syntax import Node
from agent.model.findings import Family

_RUN = 24
_DIGITS = 6
_FIGURES = 4
_SHORT = 3
_COMMON = ("key", "pass")  # words that stand in most of what developers write
_FREQUENT = frozenset(
    {"pat", "re_", "sk_", "you", "tel", "ignore", "user", "cio", "://"}
)  # and others that often do

# Ranges of letters in a pattern: numbers with their separators have none.
_LETTERS = compiled(r"[A-Z]-[A-Z]|[a-z]-[a-z]|\(\?i|\[A", memory=1 << 16, captures=False)

type Parts = tuple[tuple[int, int], ...]
"""Parts of a text, from and up to which byte."""


class Mark(IntEnum):
    """What a text may hold; the first by their places in the automaton of marks, behind which signs have theirs."""

    RUN = 0  # `_RUN` characters of a token in a row
    DIGITS = 1  # `_DIGITS` digits, parted by little
    FIGURES = 2  # `_FIGURES` of them
    FOREIGN = 3  # a character beyond ASCII
    NONE = 4


_TELLING = (Mark.RUN, Mark.DIGITS, Mark.FIGURES, Mark.FOREIGN)
_FOREIGN = -1  # no place in an automaton
_WORDED = -10  # nor are this one and those below
_MARKS = (run_pattern(_RUN), digits_pattern(_DIGITS), digits_pattern(_FIGURES))


class _Key(NamedTuple):
    """What rules of one group have in common."""

    kind: str
    mark: Mark = Mark.NONE
    signs: tuple[str, ...] = ()  # of which one must be there; the first automaton of marks looks for them


class Gates:
    """The groups. Immutable.

    Two automata look for marks: the first for what most texts are full of, runs, digits and quotes, the second for the
    outlines of rules that are of so few states that they need no automaton of their own. Both in one would have the
    product of their states.
    """

    def __init__(
        self,
        detectors: Iterable[Detector],
        carriers: Iterable[Carrier],
        *,
        memory: int,
        also: str = "",
        glanced: Iterable[Detector] = (),
    ) -> None:
        """`also` is a pattern that is looked for with the marks (`also_held`), and `glanced` are rules that only
        `glanced` tells of. Raises RegexpError where the rules of a group are too large together."""
        members: dict[_Key, list[Detector]] = {}
        shapes: list[Detector] = []
        for detector in detectors:
            if is_shape(detector):
                shapes.append(detector)
            else:
                members.setdefault(_key(detector), []).append(detector)
        for carrier in carriers:
            if not carrier.hints and not carrier.shapes:
                members.setdefault(_carriers_key(carrier), []).append(carrier)
        hinted = [carrier for carrier in carriers if carrier.hints or carrier.shapes]
        signs = sorted({sign for key in members for sign in key.signs})
        marks, outlines = _Asked(_MARKS), _Asked([also] if also else [])
        places = {sign: marks.add(escaped(sign)) for sign in signs}
        worded = {
            key: _WORDED - count for count, key in enumerate(key for key in members if key.kind in _COMMON)
        }
        self.words: dict[int, frozenset[str]] = {
            place: frozenset(word for each in members[key] for word in each.rule.keywords)
            for key, place in worded.items()
        }
        """Words of which one stands near every match of a group that has a word in common; by what is held where one
        does, which the caller says."""
        self._groups = [
            _Group(key, each, places, memory=memory, needed=[worded[key]] if key in worded else ())
            for key, each in members.items()
        ]
        self._direct: dict[int, int] = {}  # what a mark tells by itself
        self._apart: list[_Group] = []  # groups of those, for large texts
        hints: list[tuple[Detector, list[int]]] = []
        for carrier in hinted:
            hints.append(
                (carrier, [*map(marks.add, carrier.hints), *(~outlines.add(each) for each in carrier.shapes)])
            )
        hints.extend((shape, [~outlines.add(shape.outline)]) for shape in shapes)
        self._second_from = len(marks.patterns)
        self._also = self._second_from if also else None
        for each, held in hints:
            at = [place if place >= 0 else self._second_from + ~place for place in held]
            group = _Group(_Key(each.rule.id), [each], {}, memory=memory, needed=at)
            if isinstance(each, Carrier) and not each.told:
                self._groups.append(group)
            else:
                self._direct |= dict.fromkeys(at, each.index)
                self._apart.append(group)
        self._ungated = [group for group in self._groups if not group.needed]
        self._needing = _by_need(self._groups)
        self._marks = Census(marks.patterns, memory=memory)
        self._outlines = Census(outlines.patterns, memory=memory)
        grouped = zip(members.items(), self._groups, strict=False)  # hinted carriers stand behind
        self._glances: list[tuple[str, int | _Group]] = [
            *((each.outline, each.index) for each in (*(each for each, _ in hints), *glanced)),
            *((_glance(key, each), group) for (key, each), group in grouped if key not in worded),
        ]
        self._glanced_marks = {len(self._glances): Mark.DIGITS.value}
        if self._also is not None:
            self._glanced_marks[len(self._glances) + 1] = self._also
        self._glanced_patterns = [
            *(pattern for pattern, _ in self._glances),
            _MARKS[Mark.DIGITS],
            *([also] if also else []),
        ]
        self._memory = memory

    def held(self, data: bytes) -> tuple[list[int], list[int]]:
        """What `data` holds of what groups need, and the indices of the rules that may find something anyway."""
        found = self._marks.matching(data)
        second = self._second_from
        found += [second + place for place in self._outlines.matching(data)]
        seen = [self._direct[place] for place in found if place in self._direct]
        if not data.isascii():
            found.append(_FOREIGN)
        return found, seen

    def also_held(self, held: Collection[int]) -> bool:
        """Whether a text holds what was also to be looked for."""
        return self._also in held

    def matching(self, data: bytes, held: Collection[int]) -> list[int]:
        """The indices of the rules that may find something in `data`, of which it is known what it holds."""
        indices: list[int] = []
        for group in self._awake(held):
            indices.extend(group.matching(data))
        return indices

    def _awake(self, held: Iterable[int]) -> Iterable[_Group]:
        """The groups whose gates let a text pass, of which it is known what it holds."""
        awake = dict.fromkeys(self._ungated)
        for place in held:
            if (needing := self._needing.get(place)) is not None:
                awake.update(needing)
        return awake

    def glanced(self, data: bytes) -> tuple[list[int], list[int]] | None:
        """For a short text: the rules of all groups but those with words that may find something; and what is held of
        what labels need. None where RE2 finds the question too large."""
        if self.glance is None:
            return None
        indices: list[int] = []
        held: list[int] = []
        for place in self.glance.matching(data):
            if (mark := self._glanced_marks.get(place)) is not None:
                held.append(mark)
                continue
            told = self._glances[place][1]
            indices.extend([told] if isinstance(told, int) else told.matching(data))
        return indices, held

    def worded(self, data: bytes, words: Collection[int]) -> list[int]:
        """The rules of the groups with words that may find something, where it is known which words stand there."""
        groups = [group for group in self._groups if not group.needed.isdisjoint(words)] if words else []
        return [index for group in groups for index in group.matching(data)]

    @cached_property
    def glance(self) -> Census | None:
        """All groups but those with words in one automaton, for the many short texts of which most hold nothing. It has
        more states than the others together, but is asked once where they are asked ten times."""
        try:
            return Census(self._glanced_patterns, memory=self._memory)
        except RegexpError:
            return None

    def spread(
        self, data: bytes, blocks: Sequence[tuple[int, int]], held: Sequence[Sequence[int]]
    ) -> dict[int, list[tuple[int, int]]]:
        """The same for a large text, of whose blocks it is known what each holds: with the blocks in which matches may
        begin."""
        parts: dict[int, list[tuple[int, int]]] = {}
        near = [{*each, *after} for each, after in zip(held, [*held[1:], ()], strict=True)]
        anywhere = set[int]().union(*near)
        for group in (*self._groups, *self._apart):
            if not group.may_match(anywhere):
                continue
            found: list[tuple[int, tuple[int, int]]] = []
            for (start, stop), marks in zip(blocks, near, strict=True):
                if not group.may_match(marks):
                    continue
                ahead = group.ahead(data, stop)
                if ahead is None:
                    found = [(index, (0, len(data) + 1)) for index in group.matching(data)]
                    break
                seen = data[max(0, start - KEYWORD_REACH) : stop + ahead]
                found.extend((index, (start, stop)) for index in group.matching(seen))
            for index, part in found:
                parts.setdefault(index, []).append(part)
        return parts


class _Group:
    """Rules with one automaton, asked only about texts that hold what every match of them does."""

    def __init__(
        self,
        key: _Key,
        members: Sequence[Detector],
        signs: Mapping[str, int],
        *,
        memory: int,
        needed: Iterable[int] = (),
    ) -> None:
        """`signs` are the places of signs among what texts hold, and `needed` places of which one must be held. Raises
        RegexpError where the rules are too large together."""
        needed = [*needed, *(signs[sign] for sign in key.signs)]
        if key.mark is not Mark.NONE:
            needed.append(_FOREIGN if key.mark is Mark.FOREIGN else key.mark)
        self.needed = frozenset(needed)
        self._indices = [each.index for each in members]
        self._census = Census([each.outline for each in members], memory=memory)
        self._members = members

    @cached_property
    def _lines(self) -> int | None:
        return _most(each.lines for each in self._members)

    @cached_property
    def _reach(self) -> int | None:
        return _most(each.reach for each in self._members)

    def may_match(self, held: Collection[int]) -> bool:
        """Whether the gate lets the text pass, of which it is known what it holds."""
        return not self.needed or not self.needed.isdisjoint(held)

    def matching(self, data: bytes) -> list[int]:
        """The indices of the rules that may match in `data`."""
        return [self._indices[place] for place in self._census.matching(data)]

    def ahead(self, data: bytes, stop: int) -> int | None:
        """How far behind `stop` must be looked for matches that begin before it: so far that none needs more, or that
        too many lines end for any to reach beyond. None where that cannot be told."""
        for ahead in (KEYWORD_AHEAD, NEAR):
            if stop + ahead >= len(data) or (self._reach is not None and self._reach <= ahead):
                return ahead
            if self._lines is not None and data.count(b"\n", stop, stop + ahead) > self._lines:
                return ahead
        return None


class _Asked:
    """The patterns of an automaton, while it is put together."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self.patterns = list(patterns)

    def add(self, pattern: str) -> int:
        """The place of `pattern`."""
        self.patterns.append(pattern)
        return len(self.patterns) - 1


def _by_need(groups: Iterable[_Group]) -> dict[int, dict[_Group, None]]:
    """The groups that each of what texts hold lets pass."""
    needing: dict[int, dict[_Group, None]] = {}
    for group in groups:
        for place in group.needed:
            needing.setdefault(place, {})[group] = None
    return needing


def _glance(key: _Key, members: Sequence[Detector]) -> str:
    """A pattern that matches wherever a member does, in as few states as will do."""
    if key.mark in (Mark.RUN, Mark.DIGITS):
        return _MARKS[key.mark]
    return "|".join(map(escaped, key.signs) if key.signs else [each.outline for each in members])


def is_weak(rule: Rule) -> bool:
    """Whether a keyword stands in nearly every text, so that the sieve would spare little."""
    return any(len(word) < _SHORT or word in _FREQUENT or word in _COMMON for word in rule.keywords)


def is_gated(detector: Detector) -> bool:
    """Whether a gate tells more of a rule than its literals do."""
    key = _key(detector)
    return bool(key.signs) or key.mark in _TELLING or (is_shape(detector) and detector.needs.digits > 0)


def is_shape(detector: Detector) -> bool:
    """Whether a rule of ours tells a number or an address by its form, in which there are few digits: its outline is of
    so few states that it needs no gate."""
    key = _key(detector)
    return key.kind in ("figures", "words", "marks") and key.mark is Mark.NONE and _is_ours(detector.rule)


def _is_ours(rule: Rule) -> bool:
    return rule.tested and rule.family is Family.PII


def holds_digits(value: Node) -> bool:
    """Whether every match of `value` holds what `Mark.DIGITS` stands for."""
    return needs(value).digits >= _DIGITS


def _key(detector: Detector) -> _Key:
    """What decides which automaton knows a rule: its common word, or what its matches must hold."""
    rule = detector.rule
    if word := next((word for word in _COMMON if word in rule.keywords), ""):
        return _Key(word)
    held = detector.needs
    if held.foreign:
        return _Key("foreign", Mark.FOREIGN)
    if signs := _signs(rule):
        return _Key("signs", signs=signs)
    if held.at:
        return _Key("addresses", signs=("@",))
    if held.run >= _RUN:
        return _Key("tokens", Mark.RUN)
    if held.digits >= _DIGITS:
        return _Key("numbers", Mark.DIGITS)
    if held.digits >= _FIGURES:
        return _Key("figures", Mark.FIGURES)
    if held.digits:
        return _Key("figures")
    if rule.family is Family.SECRET:
        return _Key("secrets")
    return _Key("words" if _LETTERS.search(rule.pattern.encode()) is not None else "marks")


def _signs(rule: Rule) -> tuple[str, ...]:
    """The keywords of a rule, if there are no letters in them, and more than one character."""
    plain = all(len(word) > 1 and not any(char.isalpha() for char in word) for word in rule.keywords)
    return rule.keywords if plain else ()


def _carriers_key(carrier: Carrier) -> _Key:
    if carrier.needs.run >= _RUN:
        return _Key("runs", Mark.RUN)
    return _Key(carrier.rule.id)


def _most(counts: Iterable[int | None]) -> int | None:
    """The highest; None where one has no bound."""
    known = list(counts)
    return None if None in known else max((count for count in known if count is not None), default=0)
