"""Files of one document to a line."""

from __future__ import annotations

import pytest

from agent.dialects.jsonlines import MAX_LINES, edit_lines, lines_of
from agent.errors import ContentError
from agent.model.content import Edit


def test_lines_have_numbers_and_empty_ones_are_left_out() -> None:
    assert list(lines_of(b'{"a":1}\r\n\n  \n{"b":2}')) == [(0, b'{"a":1}\r'), (3, b'{"b":2}')]


def test_an_edit_changes_its_line_only() -> None:
    body = b'{"a": "x"}\r\n\n{ "a" : "x" }\n'
    edits = [(2, Edit(address=(("a",),), start=0, end=1, replacement="y"))]
    assert edit_lines(body, edits) == b'{"a": "x"}\r\n\n{ "a" : "y" }\n'
    assert edit_lines(body, []) == body


def test_the_number_of_lines_is_bounded() -> None:
    with pytest.raises(ContentError):
        list(lines_of(b"{}\n" * (MAX_LINES + 1)))
