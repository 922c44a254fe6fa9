"""The door to RE2."""

from __future__ import annotations

import pytest

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
    class Exhausted:
        def Match(self, text: bytes) -> None:  # noqa: N802
            """What RE2 answers where nothing matches, and where its memory does not suffice."""

    census = Census(["a", "b"], memory=MEMORY)
    census._set = Exhausted()
    assert census.matching(b"x") == [0, 1]
