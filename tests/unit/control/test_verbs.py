"""The table of verbs: a contract with scripts, and the line between looking and changing."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from agent.control.verbs import VERBS, EventWish, PauseOrder, Role

TABLE = {
    "status": ("GET", Role.USER),
    "health": ("GET", Role.USER),
    "me": ("GET", Role.USER),
    "policy": ("GET", Role.USER),
    "live": ("GET", Role.USER),
    "events": ("GET", Role.USER),
    "inventory": ("GET", Role.USER),
    "service": ("GET", Role.USER),
    "diag": ("GET", Role.OPERATOR),
    "dashboard": ("POST", Role.USER),
    "pause": ("POST", Role.OPERATOR),
    "resume": ("POST", Role.OPERATOR),
}


def test_the_verbs_are_those_that_scripts_know() -> None:
    assert {verb.name: (verb.method, verb.role) for verb in VERBS} == TABLE


def test_what_changes_the_guard_is_for_operators() -> None:
    """The dashboard's address changes nothing but who may look, and shows its owner no more than he may see."""
    assert [verb.name for verb in VERBS if verb.unsafe and verb.role < Role.OPERATOR] == ["dashboard"]


@pytest.mark.parametrize("given", [{}, {"minutes": 0}, {"minutes": 1441}, {"minutes": 5, "x": 1}])
def test_an_order_is_checked(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PauseOrder.model_validate(given)


def test_a_query_is_text() -> None:
    assert EventWish.model_validate({"after": "7", "limit": "3"}) == EventWish(after=7, limit=3)
