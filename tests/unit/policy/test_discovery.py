"""What a policy may say of looking for AI software."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from agent.model.inventory import Source
from agent.policy.discovery import Discovery, SoftwareRow


def test_a_row_becomes_one_of_the_catalogs() -> None:
    row = SoftwareRow(id="acme", commands=("Acme-*",), vscode=("acme.agent",)).software()
    assert (row.id, row.name) == ("acme", "acme")
    assert row.names == {Source.COMMANDS: ("acme-*",), Source.VSCODE: ("acme.agent",)}


@pytest.mark.parametrize("names", [{}, {"commands": ("*",)}, {"commands": ("a#",)}, {"cargo": ("a",)}])
def test_a_row_must_be_found_by_something(names: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(ValidationError):
        SoftwareRow(id="acme", **names)  # type: ignore[arg-type]


def test_by_itself_it_looks_once_a_day() -> None:
    assert (Discovery().enabled, Discovery().every_hours, Discovery().unknown_hosts) == (True, 24, True)
    with pytest.raises(ValidationError):
        Discovery(every_hours=0)
