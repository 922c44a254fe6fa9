"""The book of a policy: whose a key is, what it may use, what a request runs past."""

from __future__ import annotations

import pytest

from agent.accounts.book import EMPTY, Book, Client
from agent.accounts.denials import Kind, Tier
from agent.accounts.keys import hashed
from tests.fakes.accounts import section

BOOK = Book(
    section(f"""
customers:
  - {{id: acme, budgets: [{{usd: 100, per: month}}]}}
teams:
  - {{id: search, customer: acme, limits: {{requests_per_minute: 60, max_tokens_per_request: 9000}}}}
users:
  - {{id: ann, budgets: [{{usd: 1, per: day}}]}}
  - {{id: everybody, accounts: ["*"], budgets: [{{usd: 2, per: day}}]}}
virtual_keys:
  - id: ci
    hash: {hashed("sk-db-ci")}
    team: search
    budgets: [{{tokens: 5, per: day}}]
    providers:
      - {{provider: openai, models: ["gpt-*", "re2:o[0-9](-mini)?"], deny_models: ["gpt-5-PRO*"]}}
      - {{provider: anthropic, models: [], limits: {{concurrency: 1, max_tokens_per_request: 5000}}}}
      - {{provider: gemini}}
    mcp_tools: ["github/*"]
  - {{id: everything, customer: acme}}
  - {{id: nothing, providers: [], mcp_tools: []}}
bindings:
  - {{key: ci, apps: [claude-code], groups: ["eng*"]}}
  - {{key: nothing, devices: ["kiosk-?"], users: [guest]}}
  - {{key: everything, users: ["a*"]}}
""")
)
CI = BOOK.keys["ci"]


@pytest.mark.parametrize(
    ("provider", "model", "kind"),
    [
        ("openai", "gpt-4o", None),
        ("openai", "GPT-4o", None),
        ("openai", "o3", None),
        ("openai", "O3-mini", None),
        ("openai", "xo3", Kind.MODEL_BLOCKED),  # the expression must fit the whole name
        ("openai", "gpt-5-pro-2027", Kind.MODEL_BLOCKED),
        ("openai", "davinci", Kind.MODEL_BLOCKED),
        ("anthropic", "claude", Kind.MODEL_BLOCKED),
        ("gemini", "anything", None),
        ("mistral", "anything", Kind.PROVIDER_BLOCKED),
    ],
)
def test_a_key_may_use_what_its_rows_say(provider: str, model: str, kind: Kind | None) -> None:
    for _ in range(2):  # the second time from memory
        denial = CI.denial(provider, model)
        assert (denial.kind if denial else None) == kind


def test_no_providers_given_is_all_and_an_empty_list_is_none() -> None:
    assert BOOK.keys["everything"].denial("x", "y") is None
    denial = BOOK.keys["nothing"].denial("x", "y")
    assert denial is not None
    assert denial.kind is Kind.PROVIDER_BLOCKED


def test_what_is_remembered_of_models_is_bounded() -> None:
    for number in range(3000):
        CI.denial("openai", f"gpt-{number}")
    assert len(CI._known) <= 1000


def test_tools_go_by_the_same_rules() -> None:
    assert CI.allows_tool("GitHub/create_issue")
    assert not CI.allows_tool("jira/create_issue")
    assert BOOK.keys["everything"].allows_tool("x/y")
    assert not BOOK.keys["nothing"].allows_tool("x/y")


def test_a_request_runs_past_all_tiers_from_the_top() -> None:
    plan = BOOK.plan(CI, "Bob", "anthropic")
    assert [(each.tier, each.owner, each.name) for each in plan.meters] == [
        (Tier.CUSTOMER, "acme", "usd-month"),
        (Tier.TEAM, "search", "requests_per_minute"),
        (Tier.USER, "bob", "usd-day"),
        (Tier.KEY, "ci", "tokens-day"),
        (Tier.PROVIDER, "ci/anthropic", "concurrency"),
    ]
    assert plan.ceiling == 5000
    assert plan.too_large(5000) is None
    assert [(plan.too_large(tokens) or CI).owner for tokens in (5001, 9001)] == ["ci/anthropic", "search"]  # type: ignore[union-attr]
    assert BOOK.plan(CI, "Bob", "anthropic") is plan


def test_the_first_row_of_users_that_fits_counts_and_every_account_for_itself() -> None:
    limits = {name: BOOK.plan(None, name, "x").meters[0] for name in ("ann", "bob", "carl")}
    assert [limits[name].limit // 10**9 for name in ("ann", "bob", "carl")] == [1, 2, 2]
    assert len({each.id for each in limits.values()}) == 3


def test_nobody_in_particular_runs_past_nothing() -> None:
    assert BOOK.plan(None, "", "openai") is EMPTY
    assert EMPTY.ceiling is None


@pytest.mark.parametrize(
    ("client", "key"),
    [
        (Client(app="claude-code", groups=("x", "engineering")), "ci"),
        (Client(app="claude-code", user="ann"), "everything"),
        (Client(device="KIOSK-1", user="guest"), "nothing"),
        (Client(device="kiosk-10", user="guest"), None),
        (Client(), None),
    ],
)
def test_the_first_binding_that_fits_gives_a_key(client: Client, key: str | None) -> None:
    found = BOOK.bound(client)
    assert (found.row.id if found else None) == key


def test_keys_are_found_by_their_hashes_only() -> None:
    assert BOOK.by_hash(hashed("sk-db-ci")) is CI
    assert BOOK.by_hash("sk-db-ci") is None


def test_a_binding_is_about_the_account_or_the_name_of_the_sign_in() -> None:
    found = BOOK.bound(Client(user="x", name="ada@example.com"))
    assert found is not None
    assert found.row.id == "everything"
    assert BOOK.bound(Client(user="x", name="")) is None


def test_use_is_counted_by_the_name_where_a_row_is_about_it() -> None:
    named = Book(section('users: [{id: staff, accounts: ["*@example.com"], budgets: [{usd: 1, per: day}]}]'))
    assert named.person(Client(user="ada", name="ada@example.com")) == "ada@example.com"
    assert named.person(Client(user="ada", name="ada@other.example")) == "ada"
    assert named.person(Client(user="ada")) == "ada"
    [meter] = named.plan(None, "ada@example.com", "openai").meters
    assert "ada@example.com" in str(meter)
