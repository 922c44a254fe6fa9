"""Uploads: batches and material for training, line by line."""

from __future__ import annotations

import orjson
import pytest

from agent.dialects import DIALECTS
from agent.dialects.base import ParsedRequest, RequestHead
from agent.errors import ContentError
from agent.model.content import Attachment, Edit, Role
from tests.unit.dialects.feeding import said

DIALECT = DIALECTS["openai-files"]
HEAD = RequestHead(method="POST", path="/v1/files", content_type="multipart/form-data; boundary=b")
FIRST = (
    b'{"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "gpt", "messages":'
    b' [{"role": "user", "content": "one"}]}}'
)
BATCH = (
    FIRST,
    b'{"custom_id":"2","url":"/v1/responses","body":{"model":"gpt","instructions":"two","input":"three"}}\r',
    b"",
    b'{"custom_id":"3","url":"/v1/embeddings","body":{"model":"gpt","input":["four"]}}',
)
TRAINING = (
    b'{"messages":[{"role":"system","content":"s"},{"role":"assistant","content":"a","weight":0}]}',
    b'{"prompt":"p","completion":"c"}',
    b'{"input":{"messages":[{"role":"user","content":"u"}]},"preferred_output":[{"role":"assistant","content":"y"}]}',
)


def form(purpose: str, *lines: bytes) -> bytes:
    return (
        b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n%s\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.jsonl"\r\nContent-Type: application/jsonl'
        b"\r\n\r\n%s\r\n--b--\r\n"
    ) % (purpose.encode(), b"\n".join(lines))


def parsed(body: bytes) -> ParsedRequest:
    return DIALECT.parse_request(HEAD, body)


def test_the_requests_of_a_batch_are_read() -> None:
    request = parsed(form("batch", *BATCH))
    assert said(request.slots) == [
        (Role.USER, "one"),
        (Role.SYSTEM, "two"),
        (Role.USER, "three"),
        (Role.USER, "four"),
    ]
    assert (request.model, request.operation) == ("gpt", "files")
    assert request.attachments[0].name == "x.jsonl"


def test_material_for_training_is_read() -> None:
    assert [slot.text for slot in parsed(form("fine-tune", *TRAINING)).slots] == [
        "s",
        "a",
        "p",
        "c",
        "u",
        "y",
    ]


@pytest.mark.parametrize("lines", [BATCH, TRAINING])
def test_a_text_can_be_changed_and_nothing_else_is(lines: tuple[bytes, ...]) -> None:
    purpose = "batch" if lines is BATCH else "fine-tune"
    body = form(purpose, *lines)
    for slot in parsed(body).slots:
        edited = DIALECT.edit_request(
            body, (Edit(address=slot.address, start=0, end=len(slot.text), replacement="[X]"),)
        )
        assert edited == body.replace(b'"%s"' % slot.text.encode(), b'"[X]"', 1)


def test_edits_in_several_lines_and_in_a_field() -> None:
    body = form("batch", *BATCH).replace(
        b"--b\r\n", b'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\nsecret\r\n--b\r\n', 1
    )
    edits = tuple(
        Edit(address=slot.address, start=0, end=len(slot.text), replacement="[X]")
        for slot in parsed(body).slots
    )
    texts = [slot.text for slot in parsed(DIALECT.edit_request(body, edits)).slots]
    assert texts == ["[X]"] * 5


def test_other_files_are_attachments() -> None:
    request = parsed(form("user_data", b"\x00\xff"))
    assert request.slots == ()
    assert request.attachments == (
        Attachment(kind="file", media_type="application/jsonl", size=2, name="x.jsonl"),
    )


@pytest.mark.parametrize(
    "lines",
    [
        (b"no json",),
        (b'{"url":"/v1/responses","body":{"model":"a"}}', b'{"url":"/v1/responses","body":{"model":"b"}}'),
        (b'{"body":{"input":"a","input":"b"}}',),
    ],
)
def test_a_batch_that_cannot_be_read_is_an_error(lines: tuple[bytes, ...]) -> None:
    with pytest.raises(ContentError):
        parsed(form("batch", *lines))


def test_a_large_upload_is_announced() -> None:
    body = orjson.dumps(
        {"filename": "a.pdf", "bytes": 5, "mime_type": "application/pdf", "purpose": "user_data"}
    )
    assert parsed(body).attachments == (Attachment(kind="file", media_type="application/pdf", name="a.pdf"),)
    assert DIALECT.edit_request(b"{}", ()) == b"{}"


def test_facts_about_a_file_are_no_text() -> None:
    assert DIALECT.parse_answer(b'{"id":"file-1","filename":"x"}').slots == ()
