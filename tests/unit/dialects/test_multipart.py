"""Forms are read in one way or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.dialects.base import ParsedRequest, RequestHead
from agent.dialects.multipart import MAX_PARTS, edit_form, is_form, parts_of, read_form, spliced, with_field
from agent.errors import ContentError
from agent.model.content import Edit

HEAD = RequestHead(
    method="POST", path="/v1/audio/transcriptions", content_type="multipart/form-data; boundary=b"
)


def field(name: str, value: bytes, more: str = "") -> bytes:
    return f'--b\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value + b"\r\n"


FILE = (
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="talk.mp3"\r\n'
    b"Content-Type: audio/mpeg\r\n\r\n\xff\xfb--x\r\n"
)
END = b"--b--\r\n"
FORM = field("model", b"openai/whisper-1") + FILE + field("prompt", b"say TOY") + END


def read(body: bytes) -> ParsedRequest:
    return read_form(HEAD, body)


def test_fields_are_texts_and_files_are_attachments() -> None:
    request = read(FORM)
    assert request.model == "openai/whisper-1"
    assert [(slot.text, slot.address) for slot in request.slots] == [("say TOY", (("prompt", 2),))]
    [audio] = request.attachments
    assert (audio.kind, audio.media_type, audio.size, audio.name) == ("audio", "audio/mpeg", 5, "talk.mp3")


def test_a_text_is_edited_and_every_other_byte_stays() -> None:
    made = edit_form(FORM, (Edit(address=(("prompt", 2),), start=4, end=7, replacement="***"),))
    assert made == FORM.replace(b"TOY", b"***")


def test_a_field_gets_another_value() -> None:
    assert with_field(FORM, "model", "whisper-1") == FORM.replace(b"openai/whisper-1", b"whisper-1")
    with pytest.raises(ContentError):
        with_field(FORM, "file", "x")


def test_a_stream_is_asked_for_in_words() -> None:
    assert read(field("stream", b"true") + END).stream


def test_what_may_be_named_often_is_named_with_brackets() -> None:
    assert len(read(field("image[]", b"a") + field("image[]", b"b") + END).slots) == 2


@pytest.mark.parametrize(
    "body",
    [
        field("model", b"a") + field("model", b"b") + END,
        b"preamble\r\n" + FORM,
        FORM + b"epilogue",
        FORM.removesuffix(END),
        field("model", b"a", '; filename="x\\"') + END,
        field("model", b"a", "; name=other") + END,
        field('a"; name="model', b"a") + END,
        field("model", b"\xff") + END,
        field("model", b"a").replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n") + END,
        field("model", b"a").replace(b"Content-Disp", b"content-disposition: x\r\nContent-Disp") + END,
        field("model", b"a").replace(b"\r\n\r\n", b"\r\n") + END,
        b"--b\r\n\r\na\r\n" + END,
        b"--\r\n\r\n--\r\n--",
        b"--b",
        field("n[]", b"1") * (MAX_PARTS + 1) + END,
    ],
)
def test_what_can_be_read_in_two_ways_is_no_form(body: bytes) -> None:
    with pytest.raises(ContentError):
        read(body)


@pytest.mark.parametrize(
    "name",
    [
        "application/json",
        "multipart/form-data",
        "multipart/form-data; boundary=c",
        "multipart/form-data; boundary=b; boundary=c",
        "multipart/form-data; boundary=b, multipart/form-data; boundary=c",
    ],
)
def test_a_form_by_another_name_is_none(name: str) -> None:
    with pytest.raises(ContentError):
        read_form(RequestHead(method="POST", path="/", content_type=name), FORM)


def test_no_json_is_a_form() -> None:
    assert is_form(FORM)
    assert not is_form(b'{"a": 1}')


@given(st.lists(st.tuples(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.text(max_size=20)), max_size=6))
def test_what_is_written_is_read(fields: list[tuple[str, str]]) -> None:
    fields = [(name, text) for name, text in dict(fields).items() if "--b" not in text]
    body = b"".join(field(name, text.encode()) for name, text in fields) + END
    if not fields:
        return
    found = parts_of(body)
    assert [(part.name, body[part.start : part.end].decode()) for part in found] == fields


@given(st.binary(max_size=80), st.integers(0, len(FORM)))
def test_nonsense_is_an_error_of_content(noise: bytes, at: int) -> None:
    for body in (noise, b"--" + noise, FORM[:at] + noise, FORM[:at] + noise + FORM[at:]):
        try:
            read(body)
        except ContentError:
            continue


def test_parts_of_any_kind_can_be_replaced() -> None:
    assert spliced(FORM, {0: b"other"}) == FORM.replace(b"openai/whisper-1", b"other")
    assert read(spliced(FORM, {1: b"new"})).attachments[0].size == 3
    assert spliced(FORM, {}) == FORM


def test_a_form_with_several_files_of_one_name_is_edited_as_it_was_read() -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
    files = [part % (b"image[]", b'; filename="%d.png"' % number, b"bytes") for number in range(2)]
    body = b"".join((*files, part % (b"prompt", b"", b"say the secret"), b"--b--\r\n"))
    head = RequestHead(method="POST", path="/", content_type="multipart/form-data; boundary=b")
    (slot,) = read_form(head, body, many=True).slots
    edit = Edit(address=slot.address, start=4, end=14, replacement="nothing")
    assert edit_form(body, (edit,)) == body.replace(b"the secret", b"nothing")
