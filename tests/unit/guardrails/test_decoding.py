"""Decoding: what encoded text says, and where each part of it came from."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.guardrails.decoding import Rewriting, base64_text, escape_value, hex_text, unescaped

PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=200)


@given(PRINTABLE, st.booleans(), st.booleans())
def test_base64_of_printable_text_is_read(text: str, padded: bool, url_safe: bool) -> None:
    encode = base64.urlsafe_b64encode if url_safe else base64.b64encode
    run = encode(text.encode())
    assert base64_text(run if padded else run.rstrip(b"=")) == text


def test_powershell_encodes_utf16() -> None:
    assert base64_text(base64.b64encode("$env:KEY = 'a b'".encode("utf-16-le"))) == "$env:KEY = 'a b'"


@pytest.mark.parametrize("run", [bytes(range(60)), b"\x89PNG\r\n\x1a\n" + bytes(range(200, 240))])
def test_binary_data_is_no_text(run: bytes) -> None:
    assert base64_text(base64.b64encode(run)) == ""
    assert hex_text(run.hex().encode()) == ""


def test_an_identifier_is_no_text() -> None:
    assert base64_text(b"thisIsALongIdentifierNameInCode") == ""
    assert hex_text(b"d41d8cd98f00b204e9800998ecf8427e") == ""


@given(PRINTABLE)
def test_hexadecimal_of_printable_text_is_read(text: str) -> None:
    assert hex_text(text.encode().hex().encode()) == text
    assert hex_text(text.encode().hex().upper().encode()) == text


@pytest.mark.parametrize(
    ("escape", "value"),
    [
        (b"%41", 0x41),
        (b"\\x7e", 0x7E),
        (b"\\u0041", b"A"),
        (b"\\u{1F600}", "😀".encode()),
        (b"&#65;", b"A"),
        (b"&#x1F600;", "😀".encode()),
        (b"&#9999999;", b"?"),
        (b"\\ud83d", 0xD83D),
    ],
)
def test_an_escape_stands_for_a_character_or_a_byte(escape: bytes, value: int | bytes) -> None:
    assert escape_value(escape) == value


def test_what_was_unescaped_leads_back_to_its_escapes() -> None:
    data = rb"a%C3%A9\ud83d\ude00z"
    view = unescaped(data, 0, len(data), [(1, 4), (4, 7), (7, 13), (13, 19)])
    assert view.data == "aé😀z".encode()
    assert [view.start(place) for place in (0, 1, 2, 3, 7)] == [0, 1, 4, 7, 19]
    assert [view.end(place) for place in (1, 2, 3, 7, 8)] == [1, 4, 7, 19, 20]


def test_pieces_that_were_joined_know_where_they_meet() -> None:
    joined = Rewriting()
    joined.copy(b"'ab'+'cd'", 1, 3)
    joined.copy(b"'ab'+'cd'", 6, 8)
    view = joined.done(8)
    assert (view.data, view.start(1), view.end(3)) == (b"abcd", 2, 7)
    assert view.crosses(1, 3)
    assert not view.crosses(2, 4)
