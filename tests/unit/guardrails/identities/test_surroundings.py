"""What stands before a value."""

from __future__ import annotations

import pytest

from agent.guardrails.identities import surroundings


@pytest.mark.parametrize(
    ("before", "word"),
    [
        ("order_id: ", "id"),
        ('"orderId": "', "id"),
        ("ORDER #", "order"),
        ("", ""),
        ("see ", "see"),
        ("x=(", "x"),
    ],
)
def test_the_last_word(before: str, word: str) -> None:
    assert surroundings.last_word(before) == word


def test_names_of_other_things() -> None:
    assert surroundings.otherwise_named("ticket ")
    assert not surroundings.otherwise_named("phone ")


def test_escaped_line_breaks_do_not_touch() -> None:
    assert [surroundings.touches(before, "-") for before in ("a", "1", "-", "\\n", " ", "")] == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]


def test_scripts_without_spaces_do_not_touch() -> None:
    assert [surroundings.touches(before, "") for before in ("は", "号", "é", "я")] == [
        False,
        False,
        True,
        True,
    ]


def test_numbers_too_regular_to_be_issued() -> None:
    assert [
        surroundings.invented(digits) for digits in ("111111111", "123456789", "987654321", "735291423")
    ] == [
        True,
        True,
        True,
        False,
    ]


def test_words_for_telephones() -> None:
    assert surroundings.announces_telephone("please call me on ")
    assert not surroundings.announces_telephone("the value ")
