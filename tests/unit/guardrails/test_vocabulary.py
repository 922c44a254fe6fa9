"""Word lists: well formed, and consistent with what reads them."""

from __future__ import annotations

from agent.guardrails import vocabulary
from agent.guardrails.checksums import luhn

LISTS = {name: value for name, value in vars(vocabulary).items() if name.isupper()}


def test_words_are_lower_case_and_lists_are_not_empty() -> None:
    assert len(LISTS) == 12
    for words in LISTS.values():
        assert len(words) > 5
        assert all(word == word.lower() and word.isascii() for word in words)


def test_test_cards_would_pass_for_real_ones() -> None:
    wrong = [
        number for number in vocabulary.TEST_CARDS if not number.isdigit() or not 13 <= len(number) <= 19
    ]
    assert wrong == []
    assert all(luhn(number) for number in vocabulary.TEST_CARDS)


def test_countries_have_two_letters() -> None:
    assert {len(word) for word in vocabulary.COUNTRY_DOMAINS} == {2}
