"""Undoes what is done to a whole text so that a filter does not read it, though a model does: markup between letters,
words spelled out with dots, ROT13, words backwards, Base64 and hexadecimal.

All of it is looked for by cheap signs first, since nearly no text is disguised, and never lengthens a text
without bound.
"""

from __future__ import annotations

import binascii
import codecs
from base64 import b64decode
from collections.abc import Sequence

_STYLES = ("b", "i", "u", "em", "strong", "span", "font", "mark", "small", "sup", "sub", "wbr")
_SEPARATORS = frozenset(".-_*|/+~:,\u00b7\u2022")
_SPELLED_WORDS = 3  # a single one is an abbreviation: "e.g."
_SPACED = 8  # single letters from which a text may be written with a blank after every letter
_BLOB = 24  # characters from which Base64 or hexadecimal is looked into
_DECODED = 600  # characters: what is decoded from one text at most
_FEW = 3  # common words that tell how a text is written
_COMMON = ("the", "and", "all", "you", "your", "this", "that", "to", "of", "is", "for", "with", "from", "not")
_ROT13 = frozenset(codecs.encode(word, "rot13") for word in _COMMON)
_BACKWARDS = frozenset(word[::-1] for word in _COMMON)
_PLAIN = frozenset(_COMMON)


def undressed(text: str) -> str:
    """`text` without the tags of mere style, and with words that were spelled out with dots or dashes put together."""
    if "</" in text:
        for tag in _STYLES:
            text = text.replace(f"</{tag}>", "").replace(f"<{tag}>", "")
    split = text.split()
    if len(split) >= _SPACED and list(map(len, split)).count(1) * 5 >= len(split) * 4 and "  " in text:
        return " ".join(word.replace(" ", "") for word in text.split("  "))  # "i g n o r e   i t"
    if sum(map(_is_spelled, split)) < _SPELLED_WORDS:
        return text
    return " ".join(word[::2] if _is_spelled(word) else word for word in split)


def rewritten(told: Sequence[str]) -> list[str]:
    """The words of a text that is written in ROT13 or backwards, else none."""
    known = set(told)
    plain = len(known & _PLAIN)
    if len(known & _ROT13) >= max(_FEW, plain):
        return [codecs.encode(word, "rot13") for word in told]
    if len(known & _BACKWARDS) >= max(_FEW, plain):
        return [word[::-1] for word in reversed(told)]
    return []


def decoded(text: str) -> list[str]:
    """What Base64 and hexadecimal in the text hold, if that is text."""
    found: list[str] = []
    room = _DECODED
    for blob in (*text.split(), _pairs(text)):
        if len(blob) < _BLOB or room <= 0:
            continue
        core = blob.strip("\"'`.,;:()[]{}<>")
        if len(core) < _BLOB or not core.replace("+", "").replace("/", "").rstrip("=").isalnum():
            continue
        told = _unhexed(core[: room * 2]) or _unbased(core, room)
        if told.isprintable() and " " in told:
            found.append(told)
            room -= len(told)
    return found


def _is_spelled(word: str) -> bool:
    """Whether every second character is one and the same mark: `i.g.n.o.r.e`, also at the end of a sentence."""
    return len(word) > 2 and word[1] in _SEPARATORS and word[0].isalnum() and len(set(word[1:-1:2])) == 1


def _pairs(text: str) -> str:
    """Hexadecimal digits that stand in pairs, together: `49 67 6e`, `\\x49\\x67\\x6e`."""
    split = text.replace("\\x", " ").split()
    if len(split) * 5 < len(text):  # pairs and blanks: words of prose are longer
        return ""
    return "".join(
        word for word in split if len(word) == 2 and not set(word.lower()) - set("0123456789abcdef")
    )


def _unhexed(core: str) -> str:
    try:
        return bytes.fromhex(core[: len(core) // 2 * 2]).decode("ascii")
    except ValueError:
        return ""


def _unbased(core: str, room: int) -> str:
    cut = core[: room * 2 // 4 * 4] if len(core) > room * 2 else core + "=" * (-len(core) % 4)
    try:
        return b64decode(cut).decode("ascii")
    except (binascii.Error, ValueError):
        return ""
