"""Whom a model's name means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.catalog import bundled_providers
from agent.catalog.model_names import bundled_families
from agent.catalog.prices import bundled_sections
from agent.policy import load
from agent.routing.configured import configured
from agent.routing.names import REMEMBERED, ModelNames, UnknownModel
from agent.routing.pricing import price_table

ROWS = {row.id: row for row in bundled_providers()}
FAMILIES, SECTIONS = bundled_families(), bundled_sections()
POLICY = """
providers:
  openai: {}
  anthropic: {}
  azure-eu:
    uses: azure-openai
    parameters: {resource: corp}
    models: {gpt-5: gpt5-prod, house: d-1}
    only_listed: true
  openrouter: {}
  fireworks: {}
  vertex: {parameters: {project: p}}
  local: {uses: ollama}
models:
  fast: [openai/gpt-5-nano, anthropic/claude-haiku-4-5]
  gpt-4: openai/gpt-5
"""


def names(policy: str = POLICY) -> ModelNames:
    read = load(f"schema_version: 1\nid: p\n{policy}", source="p")
    providers = configured(read.providers, ROWS)
    table = price_table(SECTIONS, providers)
    return ModelNames(providers, aliases=read.models, families=FAMILIES, table=table)


NAMES = names()


def meant(name: str, **more: str) -> list[str]:
    return [f"{ref.provider} {ref.model}" for ref in NAMES.resolve(name, **more)]


@pytest.mark.parametrize(
    ("name", "refs"),
    [
        ("openai/gpt-5", ["openai gpt-5"]),
        ("openrouter/meta-llama/llama-3.3-70b-instruct", ["openrouter meta-llama/llama-3.3-70b-instruct"]),
        ("fireworks/accounts/fireworks/models/x", ["fireworks accounts/fireworks/models/x"]),
        ("local/hf.co/org/model:q4", ["local hf.co/org/model:q4"]),
        ("azure-eu/gpt-5", ["azure-eu gpt5-prod"]),
        ("openai/never-heard-of", ["openai never-heard-of"]),
    ],
)
def test_a_provider_before_the_slash_is_meant(name: str, refs: list[str]) -> None:
    assert meant(name) == refs


@pytest.mark.parametrize(
    ("name", "refs"),
    [
        ("fast", ["openai gpt-5-nano", "anthropic claude-haiku-4-5"]),
        ("gpt-4", ["openai gpt-5"]),  # the policy's own name comes before the maker's
        ("house", ["azure-eu d-1"]),  # one provider lists it
        ("gpt-5", ["azure-eu gpt5-prod"]),  # also before the maker
        ("gpt-5-mini", ["openai gpt-5-mini"]),
        ("claude-sonnet-4-5", ["anthropic claude-sonnet-4-5"]),
        ("gemini-2.5-pro", ["vertex gemini-2.5-pro"]),
        ("accounts/fireworks/models/x", ["fireworks accounts/fireworks/models/x"]),
        (
            "meta-llama/llama-3.3-70b-instruct",
            ["openrouter meta-llama/llama-3.3-70b-instruct"],
        ),  # by the table
        ("anthropic/claude-never", ["anthropic claude-never"]),
    ],
)
def test_a_bare_name_is_looked_for_in_order(name: str, refs: list[str]) -> None:
    assert meant(name) == refs


def test_a_name_that_nobody_knows_goes_where_its_client_knocked() -> None:
    assert meant("brand-new-model", preferred="openai") == ["openai brand-new-model"]


@pytest.mark.parametrize(
    "name", ["openai/gpt\r\nset-cookie: a=b", "openai/..", "openai/a/../b", ".", "openai/\ud800"]
)
def test_what_could_not_stand_in_an_address_or_a_header_is_no_name(name: str) -> None:
    with pytest.raises(UnknownModel):
        meant(name)


def test_the_door_a_client_came_by_is_preferred_where_it_leads_there() -> None:
    assert meant("claude-sonnet-4-5", preferred="vertex") == ["vertex claude-sonnet-4-5"]
    assert meant("claude-sonnet-4-5", preferred="openai") == ["anthropic claude-sonnet-4-5"]


def test_the_only_provider_there_is_serves_whatever_is_asked() -> None:
    only = names("providers: {ollama: {}}")
    assert [str(ref) for ref in only.resolve("qwen:7b")] == ["ollama/qwen:7b"]
    assert [str(ref) for ref in only.resolve("org/qwen:7b")] == ["ollama/org/qwen:7b"]


@pytest.mark.parametrize(
    ("name", "close"),
    [
        ("fsat", ("fast",)),
        ("openia/gpt-5-mini", ("openai/gpt-5-mini",)),
        ("azure-eu/gpt5", ("azure-eu/gpt-5",)),
        ("hous", ("azure-eu/house",)),
        ("xyzzy", ()),
        ("", ()),
        ("x" * 1000, ()),
    ],
)
def test_a_name_that_nobody_serves_is_refused_with_what_may_be_meant(
    name: str, close: tuple[str, ...]
) -> None:
    with pytest.raises(UnknownModel) as caught:
        NAMES.resolve(name)
    assert caught.value.close[:1] == close
    assert len(str(caught.value)) < 400
    assert all(each in caught.value.hint() for each in close)


def test_without_providers_nothing_is_served() -> None:
    with pytest.raises(UnknownModel, match="the policy names no provider"):
        names("").resolve("gpt-5")


def test_an_alias_may_lead_to_a_model_that_its_provider_does_not_serve() -> None:
    broken = names(POLICY + "  lost: azure-eu/gpt-6\n")
    with pytest.raises(UnknownModel, match="'azure-eu/gpt-6' is not served"):
        broken.resolve("lost")


def test_models_that_are_known_can_be_listed() -> None:
    known = set(NAMES.known())
    assert {"fast", "gpt-4", "azure-eu/house", "openai/gpt-5-mini"} <= known
    assert not {name for name in known if name.startswith("azure-eu/")} - {"azure-eu/gpt-5", "azure-eu/house"}


def test_only_so_many_names_are_remembered() -> None:
    only = names("providers: {ollama: {}}")
    for number in range(REMEMBERED + 10):
        only.resolve(f"made-up-{number}")
    assert len(only._found) <= REMEMBERED


@given(st.text(max_size=40))
def test_whatever_is_asked_is_resolved_or_refused(name: str) -> None:
    try:
        refs = NAMES.resolve(name)
    except UnknownModel:
        return
    assert refs
