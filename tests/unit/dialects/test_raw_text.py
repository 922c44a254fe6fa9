"""Bodies that follow no dialect."""

from __future__ import annotations

import pytest

from agent.dialects.base import RequestHead
from agent.dialects.raw_text import RawText
from agent.errors import ContentError
from agent.model.content import Edit, Role, Slot

HEAD = RequestHead(method="POST", path="/v1/messages")


@pytest.mark.parametrize("body", ["plain text", '{"a": 1, "a": 2}', '["no object"]', ""])
def test_the_whole_body_is_one_slot(body: str) -> None:
    (slot,) = RawText().parse_request(HEAD, body.encode()).slots
    assert slot == Slot(address=((),), role=Role.USER, text=body)


@pytest.mark.parametrize("body", ["a secret", '{"a": "a secret", "a": 2}', '["é", "a secret"]'])
def test_the_slot_is_edited_where_it_stands(body: str) -> None:
    start = body.index("secret")
    edits = (Edit(address=((),), start=start, end=start + 6, replacement="[X]"),)
    assert RawText().edit_request(body.encode(), edits).decode() == body.replace("secret", "[X]")


def test_what_is_no_text_is_a_content_error() -> None:
    with pytest.raises(ContentError):
        RawText().parse_request(HEAD, b"\xff")


def test_a_refusal_is_plain_text() -> None:
    block = RawText().block("No.")
    assert (block.status, block.body) == (400, b"No.")
