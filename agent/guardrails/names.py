"""Which rules' words stand in a text: asked of one automaton for all of them, then of a small one for those it finds.

A set of patterns lists all that may begin in each of its states. So the first knows the words by their first character,
one pattern for each: words with a common beginning share their states. No place in the text is asked for: RE2 finds one
by reading backwards, with a second automaton in which nothing is shared. Immutable.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from agent.guardrails.regex import Census, escaped

_NEVER = r"\z\C"


class Other(NamedTuple):
    """Something else to look for, found with the words: `pattern` in any text, `plain` in texts of ASCII only."""

    pattern: str
    plain: str


class Names:
    """Words, in lower case, of ASCII, in any case in the text; and other patterns. Told by their places in the order
    given, others behind words."""

    def __init__(self, words: Iterable[str], others: Sequence[Other], *, memory: int) -> None:
        """Raises RegexpError where they are too large together."""
        shelves: dict[str, list[tuple[int, str]]] = {}
        count = 0
        for count, word in enumerate(words, start=1):
            shelves.setdefault(word[:1], []).append((count - 1, _in_any_case(word)))
        self._shelves = [
            (
                [place for place, _ in shelf],
                Census([pattern for _, pattern in shelf], memory=memory) if len(shelf) > 1 else None,
            )
            for shelf in shelves.values()
        ]
        self._others = range(count, count + len(others))
        spelt = ["|".join(sorted(pattern for _, pattern in shelf)) for shelf in shelves.values()]
        self._plain = Census([*spelt, *(other.plain or _NEVER for other in others)], memory=memory)
        self._any = Census([*spelt, *(other.pattern for other in others)], memory=memory)

    def found(self, data: bytes) -> set[int]:
        """Which of them stand in `data`."""
        found = set[int]()
        shelves = len(self._shelves)
        for number in (self._plain if data.isascii() else self._any).matching(data):
            if number >= shelves:
                found.add(self._others[number - shelves])
                continue
            places, census = self._shelves[number]
            found.update(places if census is None else [places[each] for each in census.matching(data)])
        return found


def _in_any_case(word: str) -> str:
    """A pattern for `word`, of ASCII letters only: case-blind patterns know two signs more for `k` and `s`."""
    return "".join(
        f"[{char.upper()}{char}]" if char.isascii() and char.isalpha() else escaped(char) for char in word
    )


def joined_owners(owners: Iterable[tuple[int, Sequence[str]]]) -> Mapping[str, list[int]]:
    """For each word the rules that have it."""
    found: dict[str, list[int]] = {}
    for owner, words in owners:
        for word in words:
            found.setdefault(word, []).append(owner)
    return found
