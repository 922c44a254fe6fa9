"""What must hold inside `accounts`."""

from __future__ import annotations

import pytest

from agent.policy.account_checks import account_problems
from agent.policy.source import dotted, read


def problems(text: str) -> list[tuple[str, str]]:
    indented = "\n".join(f"  {line}" for line in text.strip().splitlines())
    return [(dotted(each.location), each.text) for each in account_problems(read(f"accounts:\n{indented}"))]


@pytest.mark.parametrize("section", ["customers", "teams", "users", "virtual_keys"])
def test_ids_are_unique_in_their_section(section: str) -> None:
    [(place, text)] = problems(f"{section}:\n  - {{id: a}}\n  - {{id: b}}\n  - {{id: a}}")
    assert place == f"accounts.{section}[2].id"
    assert "'a' is already the id of the " in text
    assert "on line 3" in text


def test_other_sections_may_use_the_same_id() -> None:
    assert problems("customers: [{id: a}]\nteams: [{id: a}]\nvirtual_keys: [{id: a}]") == []


def test_a_hash_belongs_to_one_key_and_is_not_repeated() -> None:
    [(place, text)] = problems("virtual_keys: [{id: a, hash: 'sha256:aa'}, {id: b, hash: 'sha256:aa'}]")
    assert (place, "sha256" in text) == ("accounts.virtual_keys[1].hash", False)


def test_a_provider_stands_once_in_a_key() -> None:
    text = "virtual_keys: [{id: a, providers: [{provider: o}, {provider: o}]}, {id: b, providers: [{provider: o}]}]"
    assert [place for place, _ in problems(text)] == ["accounts.virtual_keys[0].providers[1].provider"]


def test_two_budgets_of_one_name_are_a_mistake() -> None:
    text = """
customers:
  - id: a
    budgets: [{usd: 1, per: day}, {usd: 2, per: day}, {tokens: 1, per: day}, {name: tokens-day, usd: 1, per: week}]
virtual_keys:
  - id: k
    providers: [{provider: o, budgets: [{name: x, usd: 1, per: day}, {name: x, tokens: 1, per: day}]}]
"""
    assert [place for place, _ in problems(text)] == [
        "accounts.customers[0].budgets[1]",
        "accounts.customers[0].budgets[3]",
        "accounts.virtual_keys[0].providers[0].budgets[1]",
    ]


def test_references_lead_somewhere() -> None:
    text = """
customers: [{id: acme}]
teams: [{id: search, customer: akme}]
virtual_keys: [{id: a, team: serach}, {id: b, customer: nobody}]
bindings: [{key: a}, {key: bb}]
"""
    assert problems(text) == [
        ("accounts.teams[0].customer", "'akme' is no customer of this policy: did you mean 'acme'?"),
        ("accounts.virtual_keys[0].team", "'serach' is no team of this policy: did you mean 'search'?"),
        ("accounts.virtual_keys[1].customer", "'nobody' is no customer of this policy"),
        ("accounts.bindings[1].key", "'bb' is no virtual key of this policy: did you mean 'b'?"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "customers: 1",
        "customers: [1]",
        "teams: [{id: [a], customer: 1}]",
        "virtual_keys: [{id: a, budgets: [{per: 1}]}]",
    ],
)
def test_places_of_another_type_are_left_to_others(text: str) -> None:
    assert problems(text) == []


def test_a_policy_without_accounts_has_no_problems() -> None:
    assert list(account_problems(read("id: a"))) == []
    assert list(account_problems(read("accounts: 1"))) == []
    assert list(account_problems(read("- a"))) == []
