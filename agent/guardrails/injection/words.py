"""A text as the words that the model knows: lower case, NFKC, invisible characters gone, disguises undone.

Undoes what costs nearly nothing to undo: look-alike letters, digits for letters, spaced letters, Base64. It must be
cheap on source code, where most texts come from, and never lengthens a text by more than what Base64 held.
"""

from __future__ import annotations

import binascii
import unicodedata
from base64 import b64decode

_SPELLED = 5
_BLOB = 24
_DECODED = 600  # characters: what is decoded from one text at most
_KEEP = "_'-"

_PUNCTUATION = [chr(code) for code in range(128) if not (chr(code).isalnum() or chr(code) in _KEEP)]
_ASCII = str.maketrans(dict.fromkeys(_PUNCTUATION, " ") | {"'": None})
_MARKS = [
    *range(0x2010, 0x2019),
    *range(0x201A, 0x2028),
    *range(0x3000, 0x3012),
    0xAB,
    0xBB,
    0xBF,
    0xA1,
    0xB7,
]
_MARKS += [0x0964, 0x060C, 0x061F]
_INVISIBLE = [0xAD, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF]
_INVISIBLE += [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]
_SWAPS = {
    **dict.fromkeys([*_PUNCTUATION, *map(chr, _MARKS)], " "),
    **dict.fromkeys(["'", "\u2019", *map(chr, _INVISIBLE)], ""),
    **{chr(0xE0000 + code): chr(code) if chr(code).isalnum() else " " for code in range(0x20, 0x7F)},
}
_ALIKE = str.maketrans("аеорсухіјѕԁһӏкмтвнɑοαερνικτυχѵɡ", "aeopcyxijsdhlkmtbhaoaepviktuxvg")
_DIGITS = frozenset("0123456789")
_LEET = str.maketrans("013457", "oieast")


def words(text: str) -> list[str]:
    """The words of `text`, in order."""
    if text.isascii():
        split = text.lower().translate(_ASCII).split()
    else:
        split = [word if word.isascii() else _unmasked(word) for word in _foreign(text).split()]
    told = [word if word.isalpha() else _unleeted(word) for word in split]
    return _unspelled([word for word in told if word]) + _decoded(text)


def _foreign(text: str) -> str:
    """Lower case, NFKC, punctuation as spaces, invisible characters gone. `str.translate` takes ten times as long."""
    text = unicodedata.normalize("NFKC", text)
    for char in sorted(set(text) & _SWAPS.keys()):
        text = text.replace(char, _SWAPS[char])
    return text.lower()


def _unmasked(word: str) -> str:
    """Latin letters for their look-alikes, in a word that has both."""
    return word.translate(_ALIKE) if any("a" <= char <= "z" for char in word) else word


def _unleeted(word: str) -> str:
    """Letters for digits, in a word that is mostly letters and begins or ends like one."""
    if word.isdigit() or _DIGITS.isdisjoint(word):
        return word.strip("-_")
    letters = sum(map(str.isalpha, word))
    return word.translate(_LEET) if letters >= 2 and 2 * letters >= len(word) and len(word) <= 16 else word


def _unspelled(split: list[str]) -> list[str]:
    """Runs of single letters as the one word that they spell, beside what there is."""
    if list(map(len, split)).count(1) < _SPELLED:
        return split
    told: list[str] = []
    run: list[str] = []
    for word in [*split, ""]:
        if len(word) == 1 and word.isalpha():
            run.append(word)
            continue
        told += ["".join(run)] if len(run) >= _SPELLED else run
        told.append(word)
        run = []
    return told[:-1]


def _decoded(text: str) -> list[str]:
    """The words of what Base64 in the text holds, if that is text."""
    found: list[str] = []
    room = _DECODED
    for blob in text.split():
        if len(blob) < _BLOB or room <= 0:
            continue
        core = blob.strip("\"'`.,;:()[]{}<>")
        if len(core) < _BLOB or not core.replace("+", "").replace("/", "").rstrip("=").isalnum():
            continue
        try:
            plain = b64decode(
                core[: room * 2 // 4 * 4] if len(core) > room * 2 else core + "=" * (-len(core) % 4)
            )
            told = plain.decode("ascii")
        except (binascii.Error, ValueError):
            continue
        if told.isprintable() and " " in told:
            found += told.lower().translate(_ASCII).split()
            room -= len(told)
    return found
