"""An account sees its own, an operator everybody's."""

from __future__ import annotations

from agent.control.caller import Caller
from agent.control.verbs import Role


def test_an_account_sees_its_own() -> None:
    assert Caller(uid=7, pid=1, name="ann", role=Role.USER).about == "ann"
    assert Caller(uid=0, pid=1, name="root", role=Role.OPERATOR).about is None
