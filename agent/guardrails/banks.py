"""Where a match may be under way at the end of a text: what streams ask after each piece.

The loose closures of all rules, in automata that run backwards from the end of the text and die after a few bytes.
Several automata, because RE2 gives up its fast way for one that is too large. Immutable; knows no streams.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from agent.guardrails.closure import WORD_TAIL
from agent.guardrails.detector import Detector
from agent.guardrails.regex import Census, Regexp, RegexpError, Sieve, compiled

_SHARE = 50_000  # characters of closures in one automaton; at twice as many RE2 gives up its fast way

_PROSE = b"""Lorem ipsum dolor sit amet. The quick brown fox jumps over the lazy dog; My aunt, Rita, is at home by now.
Do you know what it does? If so, run `make` in the folder, then open \"README\" and fix (or skip) the two errors."""
_MARKS = b"-,;:.?!&@/+*#=<>()[]{}\"'`|$ 0 11 222 3333 4567 89 19 20 \\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What is asked for as one: the closures of a rule, or those of a cover of several.

    `opening` matches the words, or the mark, with which every text that `tail` matches begins, but for texts that are
    a word at the end (`WORD_TAIL`); empty where there are none.
    """

    tail: str
    loose: str
    opening: str = ""
    detectors: tuple[Detector, ...]


class Banks:
    """The closures of some units, in as many automata as they need.

    Most rules begin with words of their own, a vendor's name for example. Nothing of such a rule can be under way
    beyond a single word where those do not stand, so the automaton that knows it is not asked there. One sieve knows
    the words that are long enough for it; for the others each automaton has a gate, a pattern for all of its own.
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
        self._always = tuple(_Bank(share, memory) for share in _shares([*idle, *everywhere]))
        behind = [*_shares(at_words), *_shares(at_marks), *([unit] for unit in apart)]
        self._behind = tuple((_gate(share, memory), _Bank(share, memory)) for share in behind)
        shares = list(_shares(gated))
        self._gated = tuple(_Bank(share, memory) for share in shares)
        openings = [(unit.opening, bank) for bank, share in enumerate(shares) for unit in share]
        self._bank_of = [bank for _, bank in openings]
        self._openings = Sieve([pattern for pattern, _ in openings], memory=memory)

    def hold(self, data: bytes, start: int) -> int:
        """The first place in `data[start:]` from which a match may be under way, or the end of `data`."""
        rest = data[start:]
        if rest.isalnum():
            return start  # one word, which is held back whatever the rules say
        asked = [*self._always, *(bank for gate, bank in self._behind if gate.search(rest) is not None)]
        asked += [
            self._gated[number]
            for number in {self._bank_of[unit] for unit in self._openings.candidates(rest)}
        ]
        place = len(data)
        for bank in asked:
            match = bank.tails.search(data, start)
            if match is not None and match.start() < place:
                place = match.start()
        return place

    def under_way(self, data: bytes) -> list[Detector]:
        """The detectors of which a match may be under way at the end of `data`."""
        return [detector for bank in self._all for detector in bank.under_way(data)]

    def warm(self, pause: Callable[[], object]) -> None:
        """Make now what only texts that hold back much need; `pause` is called between the steps."""
        for bank in self._all:
            bank.warm()
            pause()

    @property
    def _all(self) -> tuple[_Bank, ...]:
        return (*self._always, *(bank for _, bank in self._behind), *self._gated)


class _Bank:
    """Some units, with what finds the first place where a match of one may be under way, and what tells of which."""

    def __init__(self, units: Sequence[Unit], memory: int) -> None:
        self._units = units
        self._memory = memory
        tails = [WORD_TAIL, *dict.fromkeys(unit.tail for unit in units if unit.tail)]
        self.tails: Regexp = compiled(rf"(?:{'|'.join(tails)})\z", memory=memory, captures=False)

    def under_way(self, data: bytes) -> Iterable[Detector]:
        """The detectors of the units of which a match may be under way at the end of `data`."""
        places = range(len(self._units)) if self._census is None else self._census.matching(data)
        return (detector for place in places for detector in self._units[place].detectors)

    def warm(self) -> None:
        """Compile what `under_way` asks."""
        self._census  # noqa: B018

    @cached_property
    def _census(self) -> Census | None:
        """Compiled when first asked for: only texts that hold back much need it. None where RE2 finds it too large:
        then each rule is asked."""
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
        if opening.search(_PROSE) is not None:
            everywhere.append(unit)
        elif opening.search(_MARKS) is not None:
            at_marks.append(unit)
        else:
            at_words.append(unit)
    return everywhere, at_marks, at_words


def _gate(units: Sequence[Unit], memory: int) -> Regexp:
    return compiled("|".join(dict.fromkeys(unit.opening for unit in units)), memory=memory, captures=False)


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
