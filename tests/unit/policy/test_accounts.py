"""The policy's `accounts`: strict, without keys in it, and what the documentation and the example show loads."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.accounts.book import Book
from agent.accounts.keys import hashed
from agent.errors import PolicyError
from agent.policy import load
from agent.policy.accounts import Accounts, Unpriced
from tests.fakes.accounts import section

ROOT = Path(__file__).parents[3]
HASH = hashed("x")
KEY = "sk-db-" + "x" * 38


def errors(text: str) -> str:
    with pytest.raises(PolicyError) as caught:
        section(text)
    return str(caught.value)


def test_defaults() -> None:
    accounts = Accounts()
    assert (accounts.key_required, accounts.unpriced, accounts.assumed_output_tokens) == (
        False,
        Unpriced.ALLOW,
        4096,
    )
    assert (accounts.store.url, accounts.store.shared) == ("sqlite", False)
    assert load("schema_version: 1\nid: p\n", source="p").accounts is None


@pytest.mark.parametrize(
    ("text", "required"),
    [
        ("virtual_keys: []", False),
        ("virtual_keys: [{id: a}]", False),  # only bindings give it
        (f"virtual_keys: [{{id: a, hash: {HASH}}}]", True),
        (f"require_key: false\nvirtual_keys: [{{id: a, hash: {HASH}}}]", False),
        ("require_key: true", True),
    ],
)
def test_a_key_is_required_where_there_is_one_to_present(text: str, required: bool) -> None:
    assert section(text).key_required is required


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (f"virtual_keys: [{{id: a, hash: {KEY}}}]", "accounts.virtual_keys[0].hash: must be sha256: and 64"),
        ("virtual_keys: [{id: a, hash: 'sha256:ABC'}]", "must be sha256: and 64"),
        (
            "virtual_keys: [{id: a, budget: {usd: 1, per: day}}]",
            "unknown key 'budget': did you mean 'budgets'?",
        ),
        ("virtual_keys: [{id: a, team: t, customer: c}]", "either 'team' or 'customer', not both"),
        ("virtual_keys: [{id: a, expires: 2027-01-01}]", "must say its day, time and offset"),
        ("virtual_keys: [{id: a, expires: soon}]", "must be a moment as RFC 3339 writes it"),
        (
            "virtual_keys: [{id: a, providers: [{provider: o, model: x}]}]",
            "unknown key 'model': did you mean",
        ),
        (
            "virtual_keys: [{id: a, providers: [{provider: o, models: ['re2:(']}]}]",
            "is not a regular expression",
        ),
        (
            "virtual_keys: [{id: a, providers: [{provider: o, fallbacks: ['x/']}]}]",
            "a provider's id, or provider/",
        ),
        ("customers: [{id: a, budgets: [{usd: 1, tokens: 2, per: day}]}]", "either 'usd' or 'tokens'"),
        ("customers: [{id: a, budgets: [{per: day}]}]", "either 'usd' or 'tokens'"),
        ("customers: [{id: a, budgets: [{usd: 1}]}]", "budgets[0].per: this key is required"),
        ("customers: [{id: a, budgets: [{usd: 1, per: decade}]}]", "per: must be one of: minute, hour, day"),
        ("customers: [{id: a, budgets: [{usd: -1, per: day}]}]", "usd: must be greater than or equal to 0"),
        ("customers: [{id: a, budgets: [{usd: 1, per: day, time_zone: UTC}]}]", "is for calendar windows"),
        (
            "customers: [{id: a, budgets: [{usd: 1, per: day, window: calendar, time_zone: Mars/Base}]}]",
            "a time zone that this machine knows",
        ),
        ("customers: [{id: a, limits: {requests_per_second: 1}}]", "unknown key 'requests_per_second'"),
        ("store: {url: 'postgres://x'}", "must be sqlite, or redis://host"),
        ("store: {url: 'redis://u:geheim@x'}", "must not hold a password"),
        ("store: {url: 'redis://x/name'}", "must end with the host, or with the number"),
        ("store: {url: 'redis://x:port'}", "must be sqlite, or redis://host"),
        ("store: {lease_seconds: 10}", "'lease_seconds' is for a redis:// store"),
        ("store: {url: 'redis://x', password: geheim}", "must be a reference"),
        ("bindings: [{users: [a]}]", "bindings[0].key: this key is required"),
    ],
)
def test_mistakes_are_named(text: str, wrong: str) -> None:
    said = errors(text)
    assert wrong in said
    assert KEY not in said
    assert "geheim" not in said


def test_a_budget_has_a_name() -> None:
    text = "customers: [{id: a, budgets: [{usd: 1, per: day}, {tokens: 1, per: day}, {usd: 1, per: day, name: b}]}]"
    assert [each.label for each in section(text).customers[0].budgets] == ["usd-day", "tokens-day", "b"]


def test_a_moment_is_a_moment_in_every_zone() -> None:
    text = "virtual_keys: [{id: a, expires: '2027-01-01T01:00:00+01:00'}, {id: b, expires: '2027-01-01T00:00:00Z'}]"
    first, second = section(text).virtual_keys
    assert first.expires_at == second.expires_at == 1_798_761_600


def test_the_example_compiles() -> None:
    text = (ROOT / "policies/examples/accounts.yaml").read_text(encoding="utf-8")
    accounts = load(text, source="accounts.yaml").accounts
    assert accounts is not None
    book = Book(accounts)
    key = book.keys["search-ci"]
    assert key.denial("openai", "o3-mini") is None
    assert key.denial("openai", "gpt-5-pro") is not None
    assert len(book.meters_of(key, "ann")) == 9


GUIDE = (ROOT / "docs/accounts.md").read_text(encoding="utf-8")
SNIPPETS = [part.partition("```")[0] for part in GUIDE.split("```yaml\n")[1:]]


@pytest.mark.parametrize("snippet", SNIPPETS, ids=range(len(SNIPPETS)))
def test_what_the_guide_shows_loads(snippet: str) -> None:
    accounts = load(f"schema_version: 1\nid: p\n{snippet}", source="docs/accounts.md").accounts
    assert accounts is not None
    assert Book(accounts)
