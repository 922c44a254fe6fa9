"""The policy's history says where usage is kept, and never holds a password."""

from __future__ import annotations

import pytest

from agent.errors import PolicyError
from agent.policy.history import DatabaseTls
from tests.fakes.accounts import section


def test_a_history_is_encrypted_unless_told_otherwise() -> None:
    found = section("history: {url: 'postgresql://u@db:5432/usage'}").history
    assert found is not None
    assert (found.tls, found.ca_file, found.password) == (DatabaseTls.VERIFY, None, None)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://u@db/usage", "must be postgresql://"),
        ("postgresql://u@db:5432", "must be postgresql://"),
        ("postgresql:///usage", "must be postgresql://"),
        ("postgresql://u@db:nine/usage", "must be postgresql://"),
        ("postgresql://u:hunter2@db/usage", "must not hold a password"),
        ("postgresql://u@db/usage?sslmode=disable", "said by 'tls'"),
    ],
)
def test_other_urls_are_refused_without_being_repeated(url: str, said: str) -> None:
    with pytest.raises(PolicyError, match=said) as caught:
        section(f"history: {{url: '{url}'}}")
    assert "hunter2" not in str(caught.value)
