"""Stop words: found wherever they stand, in any case, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.guardrails.stopwords import StopWords

WORDS = st.lists(st.text("abAé", min_size=1, max_size=4), max_size=8)


@given(WORDS, st.text("abABé-", max_size=30))
def test_a_word_is_found_where_a_search_for_it_finds_it(words: list[str], value: str) -> None:
    expected = any(word.lower() in value.lower() for word in words)
    assert StopWords(words).found_in(value) is expected


def test_a_word_inside_another_is_found_when_the_longer_breaks_off() -> None:
    words = StopWords(["example", "amp"])
    assert words.found_in("exAMPle")
    assert words.found_in("examp")
    assert not words.found_in("exam")


def test_no_words_are_found_in_nothing_and_an_empty_word_is_refused() -> None:
    assert not StopWords([]).found_in("anything")
    with pytest.raises(ValueError, match="must not be empty"):
        StopWords([""])
