"""Dates of birth: days on which somebody alive may have been born."""

from __future__ import annotations

_MONTHS = (
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    "mär", "mai", "okt", "dez", "fév", "fev", "avr", "jui", "aoû", "déc", "ene", "abr", "ago", "dic",
    "gen", "mag", "giu", "lug", "set", "ott", "out", "maa", "mei", "maj", "kwi", "lut", "sty", "cze", "lip", "sie",
    "wrz", "paź", "lis", "gru", "яну", "янв", "фев", "мар", "апр", "мая", "июн", "июл", "авг", "сен", "окт", "ноя",
    "дек", "heinä", "huhti", "tammi", "helmi", "maalis", "touko", "kesä", "elo", "syys", "loka", "marras", "joulu",
)  # fmt: skip
_OLDEST = 1900
_NEWEST = 2035


def date_of_birth(value: str) -> bool:
    """A day of the twentieth or this century, in any usual order; two-digit years are taken for either."""
    numbers, names = _parts(value)
    if any(mark in value for mark in "年년"):
        return len(numbers) == 3 and _day(numbers[0], numbers[1], numbers[2])
    if names:
        return len(numbers) == 2 and any(name.startswith(_MONTHS) for name in names) and _named(numbers)
    if len(numbers) == 1 and len(numbers[0]) == 8:
        text = numbers[0]
        return _day(text[:4], text[4:6], text[6:]) or _day(text[4:], text[2:4], text[:2])
    if len(numbers) != 3:
        return False
    first, second, third = numbers
    if len(first) == 4:
        return _day(first, second, third)
    return _day(third, second, first) or _day(third, first, second)


def _parts(value: str) -> tuple[list[str], list[str]]:
    """The numbers and the words of `value`, in order."""
    numbers, names = [""], [""]
    for char in value.lower():
        if char.isdecimal():
            numbers[-1] += char
            names.append("")
        elif char.isalpha():
            names[-1] += char
            numbers.append("")
        else:
            numbers.append("")
            names.append("")
    ordinals = ("st", "nd", "rd", "th", "de", "of", "del", "er", "den", "di")
    return [each for each in numbers if each], [each for each in names if each and each not in ordinals]


def _named(numbers: list[str]) -> bool:
    day, year = sorted(numbers, key=len) if len(numbers[0]) != len(numbers[1]) else numbers
    return _day(year, "1", day)


def _day(year: str, month: str, day: str) -> bool:
    if len(year) not in (2, 4) or len(month) > 2 or len(day) > 2:
        return False
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return False
    return len(year) == 2 or _OLDEST <= int(year) <= _NEWEST
