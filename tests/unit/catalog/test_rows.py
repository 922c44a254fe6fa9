"""Rows: strictly read, and the bundled ones are sane."""

from __future__ import annotations

import pytest

from agent.catalog import Catalog, bundled_surfaces, parse_surfaces
from agent.dialects import NAMES
from agent.errors import ConfigError
from agent.model.surface import Surface

ROW = '[[surface]]\nid = "x"\nname = "X"\nprovider = "x"\nhosts = ["x.example"]\n'
BUNDLED = bundled_surfaces()

each_bundled = pytest.mark.parametrize("row", BUNDLED, ids=lambda row: row.id)


def test_a_row_is_read_with_what_it_speaks_and_its_own_endpoints() -> None:
    (row,) = parse_surfaces(
        '[speaks]\nchat = [{ path = "**/chat", dialect = "d" }]\n'
        + ROW
        + 'speaks = ["chat"]\nhttp2 = true\nendpoints = [{ path = "/count", dialect = "d", operation = "count" }]\n',
        source="t.toml",
    )
    assert [(endpoint.path, endpoint.operation) for endpoint in row.endpoints] == [
        ("**/chat", "chat"),
        ("/count", "count"),
    ]
    assert row.http2


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[surface", "Expected"),
        ("", "missing surface"),
        ("surface = 1", "surface must be a list"),
        ("surface = [1]", "a surface must be a table"),
        ('[[surface]]\nid = "x"', "missing hosts, name, provider"),
        (ROW + "colour = 1", "unknown colour"),
        (ROW + 'http2 = "no"', "http2 must be true or false"),
        (ROW + 'speaks = ["klingon"]', "speaks unknown 'klingon'"),
        (ROW + 'speaks = "chat"', "speaks must be a list"),
        (ROW + "endpoints = [1]", "an endpoint must be a table"),
        (ROW + 'endpoints = { path = "/a" }', "endpoints must be a list"),
        (ROW + 'endpoints = [{ path = "/a" }]', "missing dialect"),
        (ROW + 'endpoints = [{ path = "/a", dialect = "d", method = "GET" }]', "unknown method"),
        (ROW + 'endpoints = [{ path = 1, dialect = "d" }]', "path must be a text"),
        (ROW + 'prefix = "x"', "a prefix needs an https origin and a key_header"),
        (
            ROW + 'prefix = "x"\norigin = "http://x.example"\nkey_header = "k"',
            "a prefix needs an https origin",
        ),
        (ROW.replace('"X"', '""'), "name must be a text"),
        (ROW.replace('["x.example"]', "[]"), "hosts is empty"),
        (ROW.replace('["x.example"]', '"x.example"'), "hosts must be a list"),
        (ROW + ROW, "the id 'x' is in rows"),
        (ROW + ROW.replace('id = "x"', 'id = "y"'), "the host 'x.example' is in rows 'x' and 'y'"),
        (ROW.replace('["x.example"]', '["x.example", "x.example"]'), "the host 'x.example'"),
        ("[speaks]\nchat = 1\n" + ROW, "must be a list"),
        ('speaks = "x"\n' + ROW, "speaks must be a table"),
        (ROW + 'speaks = [["chat"]]', "speaks unknown"),
    ],
)
def test_a_mistake_is_an_error_that_names_its_place(text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_surfaces(text, source="t.toml")
    assert problem in str(caught.value)
    assert str(caught.value).startswith("t.toml")


@pytest.mark.parametrize(
    "host",
    [
        "X.example",
        "",
        "*.",
        "*",
        "a.*.example",
        "*.com",
        "com",
        "x..example",
        ".x.example",
        "x.example.",
        "x example.com",
        "https://x.example",
        "x.example:443",
        "-x.example",
        "bücher.example",
    ],
)
def test_a_host_must_be_a_name_or_a_suffix_of_more_than_one_label(host: str) -> None:
    with pytest.raises(ConfigError, match="is no host name"):
        parse_surfaces(ROW.replace("x.example", host), source="t.toml")


def test_two_rows_cannot_share_a_base_url() -> None:
    more = 'prefix = "p"\norigin = "https://x.example"\nkey_header = "k"\n'
    other = ROW.replace('"x"', '"y"').replace("x.example", "y.example")
    with pytest.raises(ConfigError, match="the prefix 'p'"):
        parse_surfaces(ROW + more + other + more, source="t.toml")


@each_bundled
def test_a_bundled_row_speaks_dialects_that_exist(row: Surface) -> None:
    assert {endpoint.dialect for endpoint in row.endpoints} <= NAMES
    assert row.endpoints


@each_bundled
def test_a_bundled_row_names_hosts_of_its_own_or_shares_them(row: Surface) -> None:
    others = Catalog(tuple(other for other in BUNDLED if other.id != row.id and not row.shares))
    assert not [host for host in row.hosts if others.surface(host) and not host.startswith("*.")]


def test_the_base_urls_are_those_of_the_providers_a_policy_can_name() -> None:
    prefixed = {row.id: (row.prefix, row.origin, row.key_header) for row in BUNDLED if row.prefix}
    assert prefixed == {
        "openai": ("openai", "https://api.openai.com", "authorization"),
        "anthropic": ("anthropic", "https://api.anthropic.com", "x-api-key"),
        "gemini": ("genai", "https://generativelanguage.googleapis.com", "x-goog-api-key"),
    }


@pytest.mark.parametrize(
    ("host", "path", "dialect"),
    [
        ("api.openai.com", "/v1/chat/completions", "openai-chat"),
        ("api.openai.com", "/v1/responses", "openai-responses"),
        ("api.anthropic.com", "/v1/messages", "anthropic-messages"),
        (
            "generativelanguage.googleapis.com",
            "/v1beta/models/g:streamGenerateContent",
            "gemini-generate-content",
        ),
        ("generativelanguage.googleapis.com", "/v1beta/openai/chat/completions", "openai-chat"),
        ("chatgpt.com", "/backend-api/codex/responses", "openai-responses"),
        ("x.openai.azure.com", "/openai/deployments/d/chat/completions", "openai-chat"),
        ("openrouter.ai", "/api/v1/messages", "anthropic-messages"),
        ("api.groq.com", "/openai/v1/chat/completions", "openai-chat"),
    ],
)
def test_where_the_common_clients_ask_is_inspected(host: str, path: str, dialect: str) -> None:
    match = Catalog(BUNDLED).match(host, path)
    assert match is not None
    assert match.endpoint is not None
    assert match.endpoint.dialect == dialect
