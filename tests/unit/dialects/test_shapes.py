"""Narrowing of JSON values."""

from __future__ import annotations

import pytest

from agent.dialects.shapes import holds_prose, integer, json_object, mapping, most, objects, string
from agent.errors import ContentError


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"5", b"null", b"[{}]", b"not json"])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(ContentError):
        json_object(body)


def test_what_has_another_shape_reads_as_empty() -> None:
    assert (mapping({"a": 1}), mapping([1]), mapping(None)) == ({"a": 1}, {}, {})
    assert (string("s"), string(5), string(None)) == ("s", "", "")
    assert (integer(5), integer(True), integer("5"), integer(5.0)) == (5, None, None, None)
    assert list(objects([{"a": 1}, 2, {"b": 3}])) == [(0, {"a": 1}), (2, {"b": 3})]
    assert list(objects({"a": 1})) == []


def test_prose_is_told_from_ids_and_keys() -> None:
    assert holds_prose({"a": [1, {"b": "two words"}]})
    assert holds_prose("two\nwords")
    assert not holds_prose({"two words": ["one", " padded ", None, 5, ""]})


@pytest.mark.parametrize(
    ("value", "bound"),
    [(9, 9), (0, 0), (9.0, 9), (-1, None), (0.5, None), (True, None), ("9", None), (float("inf"), None)],
)
def test_what_bounds_an_answer_is_whole_and_not_negative(value: object, bound: int | None) -> None:
    assert most(value) == bound
