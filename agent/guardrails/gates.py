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
    DIGIT = 2
    FOREIGN = 3  # a character beyond ASCII
    NONE = 4


_TELLING = (Mark.RUN, Mark.DIGITS, Mark.FOREIGN)
_FOREIGN = -1  # no place in that automaton
_MARKS = (run_pattern(_RUN), digits_pattern(_DIGITS), "[0-9]")


class _Key(NamedTuple):
    """What rules of one group have in common."""

    kind: str
    mark: Mark = Mark.NONE
    signs: tuple[str, ...] = ()  # of which one must be there; the automaton of marks looks for them
    bytes: tuple[bytes, ...] = ()  # the same, each a single byte: quicker looked for one by one


class Gates:
    """The groups. Immutable."""

    def __init__(self, detectors: Iterable[Detector], carriers: Iterable[Carrier], *, memory: int) -> None:
        """Raises RegexpError where the rules of a group are too large together."""
        members: dict[_Key, list[Detector]] = {}
        for detector in detectors:
            members.setdefault(_key(detector), []).append(detector)
        for carrier in carriers:
            if not carrier.light:
                members.setdefault(_carriers_key(carrier), []).append(carrier)
        # of so few states that the automaton of marks takes them in
        light = [carrier for carrier in carriers if carrier.light]
        self._light = [each.index for each in light]
        signs = sorted({sign for key in members for sign in key.signs})
        self._marks = Census(
            [*_MARKS, *map(escaped, signs), *(each.outline for each in light)], memory=memory
        )
        self._light_from = len(_MARKS) + len(signs)
        places = {sign: place for place, sign in enumerate(signs, start=len(_MARKS))}
        self._groups = [_Group(key, each, places, memory=memory) for key, each in members.items()]
        self._apart = [_Group(_Key(each.rule.id), [each], {}, memory=memory) for each in light]
        self.words = frozenset().union(*(group.words for group in self._groups))
        """Words of which one stands in every match of the groups that have a word in common."""
        self._glances: list[tuple[str, int | _Group]] = [
            *((each.outline, each.index) for each in light),
            *(
                (_glance(key, each), group)
                for (key, each), group in zip(members.items(), self._groups, strict=True)
                if not group.words
            ),
        ]
        self._memory = memory

    def held(self, data: bytes) -> tuple[list[int], list[int]]:
        """What `data` holds of what groups need, and the indices of the rules that may find something anyway."""
        found = self._marks.matching(data)
        seen = [self._light[place - self._light_from] for place in found if place >= self._light_from]
        if not data.isascii():
            found.append(_FOREIGN)
        return found, seen

    def matching(self, data: bytes, held: Sequence[int]) -> list[int]:
        """The indices of the rules that may find something in `data`, of which it is known what it holds."""
        indices: list[int] = []
        for group in self._groups:
            if group.may_match(data, held):
                indices.extend(group.matching(data))
        return indices

    def glanced(self, data: bytes) -> list[int] | None:
        """The same for a short text without any of the words. None where RE2 finds the question too large."""
        if self.glance is None:
            return None
        indices: list[int] = []
        for place in self.glance.matching(data):
            told = self._glances[place][1]
            indices.extend([told] if isinstance(told, int) else told.matching(data))
        return indices

    @cached_property
    def glance(self) -> Census | None:
        """All groups but those with words in one automaton, for the many short texts of which most hold nothing. It has
        more states than the others together, but is asked once where they are asked ten times."""
        try:
            return Census([pattern for pattern, _ in self._glances], memory=self._memory)
        except RegexpError:
            return None

    def spread(
        self, data: bytes, blocks: Sequence[tuple[int, int]], held: Sequence[Sequence[int]]
    ) -> dict[int, list[tuple[int, int]]]:
        """The same for a large text, of whose blocks it is known what each holds: with the blocks in which matches may
        begin."""
        parts: dict[int, list[tuple[int, int]]] = {}
        unbounded = dict.fromkeys(self._apart)
        for number, (start, stop) in enumerate(blocks):
            near = {place for each in held[number : number + 2] for place in each}
            for group in self._groups:
                ahead = group.ahead(data, stop)
                if ahead is None:
                    unbounded[group] = None
                    continue
                seen = data[max(0, start - KEYWORD_REACH) : stop + ahead]
                if group not in unbounded and group.may_match(seen, near):
                    for index in group.matching(seen):
                        parts.setdefault(index, []).append((start, stop))
        anywhere = {place for each in held for place in each}
        for group in unbounded:
            if group.may_match(data, anywhere):
                parts |= {index: [(0, len(data) + 1)] for index in group.matching(data)}
        return parts


class _Group:
    """Rules with one automaton, asked only about texts that hold what every match of them does."""

    def __init__(
        self, key: _Key, members: Sequence[Detector], signs: Mapping[str, int], *, memory: int
    ) -> None:
        """`signs` are the places of signs among what texts hold. Raises RegexpError where the rules are too large
        together."""
        needed = [signs[sign] for sign in key.signs]
        if key.mark is not Mark.NONE:
            needed.append(_FOREIGN if key.mark is Mark.FOREIGN else key.mark)
        self._needed = frozenset(needed)
        self._bytes = key.bytes
        self._indices = [each.index for each in members]
        self._census = Census([each.outline for each in members], memory=memory)
        self.words = (
            frozenset(word for each in members for word in each.rule.keywords)
            if key.kind in _COMMON
            else frozenset[str]()
        )
        self._members = members

    @cached_property
    def _lines(self) -> int | None:
        return _most(each.lines for each in self._members)

    @cached_property
    def _reach(self) -> int | None:
        return _most(each.reach for each in self._members)

    def may_match(self, data: bytes, held: Collection[int]) -> bool:
        """Whether the gate lets the text pass, of which it is known what it holds."""
        if self._needed and self._needed.isdisjoint(held):
            return False
        return not self._bytes or any(byte in data for byte in self._bytes)

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


def _glance(key: _Key, members: Sequence[Detector]) -> str:
    """A pattern that matches wherever a member does, in as few states as will do."""
    if key.mark in (Mark.RUN, Mark.DIGITS):
        return _MARKS[key.mark]
    return "|".join(map(escaped, key.signs) if key.signs else [each.outline for each in members])


def is_weak(rule: Rule) -> bool:
    """Whether a keyword stands in nearly every text, so that the sieve would spare little."""
    return any(len(word) < 2 or word in _FREQUENT or word in _COMMON for word in rule.keywords)


def is_gated(detector: Detector) -> bool:
    """Whether a gate tells more of a rule than its literals do."""
    key = _key(detector)
    return bool(key.signs) or key.mark in _TELLING


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
    if held.digits:
        return _Key("figures", Mark.DIGIT)
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
    return _Key(carrier.rule.id, bytes=carrier.signs)


def _most(counts: Iterable[int | None]) -> int | None:
    """The highest; None where one has no bound."""
    known = list(counts)
    return None if None in known else max((count for count in known if count is not None), default=0)
