"""Tiers: what looks simple, and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.routing.complexity import Complexity, Looks, complexity


@pytest.mark.parametrize(
    ("looks", "tier"),
    [
        (Looks(newest="What is the capital of Chad?"), Complexity.SIMPLE),
        (Looks(newest="Translate to German: good morning", tokens=300, tools=2), Complexity.SIMPLE),
        (Looks(newest="Compare these two offers. " * 20, tokens=600), Complexity.MEDIUM),
        (Looks(newest="Fix this:\n```python\ndef f(): ...\n```", tools=3), Complexity.MEDIUM),
        (Looks(newest="go on", tokens=60_000, turns=30, tools=20), Complexity.COMPLEX),
        (
            Looks(newest="Prove that it ends, analyse the cost, and design a test", reasoning=True, tools=1),
            Complexity.COMPLEX,
        ),
        (Looks(newest="x" * 9000, tokens=130_000), Complexity.COMPLEX),
    ],
)
def test_a_request_has_a_tier(looks: Looks, tier: Complexity) -> None:
    assert complexity(looks) is tier


@given(st.text(max_size=3000), st.integers(0, 10**6), st.integers(0, 100), st.integers(0, 100))
def test_more_of_anything_never_looks_simpler(text: str, tokens: int, turns: int, tools: int) -> None:
    order = list(Complexity)
    less = complexity(Looks(newest=text, tokens=tokens, turns=turns, tools=tools))
    more = complexity(Looks(newest=text, tokens=tokens * 2, turns=turns + 9, tools=tools + 9, reasoning=True))
    assert order.index(more) >= order.index(less)
