"""Who knows no prices says so."""

from __future__ import annotations

from agent.accounts.ports import NoPrices
from agent.model.conversation import NO_COUNT


def test_no_prices_are_no_prices() -> None:
    assert NoPrices().cost("p", "m", NO_COUNT, 0.0) is None
