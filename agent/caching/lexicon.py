"""The words by which prompts are told apart, read from `lexicon.toml`: data, made ready for looking up."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import NamedTuple


class Pole(NamedTuple):
    """One side of an axis of opposites."""

    axis: str
    side: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """Words in lower case, by what they are."""

    negations: frozenset[str]
    unspaced_negations: tuple[str, ...]
    numbers: Mapping[str, str]  # word: digits
    units: Mapping[str, str]  # word or sign: unit
    attached: frozenset[str]  # units that are units only after a number
    poles: Mapping[str, Pole]
    unspaced_poles: Mapping[str, Pole]
    names: Mapping[str, str]  # names that people write in lower case: the name
    unspaced_names: Mapping[str, str]
    same: Mapping[str, str]  # word: one that says the same
    empty: frozenset[str]  # words that a question may have or not
    languages: Mapping[str, tuple[str, ...]]  # small word: languages it is of
    comparing: frozenset[str]  # words that make the order of others matter


@cache
def lexicon() -> Lexicon:
    """The lexicon that comes with the program."""
    return read_lexicon(files("agent.caching").joinpath("lexicon.toml").read_text(encoding="utf-8"))


def read_lexicon(text: str) -> Lexicon:
    """The lexicon in the TOML document `text`."""
    table = tomllib.loads(text)
    poles, unspaced_poles = _poles(table["poles"])
    names = {word: words[0] for line in table["names"] for words in [line.split()] for word in words}
    languages: dict[str, tuple[str, ...]] = {}
    for language, words in table["languages"].items():
        for word in words.split():
            languages[word] = (*languages.get(word, ()), language)
    return Lexicon(
        negations=frozenset(table["negations"]["words"].split()),
        unspaced_negations=tuple(table["negations"]["unspaced"].split()),
        numbers={word: digits for digits, words in table["numbers"].items() for word in words.split()},
        units={word: unit for unit, words in table["units"].items() for word in (unit, *words.split())},
        attached=frozenset(table["attached"].split()),
        poles=poles,
        unspaced_poles=unspaced_poles,
        names={word: name for word, name in names.items() if _spaced(word)},
        unspaced_names={word: name for word, name in names.items() if not _spaced(word)},
        same={word: words[0] for line in table["same"] for words in [line.split()] for word in words},
        empty=frozenset(word for words in table["empty"].values() for word in words.split())
        | frozenset(languages),
        languages=languages,
        comparing=frozenset(table["comparing"].split()),
    )


def _poles(lines: list[str]) -> tuple[dict[str, Pole], dict[str, Pole]]:
    """Each line is one axis: sides, split by `|`, of words that say the same. One side alone has no axis: its absence
    is its opposite."""
    spaced: dict[str, Pole] = {}
    unspaced: dict[str, Pole] = {}
    for line in lines:
        sides = [side.split() for side in line.split("|")]
        for side in sides:
            for word in side:
                axis = sides[0][0] if len(sides) > 1 else ""
                (spaced if _spaced(word) else unspaced)[word] = Pole(axis, side[0])
    return spaced, unspaced


def _spaced(word: str) -> bool:
    return word < "\u3000"


def contradictions(text: str) -> list[str]:
    """Words of the lexicon `text` that stand on two axes or sides, where only the last counts: mistakes."""
    seen = sorted(
        word for line in tomllib.loads(text)["poles"] for side in line.split("|") for word in side.split()
    )
    return [one for one, other in pairwise(seen) if one == other]
