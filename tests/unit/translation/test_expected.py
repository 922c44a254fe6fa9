"""Fields of a request with the kind they promise."""

from __future__ import annotations

import pytest

from agent.errors import ContentError
from agent.translation import expected


@pytest.mark.parametrize(
    ("read", "value", "result"),
    [
        (expected.text, None, ""),
        (expected.text, "a", "a"),
        (expected.flag, None, None),
        (expected.flag, False, False),
        (expected.count, None, None),
        (expected.count, 3, 3),
        (expected.count, 3.0, 3),
        (expected.number, None, None),
        (expected.number, 0.5, 0.5),
        (expected.array, None, []),
        (expected.fields, None, {}),
        (expected.schema, {"type": "object"}, {"type": "object"}),
        (expected.strings, ["a", "b"], ("a", "b")),
    ],
)
def test_a_field_of_the_right_kind_is_read(read, value: object, result: object) -> None:
    assert read(value, "field") == result


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (expected.text, 1),
        (expected.flag, "true"),
        (expected.count, 1.5),
        (expected.count, True),
        (expected.number, "1"),
        (expected.number, True),
        (expected.array, {}),
        (expected.fields, []),
        (expected.strings, [1]),
    ],
)
def test_another_kind_is_an_error_that_names_the_field(read, value: object) -> None:
    with pytest.raises(ContentError, match=r"input\[0\]\.field") as caught:
        read(value, "input[0].field")
    assert caught.value.hint()


def test_other_fields_are_named_unless_they_are_null() -> None:
    known = frozenset(("a",))
    assert expected.others({"a": 1}, "x", known) == []
    assert expected.others({"a": 1, "b": 2, "c": None}, "x", known) == ["x.b"]
