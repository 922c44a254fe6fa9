"""Costs and windows, with genai-prices itself as the oracle for what its data means."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import cache

import pytest

from agent.catalog.price_rows import PricedModel, read_model
from agent.catalog.prices import Override, PriceTable, Sections, bundled_sections
from agent.model.conversation import TokenCount

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)


@cache
def sections() -> Sections:
    return bundled_sections()


def bundled(*overrides: Override) -> PriceTable:
    return PriceTable(sections(), providers={name: name for name in sections()}, overrides=overrides)


def table(*lines: str, others: tuple[str, ...] = ()) -> PriceTable:
    return PriceTable({"s": (others, list(lines))}, providers={"p": "s"})


def usd(amount: str) -> int:
    return int(Decimal(amount) * 10**9)


def test_fresh_cached_written_and_thought_tokens_have_their_own_prices() -> None:
    prices = table("m\t200000\t3/15/0.3/3.75/6/20")
    tokens = TokenCount(
        input=1_000_000,
        output=100_000,
        cache_read=500_000,
        cache_write=300_000,
        cache_write_1h=100_000,
        reasoning=40_000,
    )
    expected = usd("0.6") + usd("0.15") + usd("0.75") + usd("0.6") + usd("0.9") + usd("0.8")
    assert prices.cost("p", "m", tokens, 0) == expected


def test_what_has_no_price_of_its_own_costs_what_its_neighbour_does() -> None:
    tokens = TokenCount(input=100, output=10, cache_read=50, cache_write=20, cache_write_1h=20, reasoning=5)
    assert table("m\t\t1/2").cost("p", "m", tokens, 0) == 100 * 1000 + 10 * 2000


def test_a_long_prompt_changes_the_price_of_all_of_it() -> None:
    prices = table("m\t\t1/2 >200 2/4")
    assert prices.cost("p", "m", TokenCount(input=200, output=1), 0) == 200 * 1000 + 2000
    assert prices.cost("p", "m", TokenCount(input=201, output=1), 0) == 201 * 2000 + 4000


def test_prices_change_at_a_date_and_by_the_hour() -> None:
    prices = table("m\t\t1/1;@1970-01-03 2/2;@22:00-02:00 3/3")
    one = TokenCount(input=1)
    day, hour = 86_400, 3600
    assert [prices.cost("p", "m", one, at) for at in (5 * hour, 2 * day + 5 * hour)] == [1000, 2000]
    assert [prices.cost("p", "m", one, at) for at in (22 * hour, day + hour, 2 * hour)] == [3000, 3000, 1000]


def test_a_request_may_cost_beside_its_tokens() -> None:
    assert table("m\t\t1/1/////5").cost("p", "m", TokenCount(input=1), 0) == 1000 + usd("0.005")


def test_parts_of_nano_dollars_are_rounded_once() -> None:
    assert table("m\t\t0.0375/0").cost("p", "m", TokenCount(input=3), 0) == 113  # 112.5


def test_what_nobody_knows_costs_none_and_what_is_free_costs_nothing() -> None:
    prices = table("m\t1000", "free\t\t0/0")
    one = TokenCount(input=1)
    assert prices.cost("p", "m", one, 0) is None
    assert prices.cost("p", "other", one, 0) is None
    assert prices.cost("q", "m", one, 0) is None
    assert prices.cost("p", "free", one, 0) == 0
    assert prices.cost("p", "free", TokenCount(), 0) is None
    assert (prices.window("p", "m"), prices.window("p", "other")) == (1000, None)


def test_counts_that_make_no_sense_cost_no_more_than_all_tokens() -> None:
    tokens = TokenCount(
        input=10, output=1, cache_read=100, cache_write=100, cache_write_1h=100, reasoning=100
    )
    assert table("m\t\t2/2/1").cost("p", "m", tokens, 0) == 10 * 1000 + 2000


def test_the_first_model_in_order_that_fits_is_meant() -> None:
    prices = table("a\t1\t\tx-* a", "b\t2\t\tx-1 b", "c\t3\t\ty c", "d\t4\t\ty* d")
    assert [prices.window("p", name) for name in ("x-1", "X-2", "y", "y2", "B", "z")] == [1, 1, 3, 4, 2, None]


def test_a_provider_may_serve_the_models_of_another() -> None:
    prices = PriceTable(
        {"cloud": (("maker",), ["own\t1"]), "maker": (("third",), ["m\t2"]), "third": ((), ["t\t3"])},
        providers={"p": "cloud"},
    )
    assert [prices.window("p", name) for name in ("own", "m", "t")] == [1, 2, None]
    assert [model.id for model in prices.models("p")] == ["own"]


def test_a_date_may_be_written_without_dashes() -> None:
    assert bundled().window("openai", "gpt-5-mini-20250807") == bundled().window("openai", "gpt-5-mini")


def test_a_policys_price_comes_first() -> None:
    own = read_model("own\t42\t1/1")
    prices = bundled(
        Override(fits=lambda provider, model: (provider, model) == ("openai", "gpt-5-mini"), model=own)
    )
    assert prices.window("openai", "gpt-5-mini") == 42
    assert prices.window("openai", "gpt-5-nano") != 42


def test_only_so_many_names_are_remembered() -> None:
    prices = table("m\t1")
    for number in range(20_000):
        prices.window("p", f"made-up-{number}")
    assert len(prices._found) <= 8192
    assert prices.window("p", "m") == 1


USAGES = (
    TokenCount(input=1_000, output=100),
    TokenCount(input=150_000, output=5_000, cache_read=100_000, cache_write=20_000),
    TokenCount(input=600_000, output=5_000, cache_read=1_000),
)


@pytest.mark.parametrize("name", sorted(bundled_sections()))
def test_every_price_is_what_genai_prices_says(name: str) -> None:
    from genai_prices import Usage
    from genai_prices.data import providers

    prices = bundled()
    provider = next(each for each in providers if each.id == name)
    for model in provider.models:
        meant = provider.find_model(model.id)
        mine = prices.find(name, model.id)
        if meant is None or mine is None or not mine.offers:
            continue
        assert mine.id == meant.id
        for tokens in USAGES:
            usage = Usage(
                input_tokens=tokens.input,
                output_tokens=tokens.output,
                cache_read_tokens=tokens.cache_read,
                cache_write_tokens=tokens.cache_write,
            )
            rates = meant.get_prices(AT).calc_price(usage)
            expected = rates["total_price"] * 10**9
            got = prices.cost(name, model.id, tokens, AT.timestamp())
            assert got is not None
            assert abs(Decimal(got) - expected) <= 1 + expected / 10**5, (model.id, tokens)


def test_the_bundled_table_knows_the_common_models() -> None:
    prices = bundled()
    known: list[tuple[str, str]] = [
        ("openai", "gpt-5-nano"),
        ("anthropic", "claude-haiku-4-5-20251001"),
        ("google", "gemini-2.5-flash-lite"),
        ("google", "claude-haiku-4-5@20251001"),
        ("aws", "eu.anthropic.claude-haiku-4-5-20251001-v1:0"),
        ("azure", "gpt-5-nano"),
    ]
    assert [each for each in known if not isinstance(prices.find(*each), PricedModel)] == []
