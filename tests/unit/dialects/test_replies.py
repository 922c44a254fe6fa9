"""Answers of our own."""

from __future__ import annotations

import orjson

from agent.dialects.replies import JsonEdits, json_reply, openai_error
from agent.model.content import Edit


def test_a_reply_is_json_with_its_length() -> None:
    block = json_reply(400, {"message": "grün"}, (b"x-extra", b"1"))
    assert block.status == 400
    assert orjson.loads(block.body) == {"message": "grün"}
    assert dict(block.headers) == {
        b"content-type": b"application/json",
        b"content-length": str(len(block.body)).encode(),
        b"x-extra": b"1",
    }


def test_requests_answers_and_events_are_edited_alike() -> None:
    body = b'{"a": "secret"}'
    edits = (Edit(address=(("a",),), start=0, end=6, replacement="x"),)
    edited = JsonEdits()
    assert {
        edited.edit_request(body, edits),
        edited.edit_answer(body, edits),
        edited.edit_event(body, edits),
    } == {b'{"a": "x"}'}


def test_an_openai_error_names_kind_and_code() -> None:
    assert openai_error("m", code="c") == {
        "error": {"message": "m", "type": "invalid_request_error", "param": None, "code": "c"}
    }
