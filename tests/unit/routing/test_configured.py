"""A provider as a policy configured it."""

from __future__ import annotations

import pytest

from agent.catalog import bundled_providers
from agent.errors import ConfigError
from agent.model.provider import Scheme, Spoken
from agent.policy import ProviderSettings, load
from agent.routing.configured import ConfiguredProvider, configured
from tests.fakes.providers import CHAT, make_row

ROWS = {row.id: row for row in bundled_providers()}


def of_policy(yaml: str, name: str) -> ConfiguredProvider:
    policy = load(f"schema_version: 1\nid: p\nproviders: {{{yaml}}}", source="p")
    return configured(policy.providers, ROWS)[name]


def made(*, settings: ProviderSettings | None = None, **row: object) -> ConfiguredProvider:
    return ConfiguredProvider(id="p", row=make_row(**row), settings=settings or ProviderSettings())


def chat_url(provider: ConfiguredProvider, model: str, *, stream: bool = False) -> str:
    return provider.url(provider.speaks(model)[0], "chat", model, stream=stream)


@pytest.mark.parametrize(
    ("yaml", "model", "url"),
    [
        ("openai: {}", "gpt-5", "https://api.openai.com/v1/responses"),
        ("anthropic: {}", "claude-x", "https://api.anthropic.com/v1/messages"),
        (
            "gemini: {}",
            "gemini-x",
            "https://generativelanguage.googleapis.com/v1beta/models/gemini-x:generateContent",
        ),
        (
            "bedrock: {parameters: {region: eu-west-1}}",
            "anthropic.claude-v1:0",
            "https://bedrock-runtime.eu-west-1.amazonaws.com/model/anthropic.claude-v1%3A0/converse",
        ),
        (
            "azure-openai-deployments: {parameters: {resource: corp}}",
            "my gpt/5",
            "https://corp.openai.azure.com/openai/deployments/my%20gpt%2F5/chat/completions?api-version=2024-10-21",
        ),
        (
            "vertex: {parameters: {project: p-1}}",
            "claude-x@2025",
            "https://aiplatform.googleapis.com/v1/projects/p-1/locations/global/publishers/anthropic/models/claude-x@2025:rawPredict",
        ),
        (
            "vertex: {parameters: {project: p-1, location: europe-west1}}",
            "gemini-x",
            "https://europe-west1-aiplatform.googleapis.com/v1/projects/p-1/locations/europe-west1/publishers/google/models/gemini-x:generateContent",
        ),
        (
            "dashscope: {parameters: {region: cn}}",
            "q",
            "https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions",
        ),
        ("ollama: {}", "m", "http://127.0.0.1:11434/v1/chat/completions"),
        (
            "replicate: {}",
            "meta/llama 3",
            "https://api.replicate.com/v1/models/meta/llama%203/predictions",
        ),
        ("replicate: {}", "me/mine:5c7d5dc6", "https://api.replicate.com/v1/predictions"),
    ],
)
def test_a_model_is_asked_at_its_address(yaml: str, model: str, url: str) -> None:
    assert chat_url(of_policy(yaml, yaml.partition(":")[0]), model) == url


@pytest.mark.parametrize(
    ("name", "base", "url"),
    [
        ("vllm", "https://gpu.example", "https://gpu.example/v1/chat/completions"),
        ("vllm", "https://gpu.example/v1/", "https://gpu.example/v1/chat/completions"),
        ("openai-compatible", "https://gpu.example/api/v1", "https://gpu.example/api/v1/chat/completions"),
        ("azure-openai", "https://x.example/openai/v1", "https://x.example/openai/v1/responses"),
        ("gemini", "https://x.example/proxy", "https://x.example/proxy/v1beta/models/m:generateContent"),
    ],
)
def test_a_base_url_may_end_where_people_end_it(name: str, base: str, url: str) -> None:
    more = ", parameters: {resource: x}" if name == "azure-openai" else ""
    assert chat_url(of_policy(f"{name}: {{base_url: '{base}'{more}}}", name), "m") == url


def test_a_stream_has_its_own_path_where_the_format_wants_it() -> None:
    gemini, openai = of_policy("gemini: {}", "gemini"), of_policy("openai: {}", "openai")
    assert chat_url(gemini, "g", stream=True).endswith("/models/g:streamGenerateContent?alt=sse")
    assert chat_url(openai, "g", stream=True) == chat_url(openai, "g")


def test_an_operation_that_it_does_not_have_is_told() -> None:
    with pytest.raises(ConfigError, match="the provider p has no images in the format openai-chat"):
        made().url(CHAT, "images")


def test_what_an_address_lacks_is_told() -> None:
    with pytest.raises(ConfigError, match="needs the parameter resource"):
        _ = made(origin="https://{resource}.example", parameters={"resource": ""}).origin
    with pytest.raises(ConfigError, match="has no address"):
        _ = made(origin="").origin
    with pytest.raises(ConfigError, match="uses 'smoke', which the catalog does not have"):
        configured({"x": ProviderSettings(uses="smoke")}, ROWS)


def test_its_models_are_listed_somewhere_or_not() -> None:
    assert made().models_url == "https://p.example/v1/models"
    assert made(models_path="").models_url == ""


@pytest.mark.parametrize(
    ("row", "reference"),
    [
        ({"key_env": "P_KEY"}, "env:P_KEY"),
        ({"key_env": "P_KEY", "local": True}, None),
        ({}, None),
        ({"scheme": Scheme.SIGV4}, "profile:default"),
        ({"scheme": Scheme.GOOGLE}, "adc:"),
        ({"scheme": Scheme.NONE, "key_env": "P_KEY"}, None),
    ],
)
def test_without_a_key_its_own_tools_key_is_taken(row: dict[str, object], reference: str | None) -> None:
    assert [key.key for key in made(**row).keys] == ([reference] if reference else [])


def test_keys_may_be_for_some_models() -> None:
    provider = of_policy(
        "openai: {keys: [{name: a, key: 'env:A', models: ['gpt-*']}, {name: b, key: 'env:B'}]}", "openai"
    )
    assert [key.name for key in provider.keys_for("GPT-5")] == ["a", "b"]
    assert [key.name for key in provider.keys_for("o3")] == ["b"]


def test_what_the_policy_says_replaces_what_the_catalog_says() -> None:
    provider = of_policy(
        "anthropic: {auth: bearer, headers: {anthropic-version: '2030-01-01', x-team: a}}", "anthropic"
    )
    assert provider.scheme is Scheme.BEARER
    assert dict(provider.headers) == {b"anthropic-version": b"2030-01-01", b"x-team": b"a"}


def test_this_machine_is_private_and_so_is_what_the_policy_says() -> None:
    assert of_policy("ollama: {}", "ollama").private
    assert not of_policy("ollama: {base_url: 'https://ollama.example'}", "ollama").private
    assert of_policy("openai: {private: true}", "openai").private
    assert not of_policy("openai: {}", "openai").private


def test_a_model_is_asked_in_the_format_that_is_for_it() -> None:
    vertex = of_policy("vertex: {parameters: {project: p}}", "vertex")
    assert [spoken.dialect for spoken in vertex.speaks("Claude-x")] == ["anthropic-messages"]
    assert [spoken.dialect for spoken in vertex.speaks("gemini-x")] == ["gemini-generate-content"]
    openai = of_policy("openai: {}", "openai")
    assert "openai-chat" in {spoken.dialect for spoken in openai.speaks("gpt-5")}
    for model in ("gpt-5-pro", "gpt-5.2-pro-2025-12-11", "gpt-5.1-codex-max", "o3-deep-research"):
        assert [spoken.dialect for spoken in openai.speaks(model)] == ["openai-responses"]


def test_a_body_gets_what_the_provider_wants_beside_the_format() -> None:
    spoken = Spoken(dialect="d", paths={"chat": "/c"}, body={"version": "v1", "model": ""})
    assert made().body(spoken, b'{"model": "m", "a": 1}') == b'{"a":1,"version":"v1"}'
    assert made().body(CHAT, b'{ "model": "m"}') == b'{ "model": "m"}'
