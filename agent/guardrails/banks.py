"""Where a match may be under way at the end of a text: what streams ask after each piece.

The loose closures of all rules, in a few automata. Most rules have openings: a vendor's name, a mark. Where one stands
it is asked forwards from there what is under way; such automata die where the last rule does, and make few states. The
others are sought backwards from the end of the text, in automata that die after a few bytes.

Immutable; knows no streams.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from agent.guardrails.closure import TOKEN_TAIL, is_token
from agent.guardrails.detector import Detector
from agent.guardrails.outlines import openings
from agent.guardrails.regex import Census, Regexp, RegexpError, compiled
from agent.guardrails.syntax import parse

_LARGE = 2_000  # characters of a closure that takes many states beside others
_LETTERS = b"abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789"
_AHEAD = 4_096  # bytes
_BEFORE = r"(?:\A|\C)"  # the byte before a place, where there is one: for word boundaries only
_SHARE = 50_000  # characters of closures that run backwards in one automaton; RE2 gives up its fast way for twice that
_OPENED = 150_000  # of those that run forwards, so that none takes long to compile

PROSE = b"""Lorem ipsum dolor sit amet. The quick brown fox jumps over the lazy dog; My aunt, Rita, is at home by now.
Do you know what it does? If so, run `make` in the folder, then open \"README\" and fix (or skip) the two errors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What is asked for as one: the closures of a rule, or those of a cover of several.

    `opening` matches the tokens, or the mark, with which every text that `tail` matches begins, but for texts that are
    a token at the end (`TOKEN_TAIL`); empty where there are none. `beginnings` gives for each detector a pattern for
    all texts that begin a match of it, up to the end of the text.
    """

    tail: str
    opening: str = ""
    detectors: tuple[Detector, ...]
    beginnings: Callable[[], tuple[str, ...]]


type UnderWay = Callable[[bytes, int], object]
"""Asked of a text and a place in it: true where a match may be under way that begins there."""


class Hold(NamedTuple):
    """The first place of a text from which a match may be under way, and what tells whether it still is.

    What is no beginning of a match becomes none by what comes behind it. So as long as `under_way` is true there of the
    text that has grown, the answer is the same and nothing else need be asked. None where nothing is under way.
    """

    place: int
    under_way: UnderWay | None


class Banks:
    """The closures of some units, in as many automata as they need.

    Most rules begin with words of their own, a vendor's name for example. Nothing of such a rule can be under way
    beyond a single token where those do not stand, so the automaton that knows it is not asked there. One census knows
    the words of all of them.
    """

    def __init__(
        self,
        units: Sequence[Unit],
        apart: Sequence[Unit],
        *,
        memory: int,
        pause: Callable[[], object] = lambda: None,
    ) -> None:
        """Units of `apart` get automata of their own: together with the others' their states would multiply. `pause` is
        called between the steps.

        Raises RegexpError where a unit is too large.
        """
        anywhere, opened = _by_opening(units, memory)
        self._endings = tuple(_Ending(share, memory, pause) for share in _shares(anywhere, _SHARE))
        shares = [*([unit] for unit in apart), *_shares(opened, _OPENED)]
        self._opened = tuple(_Opened(share, memory, pause) for share in shares)
        self._gates = Census(map(_gate, shares), memory=memory)
        pause()

    def hold(self, data: bytes, start: int) -> Hold:
        """The first place in `data[start:]` from which a match may be under way, or the end of `data`."""
        rest = data[start:]
        if is_token(rest):
            return Hold(start, None)  # one token, which is held back whatever the rules say
        place, under_way = len(data), None
        opened = [self._opened[number] for number in self._gates.matching(rest)]
        banks: tuple[_Ending | _Opened, ...] = (*self._endings, *opened)
        for bank in banks:
            if (at := bank.hold(data, start, place)) < place:
                place, under_way = at, bank.is_under_way
        return Hold(place, under_way)

    def under_way(self, data: bytes) -> list[Detector]:
        """The detectors of which, by their loose closures, a match may be under way at the end of `data`, wherever it
        begins: takes longer, and automata that are made when first asked for."""
        return [detector for bank in self._all for detector in bank.under_way(data)]

    def begun(self, data: bytes, place: int) -> list[Detector]:
        """The detectors of which, by their loose closures, a match may be under way that begins at `place`."""
        return [detector for bank in self._all for detector in bank.begun(data, place)]

    def warm(self, pause: Callable[[], object]) -> None:
        """Make now what only texts that hold back much need; `pause` is called between the steps."""
        for bank in self._all:
            bank.warm()
            pause()

    @property
    def _all(self) -> tuple[_Ending | _Opened, ...]:
        return (*self._endings, *self._opened)


class _Bank:
    """The detectors of some units, and their loose closures, which are derived when they are asked for."""

    def __init__(self, units: Sequence[Unit], memory: int) -> None:
        self._detectors = [detector for unit in units for detector in unit.detectors]
        self._derived = [unit.beginnings for unit in units]
        self._memory = memory

    def _begun(self) -> Census:
        """Which detectors may have begun at a place, asked of a text by `_from`. Raises RegexpError."""
        return self._census(_BEFORE, anchored=True)

    def under_way(self, data: bytes) -> Iterable[Detector]:
        """The detectors of which a match may be under way at the end of `data`, wherever it begins."""
        if self._anywhere is None:
            return self._detectors
        return (self._detectors[number] for number in self._anywhere.matching(data))

    @cached_property
    def _anywhere(self) -> Census | None:
        try:
            return self._census("", anchored=False)
        except RegexpError:
            return None

    def _census(self, before: str, *, anchored: bool) -> Census:
        closures = [closure for derived in self._derived for closure in derived()]
        return Census(
            [rf"{before}(?:{closure})\z" for closure in closures], memory=self._memory, anchored=anchored
        )


class _Opened(_Bank):
    """Units that have openings: these are sought, and of each place it is asked forwards whether a match is under way.

    What stands at a place tells most rules apart. Backwards from the end the values of all of them would be under way
    together, and make states.
    """

    def __init__(self, units: Sequence[Unit], memory: int, pause: Callable[[], object]) -> None:
        """Raises RegexpError where the units are too large together."""
        self._opening = compiled(
            "|".join(dict.fromkeys(unit.opening for unit in units)), memory=memory, captures=False
        )
        pause()
        super().__init__(units, memory)
        self._told = self._begun()
        pause()
        # of a cover the beginnings are those of its detectors, which say less together than it does
        covers = [rf"{_BEFORE}(?:{unit.tail})\z" for unit in units if len(unit.detectors) > 1]
        self._asked = Census(covers, memory=memory, anchored=True) if covers else self._told
        pause()

    def hold(self, data: bytes, start: int, most: int) -> int:
        """The first place in `data[start:most]` from which a match of a unit may be under way; or `most`."""
        while (match := self._opening.search(data, start)) is not None and match.start() < most:
            if self.is_under_way(data, match.start()):
                return match.start()
            start = match.start() + 1
        return most

    def is_under_way(self, data: bytes, place: int) -> bool:
        """Whether a match may be under way that begins at `place`, where an opening stands; that it still is after
        `_AHEAD` bytes will do, so that what is asked grows with the text."""
        return bool(self._asked.matching(data[max(0, place - 1) : place + _AHEAD]))

    def begun(self, data: bytes, place: int) -> list[Detector]:
        """The detectors of which a match may be under way that begins at `place`."""
        return [self._detectors[number] for number in self._told.matching(_from(data, place))]

    def warm(self) -> None:
        """Have RE2 make what it makes when first asked."""
        self._opening.search(PROSE)


class _Ending(_Bank):
    """Units that may begin anywhere: asked in automata that run backwards from the end of the text."""

    def __init__(self, units: Sequence[Unit], memory: int, pause: Callable[[], object]) -> None:
        """Raises RegexpError where the units are too large together."""
        super().__init__(units, memory)
        tails = [TOKEN_TAIL, *dict.fromkeys(unit.tail for unit in units if unit.tail)]
        self._tails: Regexp = compiled(rf"(?:{'|'.join(tails)})\z", memory=memory, captures=False)
        pause()

    def hold(self, data: bytes, start: int, most: int) -> int:
        """The first place in `data[start:most]` from which a match, or a token, may be under way; or `most`."""
        match = self._tails.search(data, start)
        return most if match is None else min(match.start(), most)

    def is_under_way(self, data: bytes, place: int) -> bool:
        """Whether a match, or a token, may be under way that begins at `place`."""
        return self._tails.match(data, place) is not None

    def begun(self, data: bytes, place: int) -> list[Detector]:
        """The detectors of which a match may be under way that begins at `place`."""
        if self._tails.match(data, place) is None:
            return []
        if self._told is None:
            return list(self._detectors)
        return [self._detectors[number] for number in self._told.matching(_from(data, place))]

    def warm(self) -> None:
        """Compile what `begun` asks, and have RE2 make what it makes when first asked: of a pattern that ends where the
        text does, a whole program for the way back, which takes up to some tens of milliseconds."""
        self._tails.search(PROSE)
        self._tails.match(PROSE)
        self._told  # noqa: B018

    @cached_property
    def _told(self) -> Census | None:
        """Compiled when first asked for: only texts that hold back much need it. None where RE2 finds it too large:
        then each rule is asked."""
        try:
            return self._begun()
        except RegexpError:
            return None


def _from(data: bytes, place: int) -> bytes:
    return data[max(0, place - 1) :]


def _by_opening(units: Sequence[Unit], memory: int) -> tuple[list[Unit], list[Unit]]:
    """Those that may begin in any prose, or of which nothing is under way beyond a token; and those with openings."""
    anywhere: list[Unit] = []
    opened: list[Unit] = []
    for unit in units:
        (opened if unit.tail and unit.opening and not _is_common(unit, memory) else anywhere).append(unit)
    return anywhere, opened


def _is_common(unit: Unit, memory: int) -> bool:
    """Whether the opening of `unit` stands in most texts; but for large ones only where it stands among letters, since
    these would take many states beside others."""
    opening = compiled(unit.opening, memory=memory, captures=False)
    return opening.search(_LETTERS if len(unit.tail) > _LARGE else PROSE) is not None


def _gate(units: Iterable[Unit]) -> str:
    """A pattern for the openings of `units`, sorted: what neighbours begin with alike RE2 makes one of."""
    return "|".join(sorted(frozenset[str]().union(*(openings(parse(unit.opening)) for unit in units))))


def _shares(units: Sequence[Unit], most: int) -> Iterable[Sequence[Unit]]:
    """The units, in groups whose closures have together about `most` characters."""
    share: list[Unit] = []
    size = 0
    for unit in units:
        size += len(unit.tail)
        if share and size > most:
            yield share
            share, size = [], len(unit.tail)
        share.append(unit)
    if share:
        yield share
