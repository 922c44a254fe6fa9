"""What every section of a policy has in common."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from agent.policy.section import Section


class Sample(Section):
    count: int = 1


def test_a_section_never_changes() -> None:
    with pytest.raises(ValidationError):
        Sample().count = 2  # type: ignore[misc]


@pytest.mark.parametrize("text", ['{"cuont": 1}', '{"count": "1"}', '{"count": true}'])
def test_unknown_keys_and_other_types_are_errors_that_repeat_no_value(text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Sample.model_validate_json(text.replace('"1"', '"private"'))
    assert "private" not in str(caught.value)
