"""Block messages."""

from __future__ import annotations

import pytest

from agent.policy import message


def test_the_three_fields_are_filled_in_and_nothing_else_is_read() -> None:
    template = message.check_template("{{x}} {reason} by {rule}, ref {ref}")
    assert message.render(template, reason="{ref}", rule="r", ref="42") == "{x} {ref} by r, ref 42"


@pytest.mark.parametrize(
    "template", ["{}", "{0}", "{ref.__class__}", "{ref[0]}", "{ref!r}", "{ref:>5}", "{", "}", "{x}"]
)
def test_other_fields_and_formats_are_refused(template: str) -> None:
    with pytest.raises(ValueError, match="brace"):
        message.check_template(template)


def test_the_default_can_be_rendered() -> None:
    assert "because" in message.render(
        message.check_template(message.DEFAULT), reason="because", rule="", ref=""
    )
