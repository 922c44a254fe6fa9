"""The rows of providers: what a row may say, and what holds of those that ship."""

from __future__ import annotations

from dataclasses import fields
from urllib.parse import urlsplit

import pytest

from agent.catalog.providers import bundled_providers, names_in, parse_providers
from agent.errors import ConfigError
from agent.model.provider import Provider, Scheme
from agent.translation.base import Promising, Quirks
from agent.translation.registry import provider_translator

BUNDLED = bundled_providers()
BY_ID = {row.id: row for row in BUNDLED}
DIALECTS = {
    "openai-chat",
    "openai-responses",
    "anthropic-messages",
    "gemini-generate-content",
    "bedrock-converse",
    "cohere-chat",
    "replicate-predictions",
}
OPERATIONS = {
    "chat",
    "chat_stream",
    "embeddings",
    "completions",
    "images",
    "images_edits",
    "audio_speech",
    "audio_transcriptions",
    "audio_translations",
    "moderations",
    "files",
    "batches",
    "count_tokens",
    "models",
}
ASKED_FOR = [
    "openai",
    "anthropic",
    "azure-openai",
    "azure-openai-deployments",
    "bedrock",
    "vertex",
    "gemini",
    "mistral",
    "cohere",
    "groq",
    "cerebras",
    "xai",
    "deepseek",
    "perplexity",
    "openrouter",
    "together",
    "fireworks",
    "nebius",
    "parasail",
    "huggingface",
    "replicate",
    "databricks",
    "sambanova",
    "nvidia",
    "github-models",
    "moonshot",
    "zai",
    "dashscope",
    "ollama",
    "lmstudio",
    "vllm",
    "sglang",
    "llamacpp",
    "openai-compatible",
    "bifrost",
    "litellm",
    "portkey",
    "drawbridge",
]

each_bundled = pytest.mark.parametrize("row", BUNDLED, ids=lambda row: row.id)

HEAD = '[endings.openai-chat]\nchat = "/chat"\n[[provider]]\n'
GOOD = {
    "id": '"p"',
    "name": '"P"',
    "genai": '"p"',
    "origin": '"https://p.example"',
    "speaks": '[{ dialect = "openai-chat", under = "/v1", operations = ["chat"] }]',
    "source": '"p.example/docs"',
}


def row_of(**changes: str | None) -> str:
    keys = {**GOOD, **changes}
    return HEAD + "".join(f"{key} = {value}\n" for key, value in keys.items() if value is not None)


def test_a_row_says_where_and_how_to_ask() -> None:
    (row,) = parse_providers(row_of(), source="t.toml")
    assert row == Provider(
        id="p", name="P", genai="p", origin="https://p.example", speaks=row.speaks, source="p.example/docs"
    )
    assert (row.speaks[0].dialect, dict(row.speaks[0].paths)) == ("openai-chat", {"chat": "/v1/chat"})
    assert row.scheme is Scheme.BEARER


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"name": None}, "provider 'p': missing name"),
        ({"nmae": '"x"'}, "provider 'p': unknown nmae"),
        ({"id": '"P q"'}, "an id is made of"),
        ({"name": "1"}, "name must be a text"),
        ({"local": '"yes"'}, "local must be true or false"),
        ({"scheme": '"basic"'}, "there is no scheme 'basic'"),
        ({"scheme": '"header"'}, "key_header goes with the scheme 'header'"),
        ({"key_header": '"x-key"'}, "key_header goes with the scheme 'header'"),
        ({"origin": '"http://p.example"'}, "must be https"),
        ({"origin": '"https://"'}, "names no host"),
        ({"origin": '"https://{place}.example"'}, "place stands in no parameters"),
        ({"origin": '"https://{a.b}.example"'}, "a brace that holds no name"),
        ({"origin": '"https://a}.example"'}, "a brace that holds no name"),
        ({"parameters": '{ place = "x" }'}, "the parameters place are used nowhere"),
        ({"origins": '{ "place=x" = "https://x.example" }'}, "must be parameter=value"),
        ({"speaks": "[]"}, "speaks is empty"),
        ({"speaks": "1"}, "speaks must be a list of tables"),
        ({"speaks": '[{ dialect = "smoke" }]'}, "speaks unknown 'smoke'"),
        ({"speaks": '[{ dialect = "openai-chat" }]'}, "needs operations or paths"),
        ({"speaks": '[{ dialect = "openai-chat", operations = ["dance"] }]'}, "no operation 'dance'"),
        ({"speaks": '[{ dialect = "openai-chat", paths = { chat = "x" } }]'}, "which start with '/'"),
        ({"speaks": '[{ dialect = "openai-chat", operations = [1] }]'}, "operations must be a list of texts"),
        ({"headers": "{ a = 1 }"}, "headers.a must be a text"),
        ({"quirks": "1"}, "quirks must be a table"),
        ({"quirks": "{ moody = true }"}, "quirks: unknown moody"),
        ({"quirks": "{ default_max_tokens = 0 }"}, "must be a whole number above 0"),
    ],
)
def test_a_mistake_is_an_error_that_names_its_place(changes: dict[str, str | None], problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_providers(row_of(**changes), source="t.toml")
    assert problem in str(caught.value)
    assert str(caught.value).startswith("t.toml: ")


def test_an_id_is_there_once() -> None:
    with pytest.raises(ConfigError, match="'p' is in two rows"):
        parse_providers(row_of() + row_of().removeprefix(HEAD.partition("[[")[0]), source="t")


def test_broken_toml_is_told() -> None:
    with pytest.raises(ConfigError, match=r"t\.toml: "):
        parse_providers("[[", source="t.toml")


def test_quirks_are_those_that_the_translators_know() -> None:
    known = {field.name: field for field in fields(Quirks)}
    for row in BUNDLED:
        assert row.quirks.keys() <= known.keys(), row.id
        Quirks(**row.quirks)  # type: ignore[arg-type]  # each is checked where it is read


def test_names_in_a_template() -> None:
    assert list(names_in("https://{a}.example/{b}?c={a}")) == ["a", "b", "a"]


def test_every_provider_we_promise_has_a_row() -> None:
    assert set(ASKED_FOR) <= BY_ID.keys()


@each_bundled
def test_a_bundled_row_speaks_what_is_translated(row: Provider) -> None:
    assert {spoken.dialect for spoken in row.speaks} <= DIALECTS
    assert {operation for spoken in row.speaks for operation in spoken.paths} <= OPERATIONS
    assert all("chat" in spoken.paths for spoken in row.speaks)
    assert row.source


@each_bundled
def test_answers_are_followed_where_a_format_promises_them_and_nowhere_else(row: Provider) -> None:
    for spoken in row.speaks:
        promises: object = provider_translator(spoken.dialect)
        assert isinstance(promises, Promising) is bool(spoken.follows)
        assert all(host.startswith("*.") or "*" not in host for host in spoken.follows)


@each_bundled
def test_a_bundled_row_can_be_reached(row: Provider) -> None:
    if row.origin:
        assert not urlsplit(row.origin.format(**dict.fromkeys(row.parameters, "x"))).path
    assert row.models_path.startswith("/") or not row.models_path


@each_bundled
def test_sampling_that_a_bundled_row_refuses_is_called_as_the_hub_calls_it(row: Provider) -> None:
    from agent.model.conversation import Sampling

    unsupported = row.quirks.get("unsupported", frozenset())
    assert isinstance(unsupported, frozenset)
    assert unsupported <= {f"sampling.{field.name}" for field in fields(Sampling)}


def test_paths_that_differ_by_model_or_version_are_spelled_out() -> None:
    azure = BY_ID["azure-openai-deployments"].speaks[0].paths["chat"]
    assert azure == "/openai/deployments/{model}/chat/completions?api-version={api_version}"
    claude, gemini = BY_ID["vertex"].speaks
    assert claude.models == ("claude-*",)
    assert claude.body == {"anthropic_version": "vertex-2023-10-16", "model": ""}
    assert gemini.paths["chat_stream"].endswith(
        "/publishers/google/models/{model}:streamGenerateContent?alt=sse"
    )
