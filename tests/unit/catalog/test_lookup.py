"""Lookups: a host is ours by its exact name or below a suffix, never because it looks alike."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.catalog import Catalog, bundled_surfaces
from agent.errors import ConfigError
from agent.model.surface import Endpoint, Surface

CATALOG = Catalog(bundled_surfaces())


def surface(name: str, *hosts: str, path: str = "/v1/chat") -> Surface:
    endpoints = (Endpoint(path=path, dialect="openai-chat"),)
    return Surface(id=name, name=name, provider=name, hosts=hosts, endpoints=endpoints)


@pytest.mark.parametrize(
    ("host", "row"),
    [
        ("api.openai.com", "openai"),
        ("API.OpenAI.com", "openai"),
        ("api.openai.com.", "openai"),
        ("us.api.openai.com", "openai"),
        ("my.openai.azure.com", "azure-openai"),
        ("a.b.openai.azure.com", "azure-openai"),
        ("chatgpt.com", "chatgpt-codex"),
    ],
)
def test_a_listed_host_is_found(host: str, row: str) -> None:
    found = CATALOG.surface(host)
    assert found is not None
    assert found.id == row


@pytest.mark.parametrize(
    "host",
    [
        "",
        ".",
        "openai.com",
        "notapi.openai.com.evil.tld",
        "api.openai.com.evil.tld",
        "notchatgpt.com",
        "xapi.anthropic.com",
        "openai.azure.com",  # the suffix itself is not below it
        "evil-openai.azure.com",
        "api-openai.com",
        "com",
    ],
)
def test_a_host_that_only_looks_alike_is_not(host: str) -> None:
    assert CATALOG.surface(host) is None


labels = st.text(st.sampled_from("ab-"), min_size=1, max_size=3)
names = st.lists(labels, min_size=1, max_size=4).map(".".join)


@given(name=names, suffix=names)
def test_a_suffix_covers_exactly_what_ends_with_it_after_a_dot(name: str, suffix: str) -> None:
    catalog = Catalog((surface("s", f"*.{suffix}"),))
    assert (catalog.surface(name) is not None) == name.endswith(f".{suffix}")


def test_an_exact_name_wins_over_a_suffix_and_the_longest_suffix_over_a_shorter() -> None:
    catalog = Catalog((surface("exact", "a.b.c"), surface("long", "*.b.c"), surface("short", "*.c")))
    found = {host: catalog.surface(host) for host in ("a.b.c", "x.b.c", "x.c")}
    assert {host: row.id for host, row in found.items() if row} == {
        "a.b.c": "exact",
        "x.b.c": "long",
        "x.c": "short",
    }


def test_a_template_goes_before_a_suffix_and_an_exact_name_before_both() -> None:
    catalog = Catalog(
        (
            surface("suffix", "*.llm.example.com"),
            surface("shape", "chat.{region}.llm.example.com", "{region}-chat.llm.example.com"),
            surface("exact", "chat.eu.llm.example.com"),
        )
    )
    found = {
        host: row.id
        for host in (
            "chat.us.llm.example.com",
            "chat.eu.llm.example.com",
            "US-chat.llm.example.com.",
            "-chat.llm.example.com",
            "chat.a.b.llm.example.com",
            "example.com",
        )
        if (row := catalog.surface(host))
    }
    assert found == {
        "chat.us.llm.example.com": "shape",
        "chat.eu.llm.example.com": "exact",
        "US-chat.llm.example.com.": "shape",
        "-chat.llm.example.com": "suffix",
        "chat.a.b.llm.example.com": "suffix",
    }


def test_a_template_that_spans_strangers_names_its_row() -> None:
    with pytest.raises(ConfigError, match=r"catalog row 'wide'.*too wide"):
        Catalog((surface("wide", "api.{name}.com"),))


def test_a_later_row_wins_so_that_a_policy_can_replace_a_bundled_one() -> None:
    catalog = Catalog((surface("old", "llm.example"), surface("new", "llm.example")))
    found = catalog.surface("llm.example")
    assert found is not None
    assert found.id == "new"


def test_a_match_tells_the_endpoint_or_that_the_path_asks_no_model() -> None:
    match = CATALOG.match("api.openai.com", "/v1/chat/completions")
    assert match is not None
    assert match.endpoint is not None
    assert match.endpoint.dialect == "openai-chat"
    other = CATALOG.match("api.openai.com", "/v1/models")
    assert other is not None
    assert other.endpoint is None
    assert CATALOG.match("example.com", "/v1/chat/completions") is None


def test_the_first_endpoint_that_fits_is_taken() -> None:
    endpoints = (Endpoint(path="/a/{x}", dialect="one"), Endpoint(path="/a/b", dialect="two"))
    row = Surface(id="s", name="s", provider="s", hosts=("h.example",), endpoints=endpoints)
    found = Catalog((row,)).endpoint(row, "/a/b")
    assert found is not None
    assert found.dialect == "one"


def test_a_template_that_cannot_work_names_its_row() -> None:
    with pytest.raises(ConfigError, match="catalog row 'bad'"):
        Catalog((surface("bad", "h.example", path="no-slash"),))


def test_the_hosts_are_all_that_the_rows_name() -> None:
    assert Catalog((surface("a", "x.example"), surface("b", "*.y.example"))).hosts == {
        "x.example",
        "*.y.example",
    }


def test_rows_that_share_a_host_are_told_apart_by_path_and_by_app() -> None:
    catalog = Catalog(
        (
            replace(surface("page", "ai.example", path="/page"), shares=True),
            replace(surface("agent", "ai.example", path="/agent"), shares=True),
            replace(surface("other", "ai.example", path="/agent"), shares=True, apps=("other",)),
        )
    )

    def found(path: str, app: str = "") -> tuple[str, bool]:
        match = catalog.match("ai.example", path, app=app)
        assert match is not None
        return match.surface.id, match.endpoint is not None

    assert found("/page") == ("page", True)
    assert found("/agent") == ("agent", True)
    assert found("/agent", "other") == ("agent", True)
    assert found("/settings") == ("page", False)
    only = Catalog((replace(surface("only", "ai.example", path="/agent"), shares=True, apps=("tool",)),))
    match = only.match("ai.example", "/agent", app="browser")
    assert match is not None
    assert match.endpoint is None
