"""Passports and driving licences: no check digits, so that the word before them must say what they are."""

from __future__ import annotations

from agent.guardrails.identities.surroundings import digits_of, otherwise_named

_FEWEST_DIGITS = 5
_LENGTH_OF_MIXED = 9


def document_number(value: str, before: str) -> bool:
    """A number as offices give them: capitals and digits, mostly digits, not all alike, no date.

    Nine signs that begin with a letter may have more letters: German, Dutch and other passports.
    """
    digits = digits_of(value)
    fewest = 2 if len(value) == _LENGTH_OF_MIXED and value[0].isupper() else _FEWEST_DIGITS
    return (
        len(digits) >= fewest
        and len(set(value)) > 2
        and not otherwise_named(before)
        and "0000" not in digits
        and not (value.isdigit() and value[:2] in ("19", "20") and len(value) == 8)
    )
