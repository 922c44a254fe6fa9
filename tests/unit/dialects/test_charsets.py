"""Text out of bytes of unknown encoding, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.dialects.charsets import decoded, encoded, redecoded

CODECS = ("utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be", "latin-1")


@given(st.binary(max_size=300))
def test_whatever_is_read_as_a_text_is_written_back_byte_for_byte(data: bytes) -> None:
    found = decoded(data)
    if found is not None:
        text, codec = found
        assert redecoded(data, codec) == text
        assert encoded(text, codec) == data


@pytest.mark.parametrize("codec", CODECS)
def test_a_text_is_read_in_the_encoding_that_it_was_written_in(codec: str) -> None:
    text = "Ein gewöhnlicher Satz, in dem das meiste ASCII ist."
    found = decoded(text.encode(codec))
    assert found is not None
    assert found[0].removeprefix("\ufeff") == text
    assert encoded(found[0] + "!", found[1]) == (text + "!").encode(codec)


@pytest.mark.parametrize("data", [bytes(range(32)) * 9, b"\xff\xfe\x00\xd8\x00\xd8", b"\0" * 64])
def test_what_is_no_text_is_none(data: bytes) -> None:
    assert decoded(data) is None


@pytest.mark.parametrize("cut", range(1, 8))
def test_the_beginning_of_a_text_may_end_within_a_character(cut: int) -> None:
    assert decoded("aéaé€".encode()[:cut], cut=True) is not None


def test_an_encoding_that_cannot_say_something_says_so() -> None:
    with pytest.raises(UnicodeEncodeError):
        encoded("€", "latin-1")
