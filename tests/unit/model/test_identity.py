"""Who a person is to the company."""

from __future__ import annotations

from agent.model.identity import NO_IDENTITY, Identity


def test_only_a_subject_makes_somebody() -> None:
    assert not NO_IDENTITY.known
    assert not Identity(name="ada@example.com").known
    assert Identity(subject="1").known
