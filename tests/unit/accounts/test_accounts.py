"""Accounts as the gateway uses them: who asks, whether they may, and what it takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.accounts.accounts import ANYBODY, FREE, Accounts, Grant, Principal
from agent.accounts.denials import UNAVAILABLE, Denial, Kind, Tier
from agent.accounts.estimate import Measure
from agent.accounts.keys import hashed, new_key
from agent.accounts.local import LocalStore
from agent.accounts.ports import Ask, Spent
from agent.accounts.presented import Presented
from agent.accounts.store import UNREACHABLE
from agent.model.conversation import NO_COUNT, TokenCount
from tests.fakes.accounts import NOW, Prices, section

KEY, OLD, OFF = new_key(), new_key(), new_key()
POLICY = f"""
customers: [{{id: acme, budgets: [{{usd: 0.00001, per: day}}]}}]
teams: [{{id: search, customer: acme, limits: {{tokens_per_day: 20000}}}}]
users: [{{id: all, accounts: ["*"], limits: {{requests_per_hour: 5}}}}]
virtual_keys:
  - id: ci
    hash: {hashed(KEY)}
    team: search
    limits: {{concurrency: 3, max_tokens_per_request: 8000}}
    providers:
      - {{provider: openai, models: ["*"], budgets: [{{tokens: 5000, per: hour}}]}}
      - {{provider: anthropic, deny_models: ["*opus*"]}}
  - {{id: old, hash: {hashed(OLD)}, expires: "2027-01-01T00:00:00Z"}}
  - {{id: off, hash: {hashed(OFF)}, active: false}}
  - {{id: laptops}}
bindings: [{{key: laptops, users: ["a*"]}}]
"""
ASK = Ask(provider="openai", model="gpt", measure=Measure(text_bytes=1000), max_output_tokens=500)
PROMPT = 325 + 8  # tokens that are reserved for a thousand bytes


@pytest.fixture
async def accounts(tmp_path: Path) -> AsyncIterator[Accounts]:
    store = LocalStore(tmp_path / "accounts.db", clock=lambda: NOW)
    accounts = Accounts(section(POLICY), store=store, prices=Prices())
    await accounts.open()
    yield accounts
    await accounts.close()


def who(accounts: Accounts, key: str | None = KEY, user: str = "bob", **more: object) -> Principal | Denial:
    presented = Presented(value=key, place="authorization") if key is not None else None
    return accounts.principal(presented, now=NOW, user=user, **more)  # type: ignore[arg-type]


def principal(accounts: Accounts, key: str | None = KEY, user: str = "bob") -> Principal:
    found = who(accounts, key, user)
    assert isinstance(found, Principal)
    return found


async def granted(accounts: Accounts, ask: Ask = ASK, now: float = NOW) -> Grant:
    answer = await accounts.reserve(principal(accounts), ask, now)
    assert isinstance(answer, Grant)
    return answer


async def denied(accounts: Accounts, ask: Ask = ASK, now: float = NOW) -> Denial:
    answer = await accounts.reserve(principal(accounts), ask, now)
    assert isinstance(answer, Denial)
    return answer


async def used(accounts: Accounts, key: str = "ci") -> dict[str, int]:
    report = await accounts.quota(key, NOW, user="bob")
    assert report is not None
    return {f"{meter.tier}/{meter.name}": reading.used for meter, reading in report.meters}


async def test_a_key_tells_who_asks(accounts: Accounts) -> None:
    found = principal(accounts)
    assert (found.key_id, found.team, found.customer, found.bound) == ("ci", "search", "acme", False)


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        (None, Kind.KEY_REQUIRED),
        (new_key(), Kind.KEY_UNKNOWN),
        (KEY[:-1], Kind.KEY_UNKNOWN),
        (OLD, Kind.KEY_EXPIRED),
        (OFF, Kind.ACCESS_BLOCKED),
    ],
    ids=["none", "unknown", "cut off", "old", "off"],  # keys are random
)
async def test_who_may_not_ask_is_told_why(accounts: Accounts, key: str | None, kind: Kind) -> None:
    denial = who(accounts, key)
    assert isinstance(denial, Denial)
    assert denial.kind is kind


async def test_a_binding_gives_a_key_to_who_brings_none(accounts: Accounts) -> None:
    found = principal(accounts, None, "ann")
    assert (found.key_id, found.bound) == ("laptops", True)
    assert principal(accounts, KEY, "ann").key_id == "ci"


async def test_intercepted_traffic_needs_no_key(accounts: Accounts) -> None:
    found = who(accounts, None, "bob", intercepted=True)
    assert isinstance(found, Principal)
    assert (found.key_id, found.user) == ("", "bob")
    grant = await accounts.reserve(found, ASK, NOW)
    assert isinstance(grant, Grant)
    assert [each.tier for each in grant.hold.claims.meters] == [Tier.USER]  # type: ignore[union-attr]
    await accounts.settle(grant, Spent(tokens=TokenCount(input=5)))


async def test_every_tier_is_reserved_and_settled(accounts: Accounts) -> None:
    grant = await granted(accounts)
    worst = PROMPT + 500
    assert (grant.input_tokens, grant.output_tokens, grant.nano_usd) == (PROMPT, 500, worst)
    assert await used(accounts) == {
        "customer/usd-day": worst,
        "team/tokens_per_day": worst,
        "user/requests_per_hour": 1,
        "key/concurrency": 1,
        "provider/tokens-hour": worst,
    }
    assert await accounts.settle(grant, Spent(tokens=TokenCount(input=300, output=20))) == 320
    assert list((await used(accounts)).values()) == [320, 320, 1, 0, 320]
    report = await accounts.quota("ci", NOW)
    assert report is not None
    assert [(each.model, each.requests, each.input_tokens, each.nano_usd) for each in report.history] == [
        ("openai/gpt", 1, 300, 320)
    ]


async def test_a_release_leaves_nothing_behind(accounts: Accounts) -> None:
    await accounts.release(await granted(accounts))
    assert set((await used(accounts)).values()) == {0}


async def test_the_order_of_the_checks(accounts: Accounts) -> None:
    key = principal(accounts)
    assert accounts.may_use(key, "openai", "gpt") is None
    for provider, model, kind in (
        ("mistral", "m", Kind.PROVIDER_BLOCKED),
        ("anthropic", "claude-opus", Kind.MODEL_BLOCKED),
    ):
        denial = await denied(accounts, replace(ASK, provider=provider, model=model))
        assert denial.kind is kind
    assert (await denied(accounts, replace(ASK, max_output_tokens=9000))).kind is Kind.REQUEST_TOO_LARGE
    large = await denied(accounts, replace(ASK, max_output_tokens=6000))
    assert (large.kind, large.tier, large.owner) == (Kind.BUDGET_EXCEEDED, Tier.PROVIDER, "ci/openai")
    await granted(accounts, replace(ASK, provider="anthropic", max_output_tokens=7000))
    denial = await denied(accounts, replace(ASK, provider="anthropic", max_output_tokens=7000))
    assert (denial.kind, denial.tier, denial.owner, denial.status) == (
        Kind.BUDGET_EXCEEDED,
        Tier.CUSTOMER,
        "acme",
        402,
    )
    free = replace(ASK, provider="anthropic", model="free-m", max_output_tokens=7000)
    await granted(accounts, free)
    denial = await denied(accounts, free)
    assert (denial.kind, denial.tier, denial.name) == (Kind.TOKEN_LIMITED, Tier.TEAM, "tokens_per_day")
    small = replace(free, max_output_tokens=1)
    await granted(accounts, small)
    assert (await denied(accounts, small)).kind is Kind.CONCURRENCY_LIMITED


async def test_requests_are_limited_where_they_were_made_not_where_they_were_refused(
    accounts: Accounts,
) -> None:
    small = replace(ASK, provider="anthropic", max_output_tokens=1)
    for _ in range(5):
        await accounts.settle(await granted(accounts, small), Spent(tokens=NO_COUNT))
    denial = await denied(accounts, small)
    assert (denial.kind, denial.tier, denial.owner) == (Kind.RATE_LIMITED, Tier.USER, "bob")
    assert denial.retry_after == 3660


async def test_where_the_client_sets_no_bound_one_is_assumed_and_told(accounts: Accounts) -> None:
    without = replace(ASK, provider="anthropic", model="free-m", max_output_tokens=None)
    assumed = await granted(accounts, without)
    assert (assumed.output_tokens, assumed.max_output_tokens) == (4096, 4096)
    capped = await granted(accounts, replace(without, answers=3))
    assert capped.output_tokens == 8000 - PROMPT  # the largest request of the key
    assert capped.max_output_tokens == (8000 - PROMPT) // 3


async def test_a_call_moves_to_another_provider(accounts: Accounts) -> None:
    grant = await granted(accounts)
    assert (await used(accounts))["provider/tokens-hour"] == PROMPT + 500
    refused = await accounts.move(grant, replace(ASK, provider="mistral"), NOW)
    assert isinstance(refused, Denial)
    moved = await accounts.move(grant, replace(ASK, provider="anthropic", max_output_tokens=100), NOW)
    assert isinstance(moved, Grant)
    assert list((await used(accounts)).values()) == [PROMPT + 100, PROMPT + 100, 1, 1, 0]
    await accounts.settle(moved, Spent(tokens=TokenCount(input=10, output=2)))
    await accounts.settle(grant, Spent(tokens=TokenCount(input=10, output=2)))
    assert list((await used(accounts)).values()) == [12, 12, 1, 0, 0]


async def test_a_cost_that_is_told_counts_and_one_that_nobody_knows_does_not(accounts: Accounts) -> None:
    spent = TokenCount(input=10, output=2)
    assert await accounts.settle(await granted(accounts), Spent(tokens=spent, nano_usd=99)) == 99
    unknown = replace(ASK, model="unknown-m")
    assert await accounts.settle(await granted(accounts, unknown), Spent(tokens=spent)) is None
    assert (await used(accounts))["customer/usd-day"] == 99
    assert (await used(accounts))["provider/tokens-hour"] == 24
    await accounts.reload(section(f"unpriced: refuse\n{POLICY}"))
    denial = await denied(accounts, unknown)
    assert (denial.kind, denial.name) == (Kind.MODEL_BLOCKED, "unpriced")


async def test_a_prompt_that_may_be_cached_is_reserved_at_the_dearer_price(accounts: Accounts) -> None:
    class Graded(Prices):
        """Like providers that keep prompts for more than reading them costs, or for less (`cheap-…`)."""

        def cost(self, provider: str, model: str, tokens: TokenCount, at: float) -> int | None:
            if model == "cheap-m":
                return (tokens.input or 0) - (tokens.cache_write or 0)
            return (tokens.input or 0) + (tokens.cache_write or 0) + 2 * (tokens.cache_write_1h or 0)

    accounts._prices = Graded()
    for ask, times in (
        (ASK, 2),
        (replace(ASK, cache_hour=True), 4),
        (replace(ASK, model="cheap-m"), 1),
    ):
        grant = await granted(accounts, ask)
        assert grant.nano_usd == times * PROMPT
        await accounts.release(grant)


async def test_estimates_learn_from_what_providers_count(accounts: Accounts) -> None:
    tokens = Spent(tokens=TokenCount(input=500, output=1))
    await accounts.settle(await granted(accounts), replace(tokens, estimated=True))
    assert (await granted(accounts)).input_tokens == PROMPT
    await accounts.settle(await granted(accounts, replace(ASK, max_output_tokens=1)), tokens)
    assert accounts.estimator.prompt("gpt", ASK.measure) >= 500


async def test_another_policy_goes_on_with_what_was_used(accounts: Accounts) -> None:
    grant = await granted(accounts)
    await accounts.reload(section(POLICY.replace("tokens: 5000", "tokens: 500")))
    assert (await denied(accounts)).tier is Tier.PROVIDER
    await accounts.settle(grant, Spent(tokens=TokenCount(input=100, output=0)))
    assert (await used(accounts))["provider/tokens-hour"] == 100
    await accounts.reload(None)
    assert await accounts.reserve(ANYBODY, ASK, NOW) is FREE
    await accounts.reload(section(POLICY))
    assert (await used(accounts))["provider/tokens-hour"] == 100


async def test_fifty_at_once_never_pass_the_budget(accounts: Accounts) -> None:
    key = f"{{id: ci, hash: {hashed(KEY)}, budgets: [{{usd: 0.00002, per: day}}]}}"
    await accounts.reload(section(f"virtual_keys: [{key}]"))
    spent = 0

    async def client() -> None:
        nonlocal spent
        for _ in range(4):
            answer = await accounts.reserve(principal(accounts), ASK, NOW)
            if isinstance(answer, Grant):
                cost = await accounts.settle(answer, Spent(tokens=TokenCount(input=300, output=100)))
                spent += cost or 0

    await asyncio.gather(*(client() for _ in range(50)))
    assert (await used(accounts))["key/usd-day"] == spent <= 20_000
    assert spent > 19_000


async def test_there_is_no_quota_of_what_does_not_exist(accounts: Accounts) -> None:
    assert await accounts.quota("nobody", NOW) is None


async def test_a_store_that_cannot_be_reached_is_a_denial(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unreachable(*_: object, **__: object) -> object:
        return UNREACHABLE

    monkeypatch.setattr(accounts._store, "reserve", unreachable)
    assert await denied(accounts) is UNAVAILABLE


async def test_without_a_section_nothing_is_asked_and_nothing_opened(tmp_path: Path) -> None:
    accounts = Accounts(None, store=LocalStore(tmp_path / "a" / "accounts.db"))
    await accounts.open()
    assert not accounts.active
    assert who(accounts) is ANYBODY
    grant = await accounts.reserve(ANYBODY, ASK, NOW)
    assert grant is FREE
    assert await accounts.settle(FREE, Spent(tokens=NO_COUNT)) is None
    assert FREE.max_output_tokens is None
    await accounts.release(FREE)
    assert await accounts.quota("ci", NOW) is None
    await accounts.close()
    assert list(tmp_path.iterdir()) == []


async def test_users_alone_are_counted_without_any_key(tmp_path: Path) -> None:
    accounts = Accounts(
        section("users: [{id: ann, limits: {requests_per_minute: 1}}]"), store=LocalStore(tmp_path / "a.db")
    )
    await accounts.open()
    assert isinstance(await accounts.reserve(principal(accounts, None, "ann"), ASK, NOW), Grant)
    assert isinstance(await accounts.reserve(principal(accounts, None, "ann"), ASK, NOW), Denial)
    assert await accounts.reserve(principal(accounts, None, "bob"), ASK, NOW) is FREE
    assert principal(accounts, None, "").user == ""
    await accounts.close()
