"""The table of verbs: a contract with scripts, and the line between looking and changing."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from agent.control.verbs import VERBS, EventWish, PauseOrder, Role, SignInBegin, SignInToken, SignOutOrder

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
    "begin-sign-in": ("POST", Role.USER),
    "sign-in": ("POST", Role.USER),
    "sign-out": ("POST", Role.USER),
    "pause": ("POST", Role.OPERATOR),
    "resume": ("POST", Role.OPERATOR),
}


def test_the_verbs_are_those_that_scripts_know() -> None:
    assert {verb.name: (verb.method, verb.role) for verb in VERBS} == TABLE


def test_what_changes_the_guard_is_for_operators() -> None:
    """The dashboard's address changes nothing but who may look, and shows its owner no more than he may see. Signing in
    and out is about the account that asks, and the provider says as whom."""
    ordinary = [verb.name for verb in VERBS if verb.unsafe and verb.role < Role.OPERATOR]
    assert ordinary == ["dashboard", "begin-sign-in", "sign-in", "sign-out"]


def test_a_token_is_bounded_and_not_shown() -> None:
    for given in ({}, {"id_token": ""}, {"id_token": "x" * 40_000}, {"id_token": "x", "user": "root"}):
        with pytest.raises(ValidationError):
            SignInToken.model_validate(given)
    assert "secret" not in repr(SignInToken(id_token="secret"))
    with pytest.raises(ValidationError) as raised:
        SignInToken.model_validate({"id_token": "secret" * 9999})
    assert "secret" not in str(raised.value)


def test_nobody_says_for_whom_he_signs_in() -> None:
    for arguments in (SignInBegin, SignInToken, SignOutOrder):
        with pytest.raises(ValidationError):
            arguments.model_validate({"id_token": "x", "account": "root"})


@pytest.mark.parametrize("given", [{}, {"minutes": 0}, {"minutes": 1441}, {"minutes": 5, "x": 1}])
def test_an_order_is_checked(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PauseOrder.model_validate(given)


def test_a_query_is_text() -> None:
    assert EventWish.model_validate({"after": "7", "limit": "3"}) == EventWish(after=7, limit=3)
