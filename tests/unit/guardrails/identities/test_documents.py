"""Papers without check digits."""

from __future__ import annotations

import pytest

from agent.guardrails.identities.documents import document_number


@pytest.mark.parametrize(
    ("value", "before", "paper"),
    [
        ("C01X70T47", "Reisepass ", True),
        ("531456789", "passport ", True),
        ("CKLMNPRT9", "passport ", False),
        ("AB7352914", "passport ", True),
        ("111111111", "passport ", False),
        ("20240115", "license ", False),
        ("735291423", "passport order ", False),
    ],
)
def test_numbers_of_papers(value: str, before: str, paper: bool) -> None:
    assert document_number(value, before) is paper
