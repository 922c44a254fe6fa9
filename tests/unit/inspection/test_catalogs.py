"""The catalog in force: the bundled rows or a file's, and what a policy leaves out, turns on, replaces and adds."""

from __future__ import annotations

import pytest

from agent.catalog import Catalog, bundled_rows
from agent.errors import PolicyError
from agent.inspection.catalogs import catalog_of
from agent.inspection.companions import Companions
from agent.policy import load

HEAD = "schema_version: 1\nid: p\n"
FILE = """version = "2027-01-02"

[[surface]]
id = "ours"
name = "Ours"
provider = "ours"
hosts = ["llm.corp.example"]
speaks = ["openai-chat"]
"""


def made(more: str, file: str = "") -> Catalog:
    companions = Companions(files={"c.toml": file.encode()} if file else {})
    return catalog_of(load(HEAD + more, source="p"), companions)


def own(hosts: str, more: str = "", name: str = "own") -> str:
    return (
        f"catalog: [{{id: {name}, name: Own, provider: own, hosts: [{hosts}]{more}, "
        "endpoints: [{path: /ask, dialect: openai-chat}]}]\n"
    )


def test_a_policy_that_says_nothing_has_the_bundled_rows_that_are_on() -> None:
    catalog = made("")
    assert catalog.version == bundled_rows().version
    assert {row.id for row in bundled_rows().surfaces} - {row.id for row in catalog.surfaces} == {
        row.id for row in bundled_rows().surfaces if row.optional
    }
    assert catalog.surface("gitlab.com") is None


def test_rows_are_left_out_and_turned_on() -> None:
    catalog = made("catalog_without: [groq]\ncatalog_with: [gitlab-duo]\n")
    assert catalog.surface("api.groq.com") is None
    assert catalog.surface("gitlab.com") is not None
    assert catalog.version == f"{bundled_rows().version}+policy"


def test_a_row_with_the_id_of_a_bundled_one_takes_its_place_whole() -> None:
    catalog = made(own("llm.corp.example", name="groq"))
    assert catalog.surface("api.groq.com") is None
    match = catalog.match("llm.corp.example", "/ask")
    assert match is not None
    assert match.surface.id == "groq"
    assert match.endpoint is not None


def test_a_row_that_shares_adds_paths_to_a_bundled_host_and_one_that_does_not_takes_it_over() -> None:
    def at(catalog: Catalog, path: str) -> str:
        match = catalog.match("api.groq.com", path)
        return match.surface.id if match is not None and match.endpoint is not None else ""

    sharing = made(own("api.groq.com", ", shares: true"))
    assert (at(sharing, "/openai/v1/chat/completions"), at(sharing, "/ask")) == ("groq", "own")
    alone = made(own("api.groq.com"))
    assert (at(alone, "/openai/v1/chat/completions"), at(alone, "/ask")) == ("", "own")


def test_a_row_speaks_a_dialect_where_it_is_usually_spoken() -> None:
    row = "catalog: [{id: own, name: Own, provider: own, hosts: [llm.example.com], speaks: [anthropic-messages]}]\n"
    match = made(row).match("llm.example.com", "/any/v1/messages/count_tokens")
    assert match is not None
    assert match.endpoint is not None
    assert match.endpoint.operation == "count_tokens"


def test_a_host_that_is_never_decrypted_is_refused_unless_the_policy_insists_by_name() -> None:
    with pytest.raises(PolicyError, match="Microsoft uses it for sign-in") as caught:
        made(own("login.microsoftonline.com"))
    assert "overrides_never: ['login.microsoftonline.com']" in caught.value.hint()
    with pytest.raises(PolicyError, match=r"covers 'accounts\.google\.com'"):
        made(own("'*.google.com'"))
    insisted = made(own("login.microsoftonline.com", ", overrides_never: [login.microsoftonline.com]"))
    assert insisted.surface("login.microsoftonline.com") is not None


def test_a_file_stands_in_place_of_all_bundled_rows_but_the_gateways_own() -> None:
    catalog = made("catalog_file: c.toml\n", FILE)
    assert [row.id for row in catalog.surfaces] == ["gateway", "ours"]
    assert catalog.version == "2027-01-02 (c.toml)"
    assert catalog.own is not None
    match = catalog.match("llm.corp.example", "/v1/chat/completions")
    assert match is not None
    assert match.endpoint is not None
    assert made("catalog_file: c.toml\ncatalog_without: [ours]\n", FILE).hosts == frozenset()


@pytest.mark.parametrize(
    ("more", "file", "problem"),
    [
        ("", FILE.replace('version = "2027-01-02"', ""), "c.toml: missing version"),
        ("", FILE + "own = true\n", "hosts is given"),
        ("", FILE + "colour = 1\n", "c.toml: surface 'ours': unknown colour"),
        ("", FILE + FILE.partition("\n")[2], "the id 'ours' is in rows"),
        ("", FILE.replace('"ours"', '"gateway"', 1), "the id 'gateway' is in rows"),
        ("", FILE.replace("llm.corp.example", "auth.openai.com"), "never decrypted"),
        ("catalog_without: [openai]\n", FILE, "catalog_without: 'openai' is no row"),
        ("catalog_with: [databricks]\n", FILE, "catalog_with: 'databricks' is no row"),
        ("access: [{id: a, surfaces: [openai], action: block}]\n", FILE, "rule a: 'openai' is no row"),
        (
            "guardrails: [{id: g, detect: [secret], action: block, surfaces: [openai]}]\n",
            FILE,
            "rule g: 'openai' is no row",
        ),
    ],
)
def test_a_file_is_as_strict_as_ours(more: str, file: str, problem: str) -> None:
    with pytest.raises(PolicyError, match=problem):
        made(f"catalog_file: c.toml\n{more}", file)


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("catalog_without: [gateway]\n", "is the gateway itself"),
        (own("x.example.com", name="gateway"), "is the gateway itself"),
        (own("x.example.com", ", never: ['/**']"), "never reached"),
        (
            own("x.example.com", ", prefix: openai, origin: 'https://x.example.com', key_header: k"),
            "the prefix 'openai' is in rows",
        ),
    ],
)
def test_what_cannot_work_names_its_row(more: str, problem: str) -> None:
    with pytest.raises(PolicyError, match=problem):
        made(more)
