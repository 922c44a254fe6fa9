"""Google's batches: cut by the lengths they state, whole again after an edit, and whatever else comes passes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.dialects.batches import BatchFraming, chunk, edit_question, flat, nested, question, units_of
from agent.errors import ContentError
from agent.model.content import Edit
from tests.fakes.chat_pages import frame

texts = st.text(alphabet=st.sampled_from("ab1\n\"\\é€😀]['"), max_size=20)


def cut(stream: bytes, size: int) -> tuple[list[bytes], list[bytes]]:
    """The raw bytes and the data of each event, fed in pieces of that size."""
    framing = BatchFraming()
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    events = [event for piece in pieces for event in framing.feed(piece)] + framing.finish()
    return [event.raw for event in events], [event.data for event in events]


@given(
    said=st.lists(texts, max_size=4),
    size=st.integers(1, 50),
    space=st.sampled_from(["", "\n", "\n\n", "\r\n"]),
)
def test_an_answer_is_cut_into_its_chunks_however_it_comes(said: list[str], size: int, space: str) -> None:
    stream = (")]}'" + space + "".join(frame([["wrb.fr", None, text]]) for text in said)).encode()
    raw, data = cut(stream, size)
    assert b"".join(raw) == stream
    assert [json.loads(each)[0][2] for each in data if each] == said


@given(text=texts)
def test_a_chunk_that_says_something_else_states_its_new_length(text: str) -> None:
    framing = BatchFraming()
    (event,) = framing.feed(frame(["short"]).encode())
    changed = framing.encode(
        "", event.data.replace(b"short", json.dumps(text, ensure_ascii=False)[1:-1].encode())
    )
    assert changed == frame([text]).encode()


def test_a_length_that_leaves_out_a_line_end_is_followed_too() -> None:
    text = '[["wrb.fr",null,"x"]]'
    stream = f")]}}'\n\n{len(text) + 1}\n{text}\n{len(text) + 1}\n{text}\n".encode()
    raw, data = cut(stream, 7)
    assert b"".join(raw) == stream
    assert [each for each in data if each] == [f"\n{text}".encode()] * 2


@pytest.mark.parametrize(
    "stream",
    [b")]}'\n\n[[1],\n[2]]", b'{"error": 1}', b"<html>", b")]}'0\n[]", b")]}'123456789012[]"],
)
def test_an_answer_of_another_kind_is_one_piece(stream: bytes) -> None:
    raw, data = cut(stream, 3)
    assert b"".join(raw) == stream
    assert len([each for each in data if each]) == 1
    assert BatchFraming().encode("", b"[1]") == b"3[1]"


@pytest.mark.parametrize("stream", [b")]", b")]}'\n\n12", b')]}\'\n\n99\n[["wrb.fr"'])
def test_a_chunk_that_breaks_off_says_nothing(stream: bytes) -> None:
    _, data = cut(stream, 2)
    assert b"".join(data) == b""


def test_a_chunk_has_a_limit() -> None:
    with pytest.raises(ContentError):
        BatchFraming(max_chunk=10).feed(b")]}'\n\n11\n")
    with pytest.raises(ContentError):
        BatchFraming(max_chunk=10).feed(b'{"unframed": 1}')


def test_units_are_counted_as_javascript_counts() -> None:
    for text in ("", "abc", "é", "€", "😀", "a😀é"):
        assert units_of(text.encode()) == len(text.encode("utf-16-le")) // 2
    assert chunk(b'["\xf0\x9f\x98\x80"]') == '8\n["😀"]\n'.encode()


def test_a_question_is_edited_in_its_inner_document() -> None:
    body = b"f.req=%5Bnull%2C%22%5B%5B%5C%22my%20key%5C%22%5D%5D%22%5D&at=x"
    assert question(body) == [None, '[["my key"]]']
    place = (flat((1,), (0, 0)),)
    edited = edit_question(body, [Edit(address=place, start=3, end=6, replacement='"')], depth=1)
    assert question(edited) == [None, json.dumps([['my "']], separators=(",", ":"))]
    assert edited.endswith(b"&at=x")
    for broken in (b"at=x", b"f.req=%5B", b"f.req=%ff"):
        with pytest.raises(ContentError):
            edit_question(broken, [Edit(address=place, start=0, end=1, replacement="")], depth=1)
        with pytest.raises(ContentError):
            question(broken)


def test_a_short_path_stays_in_the_outer_document() -> None:
    short = Edit(address=((0, 2),), start=0, end=1, replacement="")
    deep = Edit(address=((0, 2, 4, 0), (1,)), start=0, end=1, replacement="")
    assert [each.address for each in nested([short, deep], depth=2)] == [((0, 2),), ((0, 2), (4, 0), (1,))]
