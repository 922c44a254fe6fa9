"""Files in bodies: taken out, put back, left out; every other byte as it came."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.dialects import DIALECTS
from agent.dialects.base import RequestHead
from agent.dialects.carried import fetch, put, without
from agent.errors import ContentError
from agent.model.content import Coding, Held

BOUNDARY = "--b"
STEP = Held(coding=Coding.BASE64, path=("a", 1, "data"), element=("a", 1), text_type="text")


def body(data: str, **more: object) -> bytes:
    return json.dumps({"z": 1, "a": [{"x": 1}, {"data": data, **more}, "rest"]}, indent=2).encode()


def form(*values: bytes) -> bytes:
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="f{place}"; filename="n"\r\n\r\n'.encode()
        + value
        + b"\r\n"
        for place, value in enumerate(values)
    ]
    return b"".join(parts) + b"--b--\r\n"


@pytest.mark.parametrize(
    "written",
    [
        lambda data: base64.b64encode(data).decode(),
        lambda data: base64.urlsafe_b64encode(data).decode(),
        lambda data: base64.b64encode(data).decode().rstrip("="),
        lambda data: base64.encodebytes(data).decode(),
        lambda data: "data:text/plain;charset=x;base64," + base64.b64encode(data).decode(),
    ],
    ids=["plain", "url", "bare", "lines", "data"],
)
@given(data=st.binary(max_size=200), new=st.binary(max_size=200))
def test_what_is_put_in_is_taken_out(written: object, data: bytes, new: bytes) -> None:
    assert callable(written)
    document = body(written(data))
    assert fetch(document, (STEP,)) == (data,)
    changed = put(document, {STEP: new})
    assert fetch(changed, (STEP,)) == (new,)
    assert json.loads(changed)["a"][0::2] == [{"x": 1}, "rest"]


def test_a_data_url_without_base64_is_percent_encoded() -> None:
    document = body("data:text/plain,a%20b%ff")
    assert fetch(document, (STEP,)) == (b"a b\xff",)
    assert fetch(put(document, {STEP: b"c d"}), (STEP,)) == (b"c d",)


@given(
    st.lists(st.binary(max_size=80).filter(lambda value: b"--b" not in value), min_size=1, max_size=4),
    st.binary(max_size=40).filter(lambda value: b"--b" not in value),
    st.data(),
)
def test_a_part_of_a_form_is_replaced_and_no_other(
    values: list[bytes], new: bytes, draw: st.DataObject
) -> None:
    place = draw.draw(st.integers(0, len(values) - 1))
    held = [Held(coding=Coding.PART, path=(f"f{number}", number)) for number in range(len(values))]
    document = form(*values)
    assert fetch(document, tuple(held)) == tuple(values)
    changed = put(document, {held[place]: new})
    assert changed == form(*values[:place], new, *values[place + 1 :])


@pytest.mark.parametrize("data", ["!", "a", "äöü"])
def test_what_is_no_base64_is_not_there(data: str) -> None:
    assert fetch(body(data), (STEP,)) == (None,)


@pytest.mark.parametrize("document", [b"{", b"[]", b'{"a": 1}', b'{"a": [1]}'])
def test_what_is_not_where_it_should_be_is_not_there(document: bytes) -> None:
    assert fetch(document, (STEP,)) == (None,)
    with pytest.raises(ContentError):
        put(document, {STEP: b""})


def test_a_file_is_left_out_for_a_text() -> None:
    document = body("eA==", deep={"y": [1, 2]})
    assert json.loads(without(document, {STEP: "gone"}))["a"][1] == {"type": "text", "text": "gone"}
    plain = Held(coding=Coding.BASE64, path=STEP.path, element=STEP.element)
    assert json.loads(without(document, {plain: "gone"}))["a"][1] == {"text": "gone"}
    with pytest.raises(ContentError):
        without(document, {Held(coding=Coding.BASE64, path=STEP.path): "gone"})


# Every format says where its files are

REQUESTS = {
    "openai-chat": {
        "messages": [
            {
                "role": "user",
                "content": [{"type": "file", "file": {"file_data": "data:a/b;base64,eA==", "filename": "n"}}],
            }
        ]
    },
    "openai-responses": {
        "input": [{"role": "user", "content": [{"type": "input_file", "file_data": "data:a/b;base64,eA=="}]}]
    },
    "anthropic-messages": {
        "messages": [
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "content": [
                            {
                                "type": "document",
                                "source": {"type": "base64", "media_type": "a/b", "data": "eA=="},
                            }
                        ],
                    }
                ],
            }
        ]
    },
    "gemini-generate-content": {
        "contents": [{"parts": [{"inline_data": {"mime_type": "a/b", "data": "eA"}}]}]
    },
    "bedrock-converse": {
        "messages": [
            {
                "role": "user",
                "content": [{"document": {"format": "txt", "name": "n", "source": {"bytes": "eA=="}}}],
            }
        ]
    },
    "cohere-chat": {
        "messages": [
            {
                "role": "user",
                "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,eA=="}}],
            }
        ]
    },
}


@pytest.mark.parametrize("name", REQUESTS)
def test_every_format_tells_where_its_files_stand_and_what_may_stand_there_instead(name: str) -> None:
    dialect, document = DIALECTS[name], json.dumps(REQUESTS[name]).encode()
    head = RequestHead(method="POST", path="/")
    (attachment,) = dialect.parse_request(head, document).attachments
    assert attachment.held is not None
    assert fetch(document, (attachment.held,)) == (b"x",)
    changed = put(document, {attachment.held: b"yz"})
    assert fetch(changed, (attachment.held,)) == (b"yz",)
    left = dialect.parse_request(head, without(document, {attachment.held: "gone"}))
    assert left.attachments == ()
    assert [slot.text for slot in left.slots] == ["gone"]


IDS = {
    "openai-chat": {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "f1"}}]}]},
    "openai-responses": {"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f1"}]}]},
    "anthropic-messages": {
        "messages": [
            {"role": "user", "content": [{"type": "document", "source": {"type": "file", "file_id": "f1"}}]}
        ]
    },
    "gemini-generate-content": {
        "contents": [{"parts": [{"fileData": {"fileUri": "https://x.example/v1beta/files/f1"}}]}]
    },
}


@pytest.mark.parametrize("name", IDS)
def test_every_format_tells_which_uploaded_files_it_means(name: str) -> None:
    parsed = DIALECTS[name].parse_request(
        RequestHead(method="POST", path="/"), json.dumps(IDS[name]).encode()
    )
    expected = "files/f1" if name.startswith("gemini") else "f1"
    assert parsed.files == (expected,)
    assert [each.id for each in parsed.attachments] == [expected]


def test_the_files_of_a_code_interpreter_are_told() -> None:
    document = {
        "input": "x",
        "tools": [{"type": "code_interpreter", "container": {"type": "auto", "file_ids": ["f1"]}}],
    }
    parsed = DIALECTS["openai-responses"].parse_request(
        RequestHead(method="POST", path="/"), json.dumps(document).encode()
    )
    assert parsed.files == ("f1",)
