"""Payment cards, accounts and banks."""

from __future__ import annotations

from stdnum import bic as bic_registry

from agent.guardrails.checksums import iban_length, luhn, mod97, routing_number
from agent.guardrails.identities.surroundings import digits_of, invented, last_word, otherwise_named, touches
from agent.guardrails.vocabulary import TEST_CARDS

_BANK_WORDS = ("routing", "sort code", "bank", "checking", "savings", "swift", "bic", "wire", "blz", "aba ")
_TABLE_SPREAD = 60
_SHORT_ACCOUNT = 6  # digits: numbers of so few are ids far more often
# Countries in whose IBANs all behind the country code is digits (SWIFT IBAN registry)
_IBANS_OF_DIGITS = frozenset(
    """
    AE AT BA BE CR CZ DE DK EE EG ES FI FO GL HR HU IL IS LT LY ME MN MR NO PL PT RS SD SE SI SK SO TL TN VA XK
    """.split()  # noqa: SIM905  a list of codes reads better as one
)
_CARD_WORDS = ("card", "visa", "credit", "debit", "karte", "carte", "carta", "tarjeta", "cartão", "kort")
_CARD_NAMES = frozenset(("cc", "ccn", "pan"))


def payment_card(value: str, before: str) -> bool:
    """A card number: Luhn, an issuer's range and its length, no well-known test number."""
    digits = digits_of(value)
    if (
        len(digits) < 13
        or touches(before, ".-/_+%#$")
        or not luhn(digits)
        or digits in TEST_CARDS
        or "00000000" in digits
        or len(set(digits)) < 4
        or otherwise_named(before)
        or (len(digits) == len(value) and last_word(before) == "id")
    ):
        return False
    if " " in value and _in_table(value, before):
        return False
    if len(digits) == 13:  # an old form, and what bar codes have
        return digits[0] == "4" and any(word in before.lower() for word in _CARD_WORDS)
    return _issued(digits) or (
        _issued_locally(digits)
        and (
            not _CARD_NAMES.isdisjoint(before.lower().replace(":", " ").split()[-3:])
            or any(word in before.lower() for word in _CARD_WORDS)
        )
    )


def _in_table(value: str, before: str) -> bool:
    """Whether groups of four are numbers of a table: others stand before, or each is a little more than the last."""
    last = before.rstrip(" ")[-4:]
    if before.endswith(" ") and len(last) == 4 and any(char.isdigit() for char in last):
        return all(char in "0123456789ABCDEF" for char in last)
    groups = [int(group) for group in value.split()]
    return max(groups) - min(groups) < _TABLE_SPREAD


def _issued(digits: str) -> bool:
    """ISO/IEC 7812 issuer ranges of the large networks."""
    length, two, four = len(digits), int(digits[:2]), int(digits[:4])
    if digits[0] == "4":
        return length in (16, 19)
    if 51 <= two <= 55 or 2221 <= four <= 2720:
        return length == 16
    if two in (34, 37) or four in (1800, 2131):
        return length == 15
    if two in (36, 38, 39) or 3000 <= four <= 3059:
        return length == 14 or (two == 36 and length == 16)
    return (two in (35, 62, 64, 65) or four == 6011) and 16 <= length <= 19


def _issued_locally(digits: str) -> bool:
    """Ranges of Maestro, RuPay, Elo, Troy, Mir and others: so many that a word for cards must stand before."""
    return (
        digits[:2] in ("50", "56", "57", "58", "60", "63", "67", "81", "82", "97", "22") and len(digits) >= 16
    )


def iban(value: str) -> int:
    """The length of the IBAN that `value` starts with, its separators included; 0 where it is none."""
    country = value[:2].upper()
    wanted = iban_length(country)
    if not wanted or not value.isascii() or value[:2] not in (country, country.lower()):
        return 0
    seen = 0
    for place, char in enumerate(value):
        seen += char not in " -"
        if seen == wanted:
            compact = value[: place + 1].replace(" ", "").replace("-", "").upper()
            following = value[place + 1 : place + 2]
            right = compact.isalnum() and not following.isalnum() and mod97(compact)
            right = right and (country not in _IBANS_OF_DIGITS or compact[2:].isdigit())
            return place + 1 if right and not invented(compact[4:]) else 0
    return 0


def bic(value: str) -> bool:
    """A business identifier code (ISO 9362): a bank, a country that exists, a place."""
    return bic_registry.is_valid(value) and value[4:6].isalpha()


def us_routing_number(value: str) -> bool:
    """A routing transit number of the American Bankers Association, with its check digit."""
    return routing_number(digits_of(value)) and not invented(value)


def bank_account(value: str, before: str) -> bool:
    """An account number of some bank: digits that nothing else explains."""
    digits = digits_of(value)
    if len(digits) == _SHORT_ACCOUNT and not any(word in before.lower() for word in _BANK_WORDS):
        return False
    return _SHORT_ACCOUNT <= len(digits) <= 17 and not invented(digits) and not otherwise_named(before)


def bank_account_in_context(value: str, before: str) -> bool:
    """The same behind "account" alone, where a word of banks stands before that."""
    words = before.lower()
    return any(word in words for word in _BANK_WORDS) and bank_account(value, before)
