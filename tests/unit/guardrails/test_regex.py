"""The door to RE2."""

from __future__ import annotations

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from agent.guardrails.regex import Census, RegexpError, Sieve, compiled, escaped

MEMORY = 8 << 20


def test_re2s_reason_is_told() -> None:
    with pytest.raises(RegexpError, match=r"invalid perl operator: \(\?="):
        compiled("(?=a)", memory=MEMORY)


def test_escaped_text_matches_itself() -> None:
    text = "a.b*[c]\\é"
    assert compiled(escaped(text), memory=MEMORY).match(text.encode()) is not None
    assert compiled(escaped("a.b"), memory=MEMORY).search(b"axb") is None


def test_a_sieve_names_the_patterns_whose_literals_occur() -> None:
    sieve = Sieve(["foo[a-z]+", "(?i)barr", "[0-9]+"], memory=MEMORY)
    assert sorted(sieve.candidates(b"a BARR")) == [1, 2]
    assert sieve.candidates(b"") == [2]
    assert Sieve([], memory=MEMORY).candidates(b"x") == []


def test_a_census_names_the_patterns_that_match() -> None:
    census = Census(["a+b", "c$", "[0-9]{3}"], memory=MEMORY)
    assert sorted(census.matching(b"xaab 123")) == [0, 2]
    assert census.matching(b"c x") == []
    assert Census([], memory=MEMORY).matching(b"x") == []


def test_a_census_that_ran_out_of_memory_names_all() -> None:
    census = Census(["a", "b"], memory=MEMORY)
    assert census.matching(b"x") == []
    # what RE2 answers where nothing matches, and where its memory does not suffice
    census._ask = lambda text: []
    assert census.matching(b"x") == [0, 1]


PATTERNS = (
    r"a",
    r"(a)|(b+)",
    r"(?i)key[ :=]+([a-z0-9]{2,5})",
    r"\bab\b",
    r"^a|b$",
    r"a*",
    r"(?:é|ü)+",
    r"(a(b)?)\z",
)


@given(
    pattern=st.sampled_from(PATTERNS),
    text=st.text(st.sampled_from("ab é=:kyü1\n"), max_size=12),
    pos=st.integers(-2, 14),
    endpos=st.none() | st.integers(0, 14),
    captures=st.booleans(),
)
def test_a_search_finds_what_the_librarys_own_wrapper_finds(
    pattern: str, text: str, pos: int, endpos: int | None, captures: bool
) -> None:
    data = text.encode()
    ours = compiled(pattern, memory=1 << 20, captures=captures)
    options = re2.Options()
    options.never_capture = not captures
    theirs = re2.compile(pattern, options)
    for mine, reference in (
        (ours.search(data, pos, endpos), theirs.search(data, pos, endpos)),
        (ours.match(data, pos), theirs.match(data, pos)),
    ):
        assert (mine is None) == (reference is None)
        if mine is not None and reference is not None:
            groups = range(1 + (ours.groups if captures else 0))
            assert [mine.span(group) for group in groups] == [reference.span(group) for group in groups]
            assert (mine.start(), mine.end()) == reference.span()
    assert ours.programsize == theirs.programsize
