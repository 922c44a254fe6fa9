"""Hosts as the catalog writes them: what a template fits, what goes first, and where two of them meet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.model.hostpattern import HostTable, HostTemplate, is_template, overlap

AWS = HostTemplate.compile("bedrock-runtime.{region}.amazonaws.com")


@pytest.mark.parametrize(
    ("host", "fits"),
    [
        ("bedrock-runtime.eu-west-1.amazonaws.com", True),
        ("bedrock-runtime.amazonaws.com", False),
        ("bedrock-runtime..amazonaws.com", False),
        ("bedrock-runtime.a.b.amazonaws.com", False),
        ("x.bedrock-runtime.eu-west-1.amazonaws.com", False),
        ("bedrock-runtime.eu-west-1.amazonaws.com.evil.example", False),
        ("bedrock-runtime.ä.amazonaws.com", False),
        ("bedrock-runtime.*.amazonaws.com", False),
    ],
)
def test_a_name_in_braces_is_one_label_or_part_of_it(host: str, *, fits: bool) -> None:
    assert AWS.fits(host.split(".")) is fits


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("api.{name}.com", "too wide"),
        ("{name}", "too wide"),
        ("a.example.com", "no name in braces"),
        ("{a}-{b}.example.com", "one closed"),
        ("{}.example.com", "one closed"),
        ("{a b}.example.com", "one closed"),
        ("{a.example.com", "one closed"),
        ("a}.{b}.example.com", "stray brace"),
    ],
)
def test_a_template_that_could_mean_too_much_or_nothing_is_refused(text: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        HostTemplate.compile(text)


def test_the_most_literal_pattern_goes_first_whatever_the_order() -> None:
    hosts = [
        "*.example.com",
        "{x}.llm.example.com",
        "{x}-chat.llm.example.com",
        "eu.{x}.example.com",
        "eu.llm.example.com",
    ]
    for order in (hosts, hosts[::-1]):
        table: HostTable[str] = HostTable()
        for host in order:
            table.put(host, host)
        asked = {
            "eu.llm.example.com": "eu.llm.example.com",
            "us-chat.llm.example.com": "{x}-chat.llm.example.com",
            "us.llm.example.com": "{x}.llm.example.com",
            "eu.other.example.com": "eu.{x}.example.com",
            "a.b.c.example.com": "*.example.com",
        }
        assert {name: table.find(name) for name in asked} == asked
        assert table.find("example.com") is None
        assert [table.kept(host) for host in hosts] == hosts


@pytest.mark.parametrize(
    ("first", "second", "meets"),
    [
        ("a.example.com", "a.example.com", True),
        ("a.example.com", "b.example.com", False),
        ("*.example.com", "a.b.example.com", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", "*.b.example.com", True),
        ("*.example.com", "{x}.example.com", True),
        ("{x}.example.com", "a.b.example.com", False),
        ("q.{x}.example.com", "q.eu.example.com", True),
        ("q.{x}.example.com", "oidc.{x}.example.com", False),
        ("{x}-llm.example.com", "eu-{y}.example.com", True),
        ("{x}-llm.example.com", "{y}-auth.example.com", False),
        ("{x}-llm.example.com", "auth.example.com", False),
    ],
)
def test_two_patterns_meet_where_some_name_fits_both(first: str, second: str, *, meets: bool) -> None:
    assert overlap(first, second) is meets
    assert overlap(second, first) is meets


part = st.sampled_from(["a", "b", "x-a"])
labels = st.lists(st.one_of(part, st.sampled_from(["{n}", "x-{n}"])), min_size=0, max_size=2)
patterns = st.builds(
    lambda star, head, tail: ".".join(
        (["*"] if star and not any("{" in each for each in head) else []) + head + tail
    ),
    st.booleans(),
    labels,
    st.lists(part, min_size=2, max_size=2),
)


@given(patterns, patterns, st.lists(part, min_size=2, max_size=5).map(".".join))
def test_where_a_name_fits_both_they_meet(first: str, second: str, name: str) -> None:
    for host in (first, second):
        table: HostTable[bool] = HostTable()
        table.put(host, True)
        if table.find(name) is None:
            return
    assert overlap(first, second)


def test_braces_make_a_template() -> None:
    assert is_template("{x}.example.com")
    assert is_template("x}.example.com")
    assert not is_template("*.example.com")
