"""Telephone numbers: international ones, those written as a country writes them, and those that a word announces.

Which numbers exist is known by `phonenumbers` (Google's metadata). It is asked only about what has the right shape,
some 20 µs each, and values here are at most some 30 characters long, so that its patterns (`re`) stay cheap.
"""

from __future__ import annotations

import itertools

from phonenumbers import NumberParseException, PhoneNumber, is_possible_number, is_valid_number, parse

from agent.guardrails.identities.numbering import (
    CALLING_CODE,
    FICTIONAL,
    GROUPINGS,
    OPEN_GROUPINGS,
)
from agent.guardrails.identities.surroundings import (
    announces_telephone,
    digits_of,
    invented,
    otherwise_named,
    touches,
)

_SEPARATORS = " .-/()\u00a0\u2011\u2013"
_LONGEST_NATIONAL = 12
_SURELY_LONG = 10


def phone_international(value: str, before: str) -> bool:
    """A number behind `+` or `00`, of a length that its country has; without separators behind `00`, one in use."""
    digits = digits_of(value.replace("(0)", ""))
    plus = value.startswith(("+", "(+"))
    if not plus:
        if otherwise_named(before):
            return False
        digits = digits[2:]
    if not plus and _code_points(_groups(value)):
        return False
    if touches(before, "") or not 8 <= len(digits) <= 15 or len(set(digits)) < 4 or _fictional(digits):
        return False
    if digits[0] == "1":
        return _north_american(digits[1:])
    try:
        number = parse("+" + digits)
    except NumberParseException:
        return False
    compact = value.lstrip("+").isdigit()
    if compact and not plus and not announces_telephone(before):
        return False
    # what stands behind a plus may be a sum; eight or nine digits without a gap must be a number in use
    loose = plus and (not compact or len(digits) >= _SURELY_LONG)
    return is_possible_number(number) if loose else is_valid_number(number)


def phone_us(value: str, before: str) -> bool:
    """A ten-digit number of the North American plan; with dots one that exists, with spaces after a word for it."""
    digits = digits_of(value)
    digits = digits[1:] if len(digits) == 11 else digits
    if not _north_american(digits) or _fictional("1" + digits):
        return False
    if touches(before, "-._/+#") or otherwise_named(before):
        return False
    if value.count("-") >= 2 or "(" in value:
        return True
    if value.count(".") >= 2 and not before.endswith((" + ", " - ", " * ", " / ")):
        return _exists("US", digits)
    return announces_telephone(before)


def _north_american(digits: str) -> bool:
    """NXX NXX XXXX, no N11, not all alike."""
    return (
        len(digits) == 10
        and digits[0] in "23456789"
        and digits[3] in "23456789"
        and digits[1:3] != "11"
        and digits[4:6] != "11"
        and len(set(digits)) >= 4
    )


def phone_grouped(value: str, before: str) -> bool:
    """A number in the groups in which its country writes it, and in use there."""
    if touches(before, "-._/+#:") or otherwise_named(before) or _continues(before):
        return False
    groups = _groups(value)
    shape = " ".join(str(len(group)) for group in groups)
    digits = "".join(groups)
    if len(set(digits)) < 4 or _counted(groups) or _code_points(groups):
        return False
    if digits[0] == "0":
        regions = GROUPINGS.get(shape, "BR GB DE AU IT JP AR" if value[0] == "(" else "")
    else:
        regions = OPEN_GROUPINGS.get(shape, "")
    national = digits.removeprefix("0")
    if any(_fictional(f"{CALLING_CODE[region]}{national}") for region in regions.split()):
        return False
    return any(_exists(region, digits) for region in regions.split())


def _continues(before: str) -> bool:
    """Whether a number stands right before, of which this would be the next group or the thousands."""
    if before[-1:] not in (",", " "):
        return False
    words = before[:-1].rsplit(None, 1)
    return bool(words) and before[-2:-1].isdigit() and words[-1].isdigit()


def _code_points(groups: list[str]) -> bool:
    """Whether the groups are characters of Unicode, told by their numbers: 0399 0308 0301."""
    return len(groups) > 2 and all(len(group) == 4 and group[0] == "0" for group in groups)


def _counted(groups: list[str]) -> bool:
    """Whether the groups are numbers that count: 01 02 03 04 05."""
    numbers = [int(group) for group in groups]
    return len(numbers) > 2 and len({after - now for now, after in itertools.pairwise(numbers)}) == 1


def phone_named(value: str, before: str) -> int:
    """How much of `value`, which stands after a word for telephones, is the number; 0 for none."""
    if otherwise_named(before) or touches(before, ".-_$#+") or ".." in value:
        return 0
    while True:
        digits = digits_of(value)
        if len(digits) < 7:
            return 0
        if len(digits) <= _LONGEST_NATIONAL + (digits[0] == "0"):
            break
        cut = max(value.rfind(separator) for separator in _SEPARATORS)
        if cut <= 0:
            return 0
        value = value[:cut].rstrip(_SEPARATORS)
    groups = _groups(value)
    if _dated(groups, value) or invented(digits) or len(set(digits)) < 3 or _fictional_anywhere(digits):
        return 0
    if len(groups) == 1 and "14" <= digits[:2] <= "19" and len(digits) in (10, 13):
        return 0  # seconds and milliseconds since 1970
    return 0 if _pointed(groups, value) else len(value)


def _pointed(groups: list[str], value: str) -> bool:
    """Whether the points in `value` are those of a decimal, an address of the internet or an object identifier."""
    points = value.count(".")
    if not points or points < len(groups) - 1:
        return False
    return points == 1 or (points == 3 and groups[0][0] != "0") or any(len(group) == 1 for group in groups)


def _dated(groups: list[str], value: str) -> bool:
    """Whether the groups read as a day: 2024-01-15, 15.01.2024."""
    sizes = [len(group) for group in groups[:3]]
    if len(sizes) < 3 or " " in value.strip()[:8]:
        return False
    year = groups[0] if sizes[0] == 4 else groups[2]
    return sizes in ([4, 2, 2], [2, 2, 4], [1, 1, 4], [1, 2, 4], [2, 1, 4]) and year[:2] in ("19", "20")


def _groups(value: str) -> list[str]:
    for separator in _SEPARATORS[1:]:
        value = value.replace(separator, " ")
    return value.split()


def _exists(region: str, digits: str) -> bool:
    """Whether a number, as dialled in `region`, is one that the plan of its country has in use."""
    code = CALLING_CODE[region]
    trunk = digits[0] == "0" and region != "IT"
    national = digits[1:] if trunk or (region == "RU" and digits[0] == "8") else digits
    if not national or (national[0] == "0" and region != "IT") or _fictional(str(code) + national):
        return False
    number = PhoneNumber(
        country_code=code,
        national_number=int(national),
        italian_leading_zero=national[0] == "0" or None,
    )
    return bool(is_valid_number(number))


def _fictional(digits: str) -> bool:
    """Whether a number, with its country code, is kept for films and documentation."""
    if digits[0] == "1":
        return digits[-7:-2] == "55501"
    return digits.startswith(FICTIONAL)


def _fictional_anywhere(digits: str) -> bool:
    """The same for a national number, of which the country is not known."""
    national = digits.removeprefix("0")
    return digits[-7:-2] == "55501" or (
        digits[0] == "0" and any(_fictional(code + national) for code in ("44", "61", "33"))
    )
