"""What all sections share."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from agent.policy.section import Scope, Section


class Small(Section):
    """A section of one number."""

    number: int = 1


def test_a_condition_is_compiled_once() -> None:
    scope = Scope(when="size > 3")
    assert scope.condition is scope.condition is not None
    assert scope.condition.holds({"size": 4})
    assert Scope().condition is None


def test_an_unknown_key_a_wrong_type_and_a_change_are_refused() -> None:
    for wrong in ({"nmber": 1}, {"number": "1"}):
        with pytest.raises(ValidationError):
            Small.model_validate(wrong)
    with pytest.raises(ValidationError):
        Small().number = 2


def test_errors_do_not_repeat_the_value() -> None:
    with pytest.raises(ValidationError) as caught:
        Small.model_validate({"number": "very-private"})
    assert "very-private" not in str(caught.value)
