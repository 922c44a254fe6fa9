"""Fields with types."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agent.errors import ContentError
from agent.translation import fields


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (fields.text, "a", "a"),
        (fields.text, None, ""),
        (fields.number, 1, 1.0),
        (fields.number, 0.5, 0.5),
        (fields.number, None, None),
        (fields.whole, 5, 5),
        (fields.whole, 5.0, 5),
        (fields.flag, False, False),
        (fields.array, None, []),
        (fields.texts, "a", ("a",)),
        (fields.texts, ["a", "b"], ("a", "b")),
        (fields.texts, None, ()),
    ],
)
def test_a_field_is_read_with_its_type(
    read: Callable[[fields.Document, str], object], value: object, expected: object
) -> None:
    assert read({"f": value}, "f") == expected


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (fields.text, 1),
        (fields.number, "1"),
        (fields.number, True),
        (fields.whole, 1.5),
        (fields.whole, True),
        (fields.flag, "yes"),
        (fields.array, {}),
        (fields.texts, [1]),
    ],
)
def test_a_wrong_type_is_an_error_that_names_the_field(
    read: Callable[[fields.Document, str], object], value: object
) -> None:
    with pytest.raises(ContentError, match="`f` must be") as caught:
        read({"f": value}, "f")
    assert caught.value.hint()


def test_an_entry_of_an_array_is_an_object() -> None:
    with pytest.raises(ContentError, match=r"`messages\[1\]` must be an object"):
        fields.entry([{}, 1], 1, "messages")
