"""Effort and budget."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.model.conversation import Effort, Reasoning
from agent.translation.reasoning import budget_of, effort_of, effort_wanted, fitting, is_off


@given(st.sampled_from(Effort), st.integers(0, 200_000))
def test_a_budget_is_always_less_than_the_limit(effort: Effort, max_tokens: int) -> None:
    budget = budget_of(effort, max_tokens)
    assert budget == 0 or 1024 <= budget < max_tokens


@given(st.integers(1, 200_000), st.integers(0, 200_000))
def test_a_budget_is_made_to_fit_below_the_limit(budget: int, max_tokens: int) -> None:
    fit = fitting(budget, max_tokens)
    assert fit == 0 or fit < max_tokens
    assert fit == budget or budget >= max_tokens


@pytest.mark.parametrize("effort", Effort)
def test_an_effort_survives_the_way_through_a_budget(effort: Effort) -> None:
    assert effort_of(budget_of(effort, 128_000)) is effort


def test_more_effort_is_a_larger_budget() -> None:
    budgets = [budget_of(effort, 128_000) for effort in Effort]
    assert budgets == sorted(budgets)
    assert len(set(budgets)) == len(budgets)


@pytest.mark.parametrize(
    ("budget", "effort"),
    [
        (-1, Effort.MEDIUM),
        (0, Effort.NONE),
        (1, Effort.MINIMAL),
        (4_000, Effort.LOW),
        (10_000, Effort.MEDIUM),
        (16_000, Effort.HIGH),
        (31_999, Effort.XHIGH),
        (500_000, Effort.XHIGH),
    ],
)
def test_a_budget_reads_as_the_least_effort_that_holds_it(budget: int, effort: Effort) -> None:
    assert effort_of(budget) is effort


@pytest.mark.parametrize(
    ("reasoning", "off", "wanted"),
    [
        (Reasoning(effort=Effort.NONE), True, Effort.NONE),
        (Reasoning(budget_tokens=0), True, Effort.NONE),
        (Reasoning(budget_tokens=-1), False, None),
        (Reasoning(), False, None),
        (Reasoning(effort=Effort.LOW, budget_tokens=30_000), False, Effort.LOW),
        (Reasoning(budget_tokens=4_000), False, Effort.LOW),
    ],
)
def test_what_a_client_wants(reasoning: Reasoning, off: bool, wanted: Effort | None) -> None:
    assert is_off(reasoning) is off
    assert effort_wanted(reasoning) is wanted
