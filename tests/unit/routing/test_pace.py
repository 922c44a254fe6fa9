"""Paces: compared with what was usual, and with the best."""

from __future__ import annotations

import pytest

from agent.routing.pace import Pace


def paced(*values: float) -> Pace:
    pace = Pace()
    for value in values:
        pace.note(value)
    return pace


def test_nothing_known_is_no_reproach() -> None:
    assert not Pace().known
    assert Pace().lag(10.0) == Pace().loss(10.0) == 1.0


def test_the_first_values_are_averaged() -> None:
    assert paced(10.0, 20.0).value == 15.0


def test_who_is_slower_than_the_best_lags() -> None:
    assert paced(200.0).lag(100.0) == 0.5
    assert paced(100.0).lag(100.0) == 1.0
    assert paced(10_000.0).lag(100.0) == 0.25
    assert paced(30.0).loss(40.0) == 0.75


def test_who_is_slower_than_usual_lags() -> None:
    slowed = paced(*[100.0] * 50, *[400.0] * 10)
    assert slowed.lag(0.0) == pytest.approx(0.5, abs=0.1)
    assert paced(*[100.0] * 50, *[10.0] * 10).loss(0.0) == pytest.approx(0.5, abs=0.1)
    assert paced(*[100.0] * 50, *[10.0] * 10).lag(0.0) == 1.0
