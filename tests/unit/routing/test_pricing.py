"""Prices under a policy: its own come first, and a deployment costs what its model does."""

from __future__ import annotations

from agent.catalog import bundled_providers
from agent.catalog.prices import PriceTable, bundled_sections
from agent.model.conversation import TokenCount
from agent.policy import load
from agent.routing.configured import configured
from agent.routing.names import ModelRef
from agent.routing.pricing import cost, price_table, window

ROWS = {row.id: row for row in bundled_providers()}
POLICY = """
providers:
  openai: {}
  azure-eu: {uses: azure-openai, parameters: {resource: corp}, models: {gpt-5-mini: prod-1}}
  own: {uses: vllm}
prices:
  - {models: ["qwen*"], providers: [own], input: 0.25, output: 1, cache_read: 0.05, window: 131072}
  - {models: ["gpt-5-nano"], input: 100}
"""
TOKENS = TokenCount(input=1_000_000, output=1_000_000, cache_read=500_000)


def table() -> PriceTable:
    policy = load(f"schema_version: 1\nid: p\n{POLICY}", source="p")
    return price_table(bundled_sections(), configured(policy.providers, ROWS), policy.prices)


def ref(provider: str, model: str, name: str = "") -> ModelRef:
    return ModelRef(provider=provider, model=model, name=name or model)


def test_the_policys_prices_come_first() -> None:
    prices = table()
    assert cost(prices, ref("own", "Qwen3"), TOKENS, 0) == int(1.15e9)
    assert window(prices, ref("own", "Qwen3")) == 131_072
    assert cost(prices, ref("openai", "gpt-5-nano"), TOKENS, 0) == 100 * 10**9
    assert cost(prices, ref("openai", "qwen3"), TOKENS, 0) is None


def test_a_deployment_costs_what_its_model_does() -> None:
    prices = table()
    model = cost(prices, ref("openai", "gpt-5-mini"), TOKENS, 1.79e9)
    assert cost(prices, ref("azure-eu", "prod-1", "gpt-5-mini"), TOKENS, 1.79e9) == model
    assert model is not None
    assert window(prices, ref("azure-eu", "prod-1", "gpt-5-mini")) == window(
        prices, ref("openai", "gpt-5-mini")
    )
    assert window(prices, ref("azure-eu", "prod-2")) is None
