"""Dates of birth."""

from __future__ import annotations

import pytest

from agent.guardrails.identities import dates


@pytest.mark.parametrize(
    ("date", "birth"),
    [
        ("1985-03-12", True),
        ("12/03/1985", True),
        ("03/25/1985", True),
        ("12.3.85", True),
        ("19850312", True),
        ("12 March 1985", True),
        ("March 12th, 1985", True),
        ("12 de marzo de 1985", True),
        ("12. März 1985", True),
        ("1985年3月12日", True),
        ("1985년 3월 12일", True),
        ("1885-03-12", False),
        ("1985-13-32", False),
        ("12 Monkeys 1985", False),
        ("99999999", False),
    ],
)
def test_days_of_birth(date: str, birth: bool) -> None:
    assert dates.date_of_birth(date) is birth
