"""Answers of our own."""

from __future__ import annotations

import orjson
import pytest

from agent.dialects import DIALECTS
from agent.dialects.faults import Fault, error_about
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


@pytest.mark.parametrize(
    ("status", "fault", "kind", "code"),
    [
        (400, Fault.UNSAID, "invalid_request_error", None),
        (400, Fault.LENGTH, "invalid_request_error", "context_length_exceeded"),
        (401, Fault.UNSAID, "invalid_request_error", "invalid_api_key"),
        (402, Fault.UNSAID, "insufficient_quota", "insufficient_quota"),
        (403, Fault.UNSAID, "invalid_request_error", None),
        (403, Fault.MODEL, "invalid_request_error", "model_not_found"),
        (404, Fault.UNSAID, "invalid_request_error", None),
        (404, Fault.MODEL, "invalid_request_error", "model_not_found"),
        (429, Fault.UNSAID, "rate_limit_error", "rate_limit_exceeded"),
        (503, Fault.UNSAID, "server_error", None),
    ],
)
@pytest.mark.parametrize("name", ["openai-chat", "openai-responses"])
def test_openai_has_a_code_for_what_an_error_is_about(
    name: str, status: int, fault: Fault, kind: str, code: str | None
) -> None:
    block = error_about(DIALECTS[name], fault, status, "No.")
    assert block.status == status
    assert orjson.loads(block.body) == {
        "error": {"message": "No.", "type": kind, "param": None, "code": code}
    }
    if fault is Fault.UNSAID:
        assert DIALECTS[name].error(status, "No.") == block


def test_amazons_services_have_an_exception_for_a_quota() -> None:
    named = dict(DIALECTS["bedrock-converse"].error(402, "No.").headers)[b"x-amzn-errortype"]
    assert named == b"ServiceQuotaExceededException"


def test_an_openai_error_names_kind_and_code() -> None:
    assert openai_error("m", code="c") == {
        "error": {"message": "m", "type": "invalid_request_error", "param": None, "code": "c"}
    }
