"""Names: which words and other patterns stand in a text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.guardrails.names import Names, Other, joined_owners

MEMORY = 1 << 22
WORDS = ("sk-", "sk-ant", "token", "tok", "0/12", "k.")
NAMES = Names(WORDS, [Other("né|ne", "ne"), Other("日本", "")], memory=MEMORY)


def test_words_are_told_in_any_case_and_beside_each_other() -> None:
    assert NAMES.found(b"nothing of all this") == set()
    assert NAMES.found(b"SK-ant and a Token") == {0, 1, 2, 3}
    assert NAMES.found(b"10/1200 K.") == {4, 5}


def test_other_patterns_stand_behind_the_words() -> None:
    assert NAMES.found(b"one") == {6}
    assert NAMES.found("né 日本".encode()) == {6, 7}


def test_signs_that_are_no_ascii_letters_are_none() -> None:
    assert NAMES.found("to\u212aen \u017fk-".encode()) == set()


@given(st.text(alphabet="sSkK-antToeE0/12.", max_size=40))
def test_what_is_told_is_what_stands_there(text: str) -> None:
    found = NAMES.found(text.encode())
    assert {place for place in found if place < len(WORDS)} == {
        place for place, word in enumerate(WORDS) if word in text.lower()
    }


def test_words_know_their_owners() -> None:
    assert joined_owners([(0, ("a", "b")), (1, ("b",))]) == {"a": [0], "b": [0, 1]}
