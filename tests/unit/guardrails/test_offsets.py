"""Bytes to characters."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.guardrails.detector import Span
from agent.guardrails.offsets import boundary, characters, encoded, in_characters


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(), max_size=20), st.data())
def test_spans_of_bytes_become_spans_of_characters(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    span = Span(len(encoded(text[:start])), len(encoded(text[:end])), 0)
    assert list(in_characters([span], encoded(text))) == [Span(start, end, 0)]


def test_lone_surrogates_count_as_one() -> None:
    assert characters(encoded("a\ud83db")) == 3


def test_a_boundary_is_the_start_of_its_character() -> None:
    data = encoded("aé漢🚀b")
    assert [boundary(data, place) for place in range(-1, len(data) + 1)] == [
        0,
        0,
        1,
        1,
        3,
        3,
        3,
        6,
        6,
        6,
        6,
        10,
        11,
    ]
