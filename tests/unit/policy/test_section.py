"""What all sections share."""

from __future__ import annotations

import pydantic
import pytest

from agent.policy.section import Scope


def test_a_section_never_changes() -> None:
    with pytest.raises(pydantic.ValidationError):
        Scope().hosts = ("a.example",)  # type: ignore[misc]


def test_a_condition_is_compiled_once() -> None:
    scope = Scope(when="size > 3")
    assert scope.condition is scope.condition is not None
    assert scope.condition.holds({"size": 4})
    assert Scope().condition is None
