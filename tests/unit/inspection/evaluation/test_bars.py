"""Bars: floors, ceilings, and what could not be measured."""

from __future__ import annotations

import pytest

from agent.errors import ConfigError
from agent.inspection.evaluation import Gold, Kind, Report, Row, Scoring, parse_bar
from agent.model.findings import Family, Finding


@pytest.fixture
def report() -> Report:
    """Secrets: recall 1/2, one of one hard negatives alarmed."""
    scoring = Scoring(Family)
    finding = Finding(start=0, end=2, family=Family.SECRET, type="key", rule="r")
    gold = (Gold(start=0, end=2, family=Family.SECRET, type="key"),)
    rows = ((gold, Kind.POSITIVE, [finding]), (gold, Kind.POSITIVE, []), ((), Kind.HARD_NEGATIVE, [finding]))
    for spans, kind, findings in rows:
        scoring.add(Row(id="r", text="abcd", kind=kind, family=Family.SECRET, gold=spans), findings)
    return scoring.report()


@pytest.mark.parametrize(
    ("text", "reached"),
    [
        ("secret.recall=0.5", True),
        ("secret.recall=0.51", False),
        ("secret.false_alarms=1", True),
        ("secret.false_alarms=0.99", False),
        ("secret.benign=0", False),  # there were no benign rows
        ("pii.f1=0", False),  # nor any about personal data
    ],
)
def test_a_bar_is_reached_or_not(report: Report, text: str, *, reached: bool) -> None:
    assert parse_bar(text).reached(report) is reached


@pytest.mark.parametrize(
    "text",
    [
        "",
        "secret",
        "secret.f1",
        "secret.f1=much",
        "secret.odd=1",
        "odd.f1=1",
        "secret.f1=-1",
        "secret.f1=nan",
    ],
)
def test_what_is_no_bar_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="not a bar") as caught:
        parse_bar(text)
    assert "FAMILY.METRIC=NUMBER" in caught.value.hint()
