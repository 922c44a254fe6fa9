"""What looks like a secret is found like one, and is another one every time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agent.cli.demo import specimens
from agent.guardrails import Scanner, bundled_rules


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    wanted = {"openai_api_key", "github_token", "payment_card"}
    return Scanner(tuple(rule for rule in bundled_rules() if rule.type in wanted))


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (specimens.model_key, "openai_api_key"),
        (specimens.repository_token, "github_token"),
        (specimens.card_number, "payment_card"),
    ],
)
def test_the_detectors_find_it_whole(scanner: Scanner, make: Callable[[], str], kind: str) -> None:
    for _ in range(100):
        value = make()
        assert [(found.type, found.start, found.end) for found in scanner.scan(f"it is {value}.")] == [
            (kind, 6, 6 + len(value))
        ]


@pytest.mark.parametrize("make", [specimens.model_key, specimens.repository_token, specimens.card_number])
def test_no_two_are_alike(make: Callable[[], str]) -> None:
    assert len({make() for _ in range(50)}) == 50
