"""A text as the words that the model knows: lower case, NFKC, invisible characters gone, disguises undone.

Undoes what costs nearly nothing to undo: look-alike letters, digits for letters, spaced letters; the rest is in
`disguises`. It must be cheap on source code, where most texts come from, and never lengthens a text by more than what
was encoded in it.
"""

from __future__ import annotations

import unicodedata

from agent.guardrails.injection.disguises import decoded, rewritten, undressed

_SPELLED = 5
_LEETED = 4  # words of letters and digits that, where they are half of all, make every digit a letter
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
    """The words of `text`, in order, and behind them those of what is encoded in it."""
    plain = _plain(undressed(text))
    told = plain + rewritten(plain)
    for hidden in decoded(text):
        told += _plain(hidden)
    return told


def _plain(text: str) -> list[str]:
    if text.isascii():
        split = text.lower().translate(_ASCII).split()
    else:
        split = [word if word.isascii() else _unmasked(word) for word in _foreign(text).split()]
    mixed = [word for word in split if not word.isalpha() and word.isalnum() and not word.isdigit()]
    if len(mixed) >= _LEETED and 2 * len(mixed) >= len(split):
        told = [word.translate(_LEET) for word in split]
    else:
        told = [word if word.isalpha() else _unleeted(word) for word in split]
    return _unspelled([word for word in told if word])


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
