"""Uploads as dialects: forms, JSON and bytes, whatever they are called; and how each says no."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.dialects import UPLOADS
from agent.dialects.base import RequestHead
from agent.dialects.carried import fetch
from agent.dialects.uploads import Upload, pointed, upload_dialects
from agent.model.content import Attachment, Coding

ALL = pytest.mark.parametrize("dialect", upload_dialects(), ids=lambda dialect: dialect.name)


def head(content_type: str = "", *, method: str = "POST", query: str = "") -> RequestHead:
    return RequestHead(method=method, path="/", query=query, content_type=content_type)


@ALL
@given(body=st.binary(min_size=1, max_size=200))
def test_any_bytes_are_a_file(dialect: Upload, body: bytes) -> None:
    request = dialect.parse_request(head("application/octet-stream", method="PUT", query="upload_id=1"), body)
    (file,) = request.attachments
    assert file.held is not None
    assert fetch(body, (file.held,)) == (body,)
    assert file.size == len(body)


@ALL
def test_a_form_is_read_part_by_part(dialect: Upload) -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nabc\r\n--b--\r\n'
    )
    request = dialect.parse_request(head("multipart/form-data; boundary=b"), body)
    assert [slot.text for slot in request.slots] == ["user_data"]
    (file,) = request.attachments
    assert (file.name, file.size) == ("a.txt", 3)


@pytest.mark.parametrize("broken", [b"--b\r\nno head\r\n\r\nabc\r\n--b--", b"--other\r\n\r\n", b"--b"])
def test_a_broken_form_is_a_file_as_a_whole(broken: bytes) -> None:
    (file,) = (
        UPLOADS["upload-openai"].parse_request(head("multipart/form-data; boundary=b"), broken).attachments
    )
    assert file.held is not None
    assert file.held.coding is Coding.BODY


def test_what_json_says_of_a_file_is_told_before_it_comes() -> None:
    body = json.dumps({"file": {"display_name": "a.pdf", "mime_type": "application/pdf", "size": 7}}).encode()
    (file,) = UPLOADS["upload-google"].parse_request(head("application/json"), body).attachments
    assert (file.name, file.media_type, file.size, file.held) == ("a.pdf", "application/pdf", 7, None)


def test_an_address_with_an_id_takes_bytes_whatever_they_look_like() -> None:
    body = b'{"file_name": "not this"}'
    request = UPLOADS["upload-google"].parse_request(head("application/json", query="upload_id=u"), body)
    assert request.attachments[0].name == ""
    assert request.attachments[0].size == len(body)


def test_one_upload_knows_what_was_said_of_it_before() -> None:
    known = Attachment(kind="file", name="a.pdf", media_type="application/pdf")
    dialect = upload_dialects()[0].of(known, sealed=True, whole=True)
    (file,) = dialect.parse_request(head(), b"x").attachments
    assert (file.name, file.media_type) == ("a.pdf", "application/pdf")
    assert file.held is not None
    assert file.held.sealed
    lost = upload_dialects()[0].of(Attachment(kind="file", problem="too_large"), sealed=False)
    assert lost.parse_request(head(), b"x").attachments[0].held is None


@ALL
def test_a_refusal_shows_its_words_and_is_no_answer_to_try_again(dialect: Upload) -> None:
    block = dialect.block("not <here> & now")
    assert 400 <= block.status < 408
    shown = block.body.decode()
    assert "not <here> & now" in shown or "not &lt;here&gt; &amp; now" in shown
    assert dialect.error(502, "gone").status == 502


@pytest.mark.parametrize(
    ("body", "pointer", "found"),
    [
        (b'{"file": {"id": "f"}}', "/file/id", "f"),
        (b'{"id": 1}', "/id", ""),
        (b"[]", "/id", ""),
        (b"nonsense", "/id", ""),
        (b"/contrib/abc\n", "text", "/contrib/abc"),
        (b"\0\1", "text", ""),
    ],
)
def test_ids_are_read_where_the_catalog_says(body: bytes, pointer: str, found: str) -> None:
    assert pointed(body, pointer) == found
