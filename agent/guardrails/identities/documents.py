"""Passports and driving licences: no check digits, so that the word before them must say what they are."""

from __future__ import annotations

from agent.guardrails.identities.surroundings import digits_of, invented, otherwise_named

_FEWEST_DIGITS = 5


def document_number(value: str, before: str) -> bool:
    """A number as offices give them: capitals and digits, mostly digits, not counted up nor all alike."""
    digits = digits_of(value)
    return (
        len(digits) >= _FEWEST_DIGITS
        and not invented(digits)
        and not otherwise_named(before)
        and "0000" not in digits
        and not (value.isdigit() and value[:2] in ("19", "20") and len(value) == 8)
    )
