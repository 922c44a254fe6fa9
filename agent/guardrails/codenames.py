"""Whether a value reads as a name in code, or as what only looks alike: passphrases, and parts without any system.

Names in code are made of words and numbers, joined in camel case, by dots, dashes or underscores. So are some
passwords: `harbor-juniper-26-glacier`, `Maple.vTqzRb_36`. This module tells them apart; it sees the value alone.
"""

from __future__ import annotations

from itertools import pairwise

from agent.guardrails.vocabulary import ABBREVIATIONS, CODE_WORDS

_FEWEST_WORDS = 3  # of a passphrase
_LONGEST_NUMBER = 4  # in one
_JUMBLED = 6
_CAPITALS = 3
_VOWELS = frozenset("aeiouyAEIOUY")


def reads_as_code(value: str, *, quoted: bool = False) -> bool:
    """Calls, subscripts, attribute chains, and names made of words and version numbers. Brackets in quotes are code
    only where they stand in pairs."""
    if any(mark in value for mark in ("=>", "?.", "::", "->", "||", "&&", "+=", '"', "'")):
        return True
    if any(left in value and (not quoted or right in value) for left, right in ("()", "[]", "{}")):
        return True
    if "?" in value and ":" in value.partition("?")[2] and not quoted:
        return True
    if "|" in value and all(_rule_of_a_field(part) for part in value.split("|")):
        return True
    stripped = value.rstrip("!?*") if not any(char.isdigit() for char in value) else value
    pieces = stripped.replace("-", "_").replace(".", "_").replace("/", "_").replace(":", "_").split("_")
    if len(pieces) == 1:
        return _code_word(stripped)
    if any(map(jumbled, _letters(value))) or passphrase(value):
        return False
    return all(_code_word(piece) or piece.isalpha() or piece.isdigit() for piece in pieces)


def _rule_of_a_field(part: str) -> bool:
    """A rule by which a form is checked, as frameworks write them in rows: `required|string|min:8`."""
    name, colon, argument = part.partition(":")
    return name.replace("_", "").isalpha() and (bool(argument) or not colon)


def drawn_letters(value: str) -> bool:
    """Whether a run of letters in it is jumbled and marks part it: `rZOpUh=xnMtOd`."""
    runs = _letters(value)
    return len(runs) > 1 and any(map(jumbled, runs))


def _letters(value: str) -> list[str]:
    return "".join(char if char.isalpha() else " " for char in value).split()


def passphrase(value: str) -> bool:
    """Words and a number, as password managers join them: `harbor-juniper-26-glacier`. Names in code are joined alike,
    so none of the words may be one that code uses, and with underscores the number must stand inside."""
    for mark in "-._":
        pieces = value.split(mark)
        if mark == "-" and (numbered := _parted(pieces[-1])) and len(pieces) > _FEWEST_WORDS:
            pieces[-1:] = numbered  # harbor-juniper-meadow-glacier26
        words = [piece for piece in pieces if piece.isalpha()]
        numbers = [piece for piece in pieces if piece.isdecimal() and len(piece) <= _LONGEST_NUMBER]
        styles = {word.islower() for word in words} if mark == "-" else set()
        fewest = _FEWEST_WORDS - (len(styles) > 1)  # harbor-Maple-88
        if len(numbers) != 1 or len(words) < fewest or len(words) + 1 != len(pieces):
            continue
        if mark == "_" and numbers[0] in (pieces[0], pieces[-1]):
            continue
        return all(3 <= len(word) <= 12 and word.lower() not in CODE_WORDS for word in words)
    return False


def _parted(piece: str) -> tuple[str, str] | None:
    """A word and the number at its end; None where it is no such thing."""
    word = piece.rstrip("0123456789")
    return (word, piece[len(word) :]) if word.isalpha() and word != piece else None


def _code_word(piece: str) -> bool:
    """A word of code, alone, numbered, or joined in camel case: `password2`, `sha256`, `accessToken1`."""
    if not piece:
        return True
    words = camel_words(piece.rstrip("0123456789"))
    return bool(words) and all(word in CODE_WORDS for word in words)


def camel_words(text: str) -> list[str]:
    if not text.isalpha():
        return []
    words = [text[0]]
    for left, right in pairwise(text):
        if right.isupper() and not left.isupper():
            words.append(right)
        else:
            words[-1] += right
    return [word.lower() for word in words]


def dotted(value: str) -> bool:
    """Names joined by dots, dashes or underscores, each with one number at most: `imdsv2_session_token`."""
    pieces = value.replace("-", ".").replace("_", ".").split(".")
    return (
        len(pieces) > 1 and all(_name(piece) for piece in pieces) and not any(map(jumbled, _letters(value)))
    )


def _name(piece: str) -> bool:
    numbers = sum(right.isdigit() and not left.isdigit() for left, right in pairwise(piece))
    return piece[:1].isalpha() and piece.isalnum() and numbers <= 1


def jumbled(piece: str) -> bool:
    """Whether a run of letters is no name, not even an abbreviated one in camel case: `ctgNyb`, `SeMoEn`, `mwONYE`.

    Told by parts in camel case that have no vowel, by two parts of one or two letters, by capitals that follow a small
    letter to the end. Parts that code is fond of say nothing.
    """
    if (
        len(piece) < _JUMBLED
        or not piece.isalpha()
        or not piece.isascii()
        or piece.islower()
        or piece.isupper()
    ):
        return False
    if piece[1:].islower():
        return False
    humps = _humps(piece)
    if len(humps[-1]) > _CAPITALS and humps[-1].isupper() and len(humps) == 2 and len(humps[0]) <= 2:
        return humps[0].lower() not in ABBREVIATIONS
    strange = [hump for hump in humps if hump.lower() not in ABBREVIATIONS]
    if any(len(hump) > 2 and _VOWELS.isdisjoint(hump) for hump in strange):
        return True
    return sum(len(hump) <= 2 for hump in strange) >= 2


def _humps(piece: str) -> list[str]:
    """The parts of a name in camel case; a row of capitals is one part."""
    humps = [piece[0]]
    for left, right in pairwise(piece):
        if right.isupper() and not left.isupper():
            humps.append(right)
        else:
            humps[-1] += right
    return humps
