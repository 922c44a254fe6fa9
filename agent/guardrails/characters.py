"""Which characters an atom of a pattern may match, as far as it is plain to see; all of them where it is not."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

_DIGITS = frozenset(b"0123456789")
_LETTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_ALL = frozenset(range(128))
_KINDS = {"d": _DIGITS, "w": _DIGITS | _LETTERS | {ord("_")}, "s": frozenset(b" \t\n\r\f")}
_CONTROLS = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13, "a": 7}
_THIRD_FORMS = frozenset(b"ksKS")  # the Kelvin sign and the long s, for case-blind patterns


class Charset(NamedTuple):
    """The ASCII characters, and whether there may be others."""

    ascii: frozenset[int]
    beyond: bool

    def within(self, allowed: frozenset[int]) -> bool:
        """Whether there is no character but those of `allowed`."""
        return not self.beyond and self.ascii <= allowed


ANY = Charset(_ALL, beyond=True)


@lru_cache(maxsize=128)
def charset(atom: str) -> Charset:
    """What `atom`, a character, an escape or a class with its flags around it, matches at most."""
    flags = ""
    if atom.startswith("(?") and atom.endswith(")"):
        flags, _, atom = atom[2:-1].partition(":")
    blind = "i" in flags
    if atom == ".":
        return ANY if "s" in flags else Charset(_ALL - {10}, beyond=True)
    if atom.startswith("["):
        return _class(atom[1:-1], blind=blind)
    read = _item(atom, 0)
    return ANY if read is None or read[1] != len(atom) else _folded(read[0], blind=blind)


def _class(text: str, *, blind: bool) -> Charset:
    negated = text.startswith("^")
    at = int(negated)
    ascii_, beyond = frozenset[int](), False
    while at < len(text):
        if text.startswith("[:", at) or (first := _item(text, at)) is None:
            return ANY
        chars, at = first
        if text.startswith("-", at) and at + 1 < len(text):
            last = _item(text, at + 1)
            if last is None or not (low := _code(chars)) or not (high := _code(last[0])):
                return ANY
            chars, at = _span(low, high), last[1]
        ascii_, beyond = ascii_ | chars.ascii, beyond or chars.beyond
    read = _folded(Charset(ascii_, beyond), blind=blind)
    return Charset(_ALL - read.ascii, beyond=True) if negated else read


def _item(text: str, at: int) -> tuple[Charset, int] | None:
    """A character or escape at that place and where it ends; None where it is one that is not read here."""
    char = text[at]
    if char != "\\":
        return _one(ord(char)), at + 1
    kind = text[at + 1 : at + 2]
    if kind in _KINDS:
        return Charset(_KINDS[kind], beyond=False), at + 2
    if kind and kind in "DWS":
        return Charset(_ALL - _KINDS[kind.lower()], beyond=True), at + 2
    if kind in _CONTROLS:
        return _one(_CONTROLS[kind]), at + 2
    if kind == "x":
        braced = text.startswith("{", at + 2)
        end = text.find("}", at) if braced else at + 4
        return _one(int(text[at + 2 + braced : end], 16)), end + braced
    return None if not kind or kind.isalnum() else (_one(ord(kind)), at + 2)


def _one(code: int) -> Charset:
    return _span(code, code)


def _span(low: int, high: int) -> Charset:
    return Charset(frozenset(range(low, min(high, 127) + 1)), beyond=high > 127)


def _code(chars: Charset) -> int:
    """The character of which a range begins or ends, 128 for one beyond ASCII; 0 where it is none."""
    if chars.beyond:
        return 128
    return next(iter(chars.ascii)) if len(chars.ascii) == 1 else 0


def _folded(chars: Charset, *, blind: bool) -> Charset:
    if not blind:
        return chars
    cases = frozenset(code ^ 32 for code in chars.ascii & _LETTERS)
    # what is beyond ASCII may have its other form in it
    more = frozenset(b"kKsS") if chars.beyond else frozenset[int]()
    return Charset(chars.ascii | cases | more, chars.beyond or bool(chars.ascii & _THIRD_FORMS))
