"""What all tests of the engine share: the bundled rules, compiled once."""

from __future__ import annotations

import pytest

from agent.guardrails import Rule, Scanner, bundled_rules


@pytest.fixture(scope="session")
def rules() -> tuple[Rule, ...]:
    return bundled_rules()


@pytest.fixture(scope="session")
def scanner(rules: tuple[Rule, ...]) -> Scanner:
    return Scanner(rules)
