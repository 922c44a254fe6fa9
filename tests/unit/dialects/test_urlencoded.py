"""Forms of pages: read strictly, edited where something changes."""

from __future__ import annotations

from urllib.parse import parse_qs, quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.dialects.urlencoded import MAX_FIELDS, fields_of, with_values
from agent.errors import ContentError

texts = st.text(alphabet=st.sampled_from("ab &=+%é😀\"\\\n~'(*"), max_size=30)


def test_a_form_is_read_as_pages_write_it() -> None:
    body = b"f.req=%5Bnull%2C%22a+b%22%5D&at=AB%3A1&&empty=&bare"
    assert [(field.name, field.value) for field in fields_of(body)] == [
        ("f.req", '[null,"a b"]'),
        ("at", "AB:1"),
        ("empty", ""),
        ("bare", ""),
    ]


@pytest.mark.parametrize("body", [b"a=%4", b"a=%zz", b"%=1", b"a=%ff", b"\xff=1", b"a=1&%61=2"])
def test_what_could_be_read_in_two_ways_is_no_form(body: bytes) -> None:
    with pytest.raises(ContentError):
        fields_of(body)


def test_a_form_has_an_end() -> None:
    assert len(fields_of(b"&".join(b"a%d=" % n for n in range(MAX_FIELDS)))) == MAX_FIELDS
    with pytest.raises(ContentError):
        fields_of(b"&".join(b"a%d=" % n for n in range(MAX_FIELDS + 1)))


def test_only_what_changes_is_written_anew() -> None:
    body = b"x=%7e%7E&f=%5b%22my%20k%C3%A9y%20is%20it%22%5d&at=~"
    assert (
        with_values(body, {"f": '["my kéy was it"]'})
        == b"x=%7e%7E&f=%5b%22my%20k%C3%A9y%20was%20it%22%5d&at=~"
    )
    assert with_values(b"f=a+b+c", {"f": "a ~ c"}) == b"f=a+~+c"
    assert with_values(b"f=a%20b", {"f": "a (b)"}) == b"f=a%20(b)"
    assert with_values(b"f=&g=1", {"f": "new words"}) == b"f=new+words&g=1"


def test_a_field_that_is_not_there_cannot_be_changed() -> None:
    with pytest.raises(ContentError):
        with_values(b"f=1", {"g": "2"})


@pytest.mark.parametrize("write", [quote, quote_plus])
@given(before=texts, after=texts, other=texts)
def test_a_form_that_is_edited_says_the_new_text_and_nothing_else_changes(
    write: object, before: str, after: str, other: str
) -> None:
    head, tail = urlencode({"o": other}).encode() + b"&", b"&at=%7e%2a"
    body = head + b"f=" + write(before, safe="").encode() + tail  # type: ignore[operator]
    edited = with_values(body, {"f": after})
    assert edited.startswith(head)
    assert edited.endswith(tail)
    assert parse_qs(edited.decode(), keep_blank_values=True, strict_parsing=True)["f"] == [after]
