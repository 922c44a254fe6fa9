"""Things that look like secrets and are none: made at random for one run, valid nowhere, written down nowhere."""

from __future__ import annotations

import secrets
import string

from agent.guardrails.checksums import base62_crc32

_LETTERS = string.ascii_letters + string.digits
_CARD_DIGITS = 16


def model_key() -> str:
    """A key of the form that OpenAI gives out."""
    return "sk-" + "proj-" + _varied(_LETTERS, 48)


def repository_token() -> str:
    """A token of the form that GitHub gives out, its checksum included."""
    random = _varied(_LETTERS, 30)
    return "gh" + "p_" + random + base62_crc32(random)


def card_number() -> str:
    """A card number, grouped by fours: an issuer's range, the right check digit (ISO/IEC 7812-1), no account."""
    digits = "4" + "".join(secrets.choice("123456789") for _ in range(_CARD_DIGITS - 2))
    digits += str(-_luhn_sum(digits + "0") % 10)
    return " ".join(digits[start : start + 4] for start in range(0, _CARD_DIGITS, 4))


def _luhn_sum(digits: str) -> int:
    doubled = (int(digit) * (2 - place % 2) for place, digit in enumerate(digits))
    return sum(value - 9 if value > 9 else value for value in doubled)


def _varied(alphabet: str, length: int) -> str:
    """Random text in which no character comes twice on end: detectors rightly take monotony for a placeholder."""
    text = secrets.choice(alphabet)
    while len(text) < length:
        text += secrets.choice(alphabet.replace(text[-1], ""))
    return text
