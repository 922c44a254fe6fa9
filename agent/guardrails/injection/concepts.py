"""What words mean to the model: a lexicon of concepts in many languages, and the order in which a text has them."""

from __future__ import annotations

import codecs
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from typing import NamedTuple

from agent.errors import PolicyError

_STEM = 4  # letters that a stem is looked up by
_SPELLED_OUT = 14
_MIXED = 6  # letters of a word that is known though those inside stand in another order
_HEADS = ("ignore", "forget", "disregard", "bypass", "override", "reveal", "systemprompt")
_GLUED_SCRIPTS = (
    ("\u0600", "\u0e7f"),
    ("\u1e00", "\u1eff"),
    ("\u3040", "\ud7af"),
)  # Arabic to Thai, Vietnamese, CJK
_GLUED_CHARS = 2  # characters of a language without spaces that count as one word


class Mention(NamedTuple):
    """A concept and the place, in words, where the text has it."""

    place: int
    concept: str


class Lexicon:
    """Words and stems by concept. Immutable."""

    def __init__(self, source: Mapping[str, Mapping[str, str]], disguised: Sequence[str]) -> None:
        """Raises PolicyError where a stem is too short to be looked up."""
        self._whole: dict[str, tuple[str, ...]] = {}
        self._stems: dict[str, tuple[tuple[str, str], ...]] = {}
        self._mixed: dict[tuple[str, str, int], tuple[tuple[list[str], str], ...]] = {}
        self._glued: dict[str, list[tuple[str, str]]] = {}  # by their first character
        for concept, listed in source["spaced"].items():
            lines = listed.split("\n")
            for word in listed.split():
                self._add(word.lower(), concept)
            if concept in disguised:
                self._disguise(
                    [word for word in lines[0].split() if len(word) > 3 and "*" not in word], concept
                )
        for concept, listed in source["glued"].items():
            for word in listed.split(" "):
                self._glued.setdefault(word[0], []).append((word.replace("\u00a0", " "), concept))
        self._english = sorted(
            (word for word in self._whole if word.isascii() and len(word) > 2), key=len, reverse=True
        )

    def mentions(self, words: Sequence[str]) -> list[Mention]:
        """The concepts of a text, by place."""
        found: list[Mention] = []
        whole, stems, mixed = self._whole, self._stems, self._mixed
        for place, word in enumerate(words):
            if (known := whole.get(word)) is not None:
                found += [Mention(place, concept) for concept in known]
                continue
            if (maybe := stems.get(word[:_STEM])) is not None:
                hit = dict.fromkeys(concept for stem, concept in maybe if word.startswith(stem))
                found += [Mention(place, concept) for concept in hit]
            if (anagrams := mixed.get((word[0], word[-1], len(word)))) is not None:
                letters = sorted(word)
                found += [Mention(place, concept) for told, concept in anagrams if letters == told]
            if len(word) >= _SPELLED_OUT and word.isalpha() and any(head in word for head in _HEADS):
                found += self._run_together(word, place)
        return found

    def glued_mentions(self, text: str) -> list[Mention]:
        """The same for languages that write without spaces: places count as words what is two characters."""
        if not any(low <= char <= high for char in set(text) for low, high in _GLUED_SCRIPTS):
            return []
        text = _without_case(text)
        found = [
            Mention(at // _GLUED_CHARS, concept)
            for first in sorted(self._glued.keys() & set(text))
            for term, concept in self._glued[first]
            for at in _places(term, text)
        ]
        found.sort()
        return found

    def _add(self, word: str, concept: str) -> None:
        if word.endswith("*"):
            stem = word[:-1]
            if len(stem) < _STEM:
                raise PolicyError(f"concept {concept}: the stem {word!r} is shorter than {_STEM} letters")
            key = stem[:_STEM]
            self._stems[key] = (*self._stems.get(key, ()), (stem, concept))
        elif concept not in self._whole.get(word, ()):
            self._whole[word] = (*self._whole.get(word, ()), concept)

    def _disguise(self, plain: Sequence[str], concept: str) -> None:
        for word in plain:
            for hidden in (word[::-1], codecs.encode(word, "rot13")):
                if hidden not in self._whole:
                    self._whole[hidden] = (concept, "disguise")
            if len(word) >= _MIXED:
                key = (word[0], word[-1], len(word))
                self._mixed[key] = (*self._mixed.get(key, ()), (sorted(word), concept))

    def _run_together(self, word: str, place: int) -> list[Mention]:
        """The concepts in words that are written as one: `ignoreallpreviousinstructions`."""
        found: list[Mention] = []
        at = 0
        while at < len(word):
            for known in self._english:
                if len(known) > 4 and word.startswith(known, at):
                    found += [Mention(place, concept) for concept in self._whole[known]]
                    at += len(known) - 1
                    break
            at += 1
        return found if len(found) > 2 else []


def bundled_lexicon() -> Lexicon:
    """The lexicon that ships with the program."""
    text = resources.files("agent.guardrails.injection").joinpath("concepts.toml").read_text(encoding="utf-8")
    raw = tomllib.loads(text)
    return Lexicon({"spaced": raw["spaced"], "glued": raw["glued"]}, raw["disguised"])


def _without_case(text: str) -> str:
    """Lower case, but for what is in capitals: `AI` is no part of `email`."""
    return " ".join(word if word.isupper() else word.lower() for word in text.split(" "))


def _places(term: str, text: str) -> Iterator[int]:
    at = text.find(term)
    while at >= 0:
        yield at
        at = text.find(term, at + 1)
