"""Coordinates of places on earth."""

from __future__ import annotations

_NOWHERE = ((0.0, 0.0), (90.0, 180.0))


def gps_coordinates(value: str) -> bool:
    """A latitude and a longitude in degrees, precise to some hundred metres or better, that lead somewhere."""
    numbers = _decimals(value)
    if len(numbers) == 2:
        latitude, longitude = numbers
        return (
            abs(latitude) <= 90
            and abs(longitude) <= 180
            and (abs(latitude), abs(longitude)) not in _NOWHERE
            and abs(latitude - longitude) > 1e-6
            and max(abs(latitude), abs(longitude)) > 1.5  # fractions of something, not degrees
        )
    return len(numbers) in (4, 6) and _sexagesimal(numbers)


def gps_coordinate(value: str) -> bool:
    """One of both, in a field that is named after it."""
    return all(0 < abs(number) <= 180 for number in _decimals(value) or [0.0])


def _sexagesimal(numbers: list[float]) -> bool:
    half = len(numbers) // 2
    degrees = (abs(numbers[0]) <= 90, abs(numbers[half]) <= 180)
    small = [number for place, number in enumerate(numbers) if place % half]
    return all(degrees) and all(0 <= number < 60 for number in small)


def _decimals(value: str) -> list[float]:
    value = value.replace("%2C", ",").replace("mlon", "")
    text = "".join(char if char.isdecimal() or char in ".+-" else " " for char in value)
    numbers = []
    for part in text.split():
        try:
            numbers.append(float(part))
        except ValueError:
            continue
    return numbers
