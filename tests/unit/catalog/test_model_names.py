"""Whose a model is, by its name alone."""

from __future__ import annotations

import pytest

from agent.catalog.model_names import bundled_families, parse_families
from agent.catalog.providers import bundled_providers
from agent.errors import ConfigError

FAMILIES = bundled_families()


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("claude-sonnet-4-5", "anthropic"),
        ("anthropic.claude-sonnet-4-5-v1:0", "bedrock"),
        ("eu.anthropic.claude-sonnet-4-5-v1:0", "bedrock"),
        ("gpt-5", "openai"),
        ("o3-mini", "openai"),
        ("text-embedding-3-small", "openai"),
        ("gemini-2.5-pro", "gemini"),
        ("codestral-latest", "mistral"),
        ("command-r", "cohere"),
        ("grok-4", "xai"),
        ("accounts/fireworks/models/x", "fireworks"),
        ("kimi-k2", "moonshot"),
        ("glm-4.6", "zai"),
    ],
)
def test_the_maker_comes_first(name: str, provider: str) -> None:
    assert next(family.providers[0] for family in FAMILIES if family.has(name)) == provider


def test_families_name_providers_that_there_are() -> None:
    known = {row.id for row in bundled_providers()}
    assert {name for family in FAMILIES for name in family.providers} <= known


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[family]]\nmodels = ['a']", "missing providers"),
        ("[[family]]\nmodels = ['a']\nproviders = []", "needs models and providers"),
        ("[[famly]]\n", "missing family"),
    ],
)
def test_a_mistake_is_told(text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        parse_families(text, source="t.toml")
