"""Telephone numbers, and what only looks like one."""

from __future__ import annotations

import pytest

from agent.guardrails.identities import telephone


@pytest.mark.parametrize(
    ("number", "person"),
    [
        ("+44 20 7946 1958", True),
        ("+44 (0)20 7946 1958", True),
        ("+1 415-867-5309", True),
        ("+49 171 2345678", True),
        ("+33 (0)6 12 34 56 78", True),
        ("0049 30 23456789", True),
        ("00123456789012", False),
        ("+1 115-867-5309", False),
        ("+999 20 7946 0958", False),
        ("+44 20 7946 0958", False),
        ("+1 415 555 0123", False),
        ("+12345", False),
        ("+44 11 1111 1111", False),
    ],
)
def test_numbers_with_a_country(number: str, person: bool) -> None:
    assert telephone.phone_international(number, " ") is person


def test_digits_behind_00_alone_need_a_word() -> None:
    assert telephone.phone_international("00442079461958", "call ")
    assert not telephone.phone_international("00442079461958", "value ")


@pytest.mark.parametrize(
    ("number", "before", "person"),
    [
        ("415-867-5309", "", True),
        ("(415) 867-5309", "", True),
        ("415.867.5309", "", True),
        ("415.867.5309", "x + ", False),
        ("415 867 5309", "", False),
        ("415 867 5309", "call me: ", True),
        ("415-867-5309", "id_", False),
        ("415-555-0123", "", False),
        ("411-867-5309", "", False),
    ],
)
def test_numbers_of_north_america(number: str, before: str, person: bool) -> None:
    assert telephone.phone_us(number, before) is person


@pytest.mark.parametrize(
    ("number", "before", "person"),
    [
        ("020 7946 1958", "", True),
        ("06 12 34 56 78", "", True),
        ("06.12.34.56.78", "", True),
        ("030 23456789", "", True),
        ("0171/2345678", "", True),
        ("090-1234-5678", "", True),
        ("(11) 98765-4321", "", True),
        ("8 (912) 345-67-89", "", True),
        ("138 1234 5678", "", True),
        ("01 02 03 04 05", "", False),
        ("01 02 03 04 05 06", "", False),
        ("02110-1301", "MA ", False),
        ("0532 0130 01", "3704 0044 ", False),
        ("020 7946 0958", "", False),
        ("030 23456789", "order ", False),
        ("2048 4096", "", False),
    ],
)
def test_numbers_in_the_groups_of_their_country(number: str, before: str, person: bool) -> None:
    assert telephone.phone_grouped(number, before) is person


@pytest.mark.parametrize(
    ("number", "before", "length"),
    [
        ("612345678", "Tel: ", 9),
        ("030 23456789 2024", "Tel: ", 12),
        ("2024-01-15", "phone ", 0),
        ("15.01.2024", "phone ", 0),
        ("1700000000", "phone ", 0),
        ("1.3.6.1.4.1.1466", "phone ", 0),
        ("93.184.216.34", "phone ", 0),
        ("3.14159265", "phone ", 0),
        ("1234567", "phone ", 0),
        ("61234567", "phone order ", 0),
        ("5555555", "phone ", 0),
    ],
)
def test_numbers_behind_a_word(number: str, before: str, length: int) -> None:
    assert telephone.phone_named(number, before) == length
