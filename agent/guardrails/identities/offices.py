"""Check digits of numbers that states give to persons, where `stdnum` has none. Each takes the bare value."""

from __future__ import annotations

from agent.guardrails.checksums import weighted

_LETTER_VALUES = "ABCDEFGHJKLMNPQRSTUVXYWZIO"


def sg_nric(value: str) -> bool:
    """Singapore: S, T, F, G or M, seven digits, a letter."""
    value = value.upper()
    weight = weighted(value[1:8], (2, 7, 6, 5, 4, 3, 2)) + {"T": 4, "G": 4, "M": 3}.get(value[0], 0)
    if value[0] == "M":
        return value[8] == "KLJNPQRTUWX"[10 - weight % 11]
    return value[8] == ("JZIHGFEDCBA" if value[0] in "ST" else "XWUTRQPNMLK")[weight % 11]


def tw_id(value: str) -> bool:
    """Taiwan: a letter for the place, 1 or 2 (8, 9: residents), eight digits."""
    place = _LETTER_VALUES.find(value[0].upper()) + 10
    return (weighted(f"{place}{value[1:]}", (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1))) % 10 == 0


def hk_id(value: str) -> bool:
    """Hong Kong: one or two letters, six digits, a check character in parentheses."""
    plain = "".join(char for char in value.upper() if char.isalnum())
    letters = plain[:-7].rjust(2)
    codes = [36 if char == " " else ord(char) - 55 for char in letters]
    total = codes[0] * 9 + codes[1] * 8 + weighted(plain[-7:-1], (7, 6, 5, 4, 3, 2))
    return plain[-1] == "0123456789A"[-total % 11]


def kz_iin(digits: str) -> bool:
    """Kazakhstan: date of birth, century and sex, serial, check digit by two rounds of weights."""
    if not _day(digits[2:4], digits[4:6]) or digits[6] not in "0123456":
        return False
    check = weighted(digits, tuple(range(1, 12))) % 11
    if check == 10:
        check = weighted(digits, (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)) % 11
    return digits[11] == str(check)


def ru_snils(digits: str) -> bool:
    """Russia, pension insurance: weighted sum, modulo 101, as two digits."""
    total = weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, 1)) % 101
    return len(digits) == 11 and int(digits[9:]) == total % 100


def hu_tax_id(digits: str) -> bool:
    """Hungary, tax number of a person: begins with 8, sum of digits times places modulo 11."""
    return (
        len(digits) == 10
        and digits[0] == "8"
        and weighted(digits, tuple(range(1, 10))) % 11 == int(digits[9])
    )


def hu_taj(digits: str) -> bool:
    """Hungary, social security: weights 3 and 7 in turn."""
    return len(digits) == 9 and weighted(digits, (3, 7) * 4) % 10 == int(digits[8])


def lv_personal_code(digits: str) -> bool:
    """Latvia: date of birth and a check digit; since 2017 numbers that begin with 32 and mean nothing."""
    if digits[:2] == "32":
        return True
    check = (1101 - weighted(digits, (1, 6, 3, 7, 9, 10, 5, 8, 4, 2))) % 11
    return _day(digits[2:4], digits[:2]) and digits[10] == str(check % 10)


def de_pension_number(value: str) -> bool:
    """Germany, pension insurance: area, date of birth, initial of the name at birth, serial, check digit.

    Source: Verordnung über die Versicherungsnummer (VKVV), section 4.
    """
    initial = ord(value[8].upper()) - 64
    digits = f"{value[:8]}{initial:02}{value[9:]}"
    products = [
        int(char) * weight for char, weight in zip(digits, (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1), strict=False)
    ]
    return _day(value[4:6], str(int(value[2:4]) % 50).zfill(2)) and sum(
        product // 10 + product % 10 for product in products
    ) % 10 == int(value[-1])


def au_medicare(digits: str) -> bool:
    """Australia: eight digits, a check digit, the number of the card's issue."""
    return digits[0] in "23456" and weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9)) % 10 == int(digits[8])


def kr_rrn(digits: str) -> bool:
    """South Korea: date of birth, century and sex, six digits; those given since October 2020 have no check digit."""
    return _day(digits[2:4], digits[4:6]) and digits[6] in "12345678"


def cn_resident_id(value: str) -> bool:
    """China: place, date of birth, serial, check character (ISO 7064 mod 11-2)."""
    value = value.upper()
    if value[6:8] not in ("19", "20") or not _day(value[10:12], value[12:14]) or value[0] not in "12345689":
        return False
    total = weighted(value, (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2))
    return value[17] == "10X98765432"[total % 11]


def eg_national_id(digits: str) -> bool:
    """Egypt: century, date of birth, governorate, serial, a digit whose rule is not published."""
    return digits[0] in "23" and _day(digits[3:5], digits[5:7]) and "01" <= digits[7:9] <= "88"


def _day(month: str, day: str) -> bool:
    return "01" <= month <= "12" and "01" <= day <= "31"
