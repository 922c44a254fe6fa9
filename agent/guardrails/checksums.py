"""Check digits: Luhn, ISO 7064 mod 97, and the CRC-32 that some vendors append to their tokens."""

from __future__ import annotations

import zlib

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECKSUM_LENGTH = 6

IBAN_LENGTHS = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 "
    "ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 "
    "LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 "
    "PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 "
    "YE30"
)
"""Country and length of every IBAN, from the SWIFT registry."""


def luhn(digits: str) -> bool:
    """Whether the last digit is the Luhn check digit of the others (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, char in enumerate(reversed(digits)):
        digit = ord(char) - 48
        if place % 2:
            digit *= 2
            if digit > 9:
                digit -= 9
        total += digit
    return total % 10 == 0


def iban_length(country: str) -> int:
    """How many characters an IBAN of that country has; 0 where the country issues none."""
    at = IBAN_LENGTHS.find(country) if len(country) == 2 and country.isalpha() else -1
    return int(IBAN_LENGTHS[at + 2 : at + 4]) if at >= 0 else 0


def mod97(iban: str) -> bool:
    """Whether an IBAN without spaces has the right check digits (ISO 13616)."""
    moved = iban[4:] + iban[:4]
    return int("".join(str(int(char, 36)) for char in moved)) % 97 == 1


def base62_crc32(text: str) -> str:
    """Six base-62 digits of the CRC-32 of `text`, as GitHub and npm append them to a token's random part.

    Source: https://github.blog/2021-04-05-behind-githubs-new-authentication-token-formats/.
    """
    number = zlib.crc32(text.encode("ascii"))
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = _BASE62[rest] + digits
    return digits.rjust(_CHECKSUM_LENGTH, "0")


def checksummed(token: str) -> bool:
    """Whether `prefix_` + random part + checksum belong together."""
    body = token.rpartition("_")[2]
    return body.isascii() and body[-_CHECKSUM_LENGTH:] == base62_crc32(body[:-_CHECKSUM_LENGTH])


def routing_number(digits: str) -> bool:
    """Whether nine digits are an ABA routing transit number: a Federal Reserve range, weights 3, 7 and 1."""
    if len(digits) != 9 or not (
        "00" < digits[:2] <= "12"
        or "21" <= digits[:2] <= "32"
        or "61" <= digits[:2] <= "72"
        or digits[:2] == "80"
    ):
        return False
    return weighted(digits, (3, 7, 1, 3, 7, 1, 3, 7, 1)) % 10 == 0


def weighted(digits: str, weights: tuple[int, ...]) -> int:
    """The sum of digits times weights, as far as both reach."""
    return sum((ord(char) - 48) * weight for char, weight in zip(digits, weights, strict=False))
