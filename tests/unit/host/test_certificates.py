"""Which names a host list covers, and what its constraints permit."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.host.certificates import HostNames

name = st.lists(st.sampled_from(["a", "b", "api", "x-1"]), min_size=2, max_size=5).map(".".join)


@pytest.mark.parametrize(
    ("host", "covered"),
    [
        ("api.openai.com", True),
        ("x.api.openai.com", False),  # exact means exact
        ("openai.com", False),
        ("evilapi.openai.com", False),
        ("team.openai.azure.com", True),
        ("deep.team.openai.azure.com", True),
        ("openai.azure.com", False),  # the suffix itself is not below itself
        ("evilopenai.azure.com", False),
        ("api.openai.com.evil.example", False),
    ],
)
def test_an_exact_host_covers_itself_and_a_suffix_what_lies_below(host: str, *, covered: bool) -> None:
    assert HostNames(["API.openai.com", "*.openai.azure.com"]).cover(host) is covered


def test_constraints_leave_out_what_another_covers() -> None:
    names = HostNames(["chatgpt.com", "ab.chatgpt.com", "*.chatgpt.com", "*.azure.com", "notchatgpt.com"])
    assert names.constraints() == {"chatgpt.com", "azure.com", "notchatgpt.com"}


def test_a_template_permits_only_the_names_that_were_met() -> None:
    names = HostNames(["api.openai.com", "llm.{region}.amazonaws.com"])
    assert names.cover("llm.eu-west-1.amazonaws.com")
    assert names.shaped("llm.eu-west-1.amazonaws.com")
    assert not names.shaped("api.openai.com")
    assert not names.cover("s3.eu-west-1.amazonaws.com")
    assert names.constraints() == {"api.openai.com"}
    met = names.constraints(["llm.eu-west-1.amazonaws.com"])
    assert met == {"api.openai.com", "llm.eu-west-1.amazonaws.com"}


def test_no_hosts_permit_a_name_that_cannot_exist_rather_than_all() -> None:
    assert HostNames([]).constraints() == {"nothing.invalid"}
    assert not HostNames([]).cover("api.openai.com")


@pytest.mark.parametrize(
    "host",
    [
        "",
        ".",
        "*",
        "*.",
        "a..b",
        ".a.b",
        "a.b.",
        "-a.b",
        "a-.b",
        "a b.c",
        "ä.de",
        "a*.b",
        "1.2.3.4",
        "::1",
        "a" * 64,
        "{a} .example.com",
    ],
)
def test_what_is_no_host_name_never_enters_a_constraint(host: str) -> None:
    with pytest.raises(ValueError, match="not a host name"):
        HostNames([host])


@given(st.lists(name, max_size=6), st.lists(name, max_size=6), name)
@settings(max_examples=60, deadline=None)
def test_what_is_covered_is_permitted(exact: list[str], suffixes: list[str], asked: str) -> None:
    names = HostNames([*exact, *(f"*.{suffix}" for suffix in suffixes)])
    permitted = names.constraints()
    if names.cover(asked):
        assert any(asked == subtree or asked.endswith(f".{subtree}") for subtree in permitted)
    for name in (*exact, *suffixes):
        assert any(name == subtree or name.endswith(f".{subtree}") for subtree in permitted)
