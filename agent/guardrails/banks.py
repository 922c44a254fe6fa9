"""Where a match may be under way at the end of a text: what streams ask after each piece.

The loose closures of all rules, in automata that run backwards from the end of the text and die after a few bytes.
Several automata, because RE2 gives up its fast way for one that is too large. Immutable; knows no streams.

Which rule it is, is asked of one place only, forwards from there: such automata die where the last rule does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from agent.guardrails.closure import WORD_TAIL
from agent.guardrails.detector import Detector
from agent.guardrails.regex import Census, Regexp, RegexpError, Sieve, compiled

_LARGE = 2_000  # characters of a closure that takes many states beside others
_LETTERS = b"abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789"
_SHARE = 50_000  # characters of closures in one automaton; at twice as many RE2 gives up its fast way

PROSE = b"""Lorem ipsum dolor sit amet. The quick brown fox jumps over the lazy dog; My aunt, Rita, is at home by now.
Do you know what it does? If so, run `make` in the folder, then open \"README\" and fix (or skip) the two errors."""
_MARKS = b"-,;:.?!&@/+*#=<>()[]{}\"'`|$ 0 11 222 3333 4567 89 19 20 \\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What is asked for as one: the closures of a rule, or those of a cover of several.

    `opening` matches the words, or the mark, with which every text that `tail` matches begins, but for texts that are
    a word at the end (`WORD_TAIL`); empty where there are none. `fronts` has a pattern for each detector, where the
    unit's own does not tell them apart: it matches every text with which, or with an end of which cut off, a match of
    that detector may begin.
    """

    tail: str
    loose: str
    opening: str = ""
    fronts: tuple[str, ...] = ()
    detectors: tuple[Detector, ...]

    @property
    def beginnings(self) -> tuple[str, ...]:
        """For each detector a pattern for all texts that begin a match of it, up to the end of the text."""
        return self.fronts or (self.loose,)


class Hold(NamedTuple):
    """The first place of a text from which a match may be under way, and a pattern that matches there for so long.

    What is no beginning of a match becomes none by what comes behind it. So as long as `under_way` matches there in
    the text that has grown, the answer is the same and nothing else need be asked. None where nothing is under way.
    """

    place: int
    under_way: Regexp | None


class Banks:
    """The closures of some units, in as many automata as they need.

    Most rules begin with words of their own, a vendor's name for example. Nothing of such a rule can be under way
    beyond a single word where those do not stand, so the automaton that knows it is not asked there. One census knows
    the words of all of them.
    """

    def __init__(self, units: Sequence[Unit], apart: Sequence[Unit], *, memory: int) -> None:
        """Units of `apart` get automata of their own: together with the others' their states would multiply.

        Raises RegexpError where a unit is too large.
        """
        sieve = Sieve([unit.opening for unit in units], memory=memory)
        open_to_all = set(sieve.candidates(b""))
        passed = [unit for place, unit in enumerate(units) if place in open_to_all]
        gated = [unit for place, unit in enumerate(units) if place not in open_to_all and unit.tail]
        idle = [unit for place, unit in enumerate(units) if place not in open_to_all and not unit.tail]
        everywhere, at_marks, at_words = _by_opening(passed, memory)
        large = [
            unit for unit in everywhere if len(unit.tail) > _LARGE and not _begins_in_words(unit, memory)
        ]
        everywhere = [unit for unit in everywhere if unit not in large]
        self._always = tuple(_Bank(share, memory) for share in _shares([*idle, *everywhere]))
        behind = [
            *_shares(at_words),
            *_shares(at_marks),
            *([unit] for unit in (*apart, *large)),
            *_shares(gated),
        ]
        self._behind = tuple(_Bank(share, memory) for share in behind)
        self._gates = Census([_gate(share) for share in behind], memory=memory)

    def hold(self, data: bytes, start: int) -> Hold:
        """The first place in `data[start:]` from which a match may be under way, or the end of `data`."""
        rest = data[start:]
        if rest.isalnum():
            return Hold(start, None)  # one word, which is held back whatever the rules say
        place, under_way = len(data), None
        for bank in (*self._always, *[self._behind[number] for number in self._gates.matching(rest)]):
            match = bank.tails.search(data, start)
            if match is not None and match.start() < place:
                place, under_way = match.start(), bank.tails
        return Hold(place, under_way)

    def under_way(self, data: bytes) -> list[Detector]:
        """The detectors of which, by their loose closures, a match may be under way at the end of `data`, wherever it
        begins: takes longer, and automata that are made when first asked for."""
        return [detector for bank in self._all for detector in bank.under_way(data)]

    def begun(self, data: bytes, place: int) -> list[Detector]:
        """The detectors of which, by their loose closures, a match may be under way that begins at `place`."""
        rest = data[max(0, place - 1) :]
        found: list[Detector] = []
        for bank in self._all:
            if bank.tails.match(data, place) is not None:
                found.extend(bank.begun(rest))
        return found

    def warm(self, pause: Callable[[], object]) -> None:
        """Make now what only texts that hold back much need; `pause` is called between the steps."""
        for bank in self._all:
            bank.warm()
            pause()

    @property
    def _all(self) -> tuple[_Bank, ...]:
        return (*self._always, *self._behind)


class _Bank:
    """Some units, with what finds the first place where a match of one may be under way, and what tells of which."""

    def __init__(self, units: Sequence[Unit], memory: int) -> None:
        self._units = units
        self._memory = memory
        tails = [WORD_TAIL, *dict.fromkeys(unit.tail for unit in units if unit.tail)]
        self.tails: Regexp = compiled(rf"(?:{'|'.join(tails)})\z", memory=memory, captures=False)

    def under_way(self, data: bytes) -> Iterable[Detector]:
        """The detectors of the units of which a match may be under way at the end of `data`."""
        census = self._anywhere
        places = range(len(self._units)) if census is None else census.matching(data)
        return (detector for place in places for detector in self._units[place].detectors)

    def begun(self, data: bytes) -> Iterable[Detector]:
        """The detectors of the units that may be under way behind the first byte of `data`, or from its start."""
        if self._census is None:
            return self._detectors
        return (self._detectors[place] for place in self._census.matching(data))

    def warm(self) -> None:
        """Compile what `begun` asks, and have RE2 make what it makes when first asked: of a pattern that ends where the
        text does, a whole program for the way back, which takes up to some tens of milliseconds."""
        self.tails.search(PROSE)
        self.tails.match(PROSE)
        if self._census is not None:
            self._census.matching(PROSE)

    @cached_property
    def _detectors(self) -> list[Detector]:
        return [detector for unit in self._units for detector in unit.detectors]

    @cached_property
    def _census(self) -> Census | None:
        """Compiled when first asked for: only texts that hold back much need it. None where RE2 finds it too large:
        then each rule is asked.

        The byte before the place, where there is one, is there for word boundaries only.
        """
        beginnings = [beginning for unit in self._units for beginning in unit.beginnings]
        try:
            return Census(
                [rf"(?:\A|\C)(?:{each})\z" for each in beginnings], memory=self._memory, anchored=True
            )
        except RegexpError:
            return None

    @cached_property
    def _anywhere(self) -> Census | None:
        try:
            return Census([rf"(?:{unit.loose})\z" for unit in self._units], memory=self._memory)
        except RegexpError:
            return None


def _by_opening(units: Iterable[Unit], memory: int) -> tuple[list[Unit], list[Unit], list[Unit]]:
    """Those that may begin in any prose, those that begin with marks or digits, and those with words of their own."""
    everywhere: list[Unit] = []
    at_marks: list[Unit] = []
    at_words: list[Unit] = []
    for unit in units:
        if not unit.tail:
            everywhere.append(unit)
            continue
        opening = compiled(unit.opening, memory=memory, captures=False)
        if opening.search(PROSE) is not None:
            everywhere.append(unit)
        elif opening.search(_MARKS) is not None:
            at_marks.append(unit)
        else:
            at_words.append(unit)
    return everywhere, at_marks, at_words


def _begins_in_words(unit: Unit, memory: int) -> bool:
    return compiled(unit.opening, memory=memory, captures=False).search(_LETTERS) is not None


def _gate(units: Sequence[Unit]) -> str:
    return "|".join(dict.fromkeys(unit.opening for unit in units))


def _shares(units: Sequence[Unit]) -> Iterable[Sequence[Unit]]:
    """The units, in groups whose closures together are about as large as one automaton may be."""
    share: list[Unit] = []
    size = 0
    for unit in units:
        size += len(unit.tail)
        if share and size > _SHARE:
            yield share
            share, size = [], len(unit.tail)
        share.append(unit)
    if share:
        yield share
