"""The company's own ids."""

from __future__ import annotations

import pytest

from agent.errors import PolicyError
from agent.policy import load


def company(text: str) -> str:
    return f"schema_version: 1\nid: p\ncompany: {text}\n"


def test_ids_are_compared_without_case() -> None:
    found = load(
        company("{domains: [Acme.Example], organisations: [org-AbC], tenants: [AA-1]}"), source="p"
    ).company
    assert (found.domains, found.organisations, found.tenants) == (("acme.example",), ("org-abc",), ("aa-1",))


@pytest.mark.parametrize(
    "text", ["{domains: ['*.acme.example']}", "{domains: [a b]}", "{organisations: ['']}", "{orgs: [x]}"]
)
def test_what_cannot_work_is_refused(text: str) -> None:
    with pytest.raises(PolicyError):
        load(company(text), source="p.yaml")
