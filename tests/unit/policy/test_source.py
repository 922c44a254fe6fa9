"""YAML as policies write it: a small subset, with lines."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.policy.source import MAX_BYTES, dotted, read, shown_key


def test_values_remember_their_lines() -> None:
    source = read("a: 1\nb:\n  - x\n  - {c: true}\n")
    assert source.tree == {"a": 1, "b": ["x", {"c": True}]}
    assert [source.line(each) for each in [("a",), ("b", 0), ("b", 1, "c"), ("b", 7)]] == [1, 3, 4, 2]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("12:30:00", "12:30:00"),
        ("2026-01-01", "2026-01-01"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("'1'", "1"),
        ("true", True),
        ("~", None),
        ("", None),
        ("-7", -7),
        ("1.5", 1.5),
        ("1e999", "1e999"),
        ("gpt-4", "gpt-4"),
        ("--1", "--1"),
    ],
)
def test_plain_scalars_mean_what_they_look_like(written: str, value: object) -> None:
    tree = read(f"k: {written}").tree
    assert tree == {"k": value}
    assert type(tree["k"]) is type(value)


BAD = [
    ("a: 1\nb: 2\na: 3", 3, "this key is already written on line 1"),
    ("a: &x [1]\nb: 2", 1, "anchors and aliases"),
    ("a: 1\nb: *x", 2, "anchors and aliases"),
    ("a: !!python/object:os.system x", 1, "tags"),
    ("a: 1\n2: x", 2, "a key must be text"),
    ("null: x", 1, "a key must be text"),
    ("? [a]\n: 1", 1, "a key must be text"),
    ("a:\n\tb: 1", 2, "a tab indents this line"),
    ("a: [1, 2\nb: 1", 2, "not valid YAML"),
    ("a: 1\nb: \x07", 2, "unprintable character"),
    ('a: "\\ud800"', 1, "Unicode"),
    ("a: \ud800", 1, "not valid YAML"),
    ("a: 1\n---\nb: 2", 2, "only one YAML document"),
    ("a: " + "[" * 100, 1, "levels"),
    ("a: 9007199254740992", 1, "too large"),
    ("a: " + "x" * MAX_BYTES, 1, "larger than 5 MB"),
]


@pytest.mark.parametrize(("text", "line", "wrong"), BAD, ids=[wrong for _, _, wrong in BAD])
def test_what_is_not_in_the_subset_is_reported_with_its_line(text: str, line: int, wrong: str) -> None:
    source = read(text)
    problem = source.problems[0]
    assert wrong in problem.text
    assert (problem.line or source.line(problem.location)) == line


def test_an_alias_bomb_costs_nothing() -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert all("anchors" in problem.text for problem in read(bomb).problems)


@given(st.text(alphabet=st.sampled_from("ab:-[]{}#&*!|>'\"%@`,? \n\t~1."), max_size=40))
def test_any_text_is_read_or_reported_on_a_line_it_has(text: str) -> None:
    source = read(text)
    lines = text.count("\n") + 1
    assert all(1 <= (problem.line or 1) <= lines + 1 for problem in source.problems)
    assert source.problems or orjson.dumps(source.tree)


TEXTS = st.text(st.characters(codec="ascii", exclude_characters="\x7f") | st.sampled_from("é😀"), max_size=5)
VALUES = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXTS


@given(
    st.recursive(
        VALUES,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
        max_leaves=6,
    )
)
def test_json_is_read_as_itself(value: object) -> None:
    source = read(orjson.dumps(value).decode())
    assert source.problems == ()
    assert source.tree == value


def test_places_are_written_as_people_write_them() -> None:
    assert dotted(("access", 2, "hosts", 0)) == "access[2].hosts[0]"


def test_a_key_that_looks_like_a_secret_is_not_repeated() -> None:
    pasted = "sk" + "-proj-" + "Ab1" * 8
    assert pasted not in shown_key(pasted) + dotted(("providers", pasted))
    assert shown_key("client_distrust") == "client_distrust"
