"""The models that somebody may use, in the shapes in which clients ask."""

from __future__ import annotations

import orjson

from agent.catalog import bundled_providers
from agent.catalog.model_names import bundled_families
from agent.catalog.prices import bundled_sections
from agent.gateway.models_list import (
    Allows,
    ListedModel,
    anthropic_list,
    gemini_list,
    listed_models,
    openai_list,
)
from agent.policy import load
from agent.routing.configured import configured
from agent.routing.names import ModelNames
from agent.routing.pricing import price_table

ROWS = {row.id: row for row in bundled_providers()}
POLICY = """
schema_version: 1
id: p
providers:
  azure-eu: {uses: azure-openai, parameters: {resource: c}, models: {gpt-5-mini: prod, house: h}, only_listed: true}
  anthropic: {}
models: {fast: [azure-eu/house, anthropic/claude-haiku-4-5], lost: azure-eu/none}
"""
ONE = (ListedModel(id="openai/m", owner="openai", window=1000),)


def listed(allows: Allows = lambda _: True) -> dict[str, ListedModel]:
    policy = load(POLICY, source="p")
    providers = configured(policy.providers, ROWS)
    table = price_table(bundled_sections(), providers)
    names = ModelNames(providers, aliases=policy.models, families=bundled_families(), table=table)
    found = listed_models(names, providers, policy.models, table, allows=allows)
    return {model.id: model for model in found}


def test_names_of_the_policy_come_first_then_what_its_providers_have() -> None:
    models = listed()
    assert list(models)[:3] == ["fast", "azure-eu/gpt-5-mini", "azure-eu/house"]
    assert "anthropic/claude-haiku-4-5" in models
    assert "lost" not in models
    assert models["azure-eu/gpt-5-mini"].window


def test_only_what_the_principal_may_use_is_listed() -> None:
    models = listed(lambda ref: ref.provider == "azure-eu")
    assert list(models) == ["fast", "azure-eu/gpt-5-mini", "azure-eu/house"]
    assert list(listed(lambda _: False)) == []


def test_every_client_gets_its_own_shape() -> None:
    assert orjson.loads(openai_list(ONE)) == {
        "object": "list",
        "data": [{"id": "openai/m", "object": "model", "created": 0, "owned_by": "openai"}],
    }
    assert orjson.loads(anthropic_list(ONE)) == {
        "data": [
            {
                "type": "model",
                "id": "openai/m",
                "display_name": "openai/m",
                "created_at": "1970-01-01T00:00:00Z",
                "lifecycle": "active",
                "max_input_tokens": 1000,
            }
        ],
        "has_more": False,
        "first_id": "openai/m",
        "last_id": "openai/m",
    }
    (gemini,) = orjson.loads(gemini_list(ONE))["models"]
    assert (gemini["name"], gemini["displayName"], gemini["inputTokenLimit"]) == (
        "models/openai/m",
        "openai/m",
        1000,
    )


def test_an_empty_list_is_a_list() -> None:
    assert orjson.loads(openai_list(()))["data"] == []
    assert orjson.loads(anthropic_list(()))["first_id"] is None
    assert orjson.loads(gemini_list(())) == {"models": []}
