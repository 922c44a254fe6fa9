"""What the model looks at in one window: words, neighbours, concepts in their order, rules that hit, and its shape.

All features are "is there", never "how often": a long text is not suspicious for being long, and an attack counts no
less for standing among harmless words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import pairwise

from agent.guardrails.injection.concepts import Lexicon, Mention
from agent.guardrails.injection.signs import Signs
from agent.guardrails.injection.words import words
from agent.guardrails.offsets import encoded

_NEAR = 8  # words between two concepts that belong together
_NEXT = 6  # mentions that a mention is paired with
_TRIPLE = 4  # of these, those that stand in triples
_OPENING = 6  # words in which a text says what it is
_NO_LETTERS = bytes(
    byte for byte in range(128) if not chr(byte).isalpha()
)  # beyond ASCII all counts as letters
_NO_CAPITALS = bytes(byte for byte in range(256) if not ord("A") <= byte <= ord("Z"))


class Kind(StrEnum):
    """The kinds of features; the letters stand in the file of weights."""

    WORD = "w"
    PAIR = "p"  # two neighbours
    CONCEPT = "c"  # one to three concepts, in order
    SIGN = "r"  # a rule that hit, or a trait of the shape


type Name = str | tuple[str, ...]


class Extractor:
    """Turns windows into features. Immutable."""

    def __init__(self, lexicon: Lexicon, signs: Signs) -> None:
        self._lexicon = lexicon
        self._signs = signs

    def features(self, text: str) -> list[tuple[Kind, set[Name]]]:
        """The features of one window, by kind."""
        told = words(text)
        mentions = self._lexicon.mentions(told)
        found: list[tuple[Kind, set[Name]]] = [
            (Kind.WORD, set(told)),
            (Kind.PAIR, set(pairwise(told))),
        ]
        concepts: set[Name] = set(_ordered(mentions))
        if not text.isascii():
            concepts.update(_ordered(self._lexicon.glued_mentions(text)))
        signs: set[Name] = {f"opens:{each.concept}" for each in mentions if each.place < _OPENING}
        signs.update(_shape(text, told))
        signs.update(self._signs.hits(text))
        return [*found, (Kind.CONCEPT, concepts), (Kind.SIGN, signs)]


def _ordered(mentions: Sequence[Mention]) -> Iterator[tuple[str, ...]]:
    """Concepts, pairs and triples of them that stand near each other."""
    for at, (start, first) in enumerate(mentions):
        yield (first,)
        near = [
            concept
            for place, concept in mentions[at + 1 : at + 1 + _NEXT]
            if place - start <= _NEAR and concept != first
        ]
        for place, second in enumerate(near):
            yield (first, second)
            for third in near[place + 1 : _TRIPLE]:
                yield (first, second, third)


def _shape(text: str, told: Sequence[str]) -> Iterable[str]:
    """Traits of the text as a whole."""
    size = len(text)
    yield f"long:{min(size // 150, 6)}" if size >= 150 else f"short:{size // 50}"
    data = encoded(text)
    letters, upper = len(data.translate(None, _NO_LETTERS)), len(data.translate(None, _NO_CAPITALS))
    if upper * 4 > letters and letters > 30:
        yield "shouting"
    loud = sum(len(word) > 3 and word.isupper() for word in text.split())
    if loud:
        yield f"loud:{min(loud, 4)}"
    if letters * 10 < len(data) * 6:
        yield "symbols"
    if "http://" in text or "https://" in text:
        yield "link"
    if "@" in text:
        yield "at"
    if "?" in text:
        yield "question"
    if "<!--" in text:
        yield "comment"
    if len(told) * 3 < len(text.split()) * 2:
        yield "dense"
