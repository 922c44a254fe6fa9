"""JSON documents on their way through the translators."""

from __future__ import annotations

import pytest

from agent.errors import ContentError
from agent.translation.documents import json_text, read_document, write_document


@pytest.mark.parametrize("body", [b'{"a":1}', b'\xef\xbb\xbf{"a":1}'])
def test_an_object_is_read(body: bytes) -> None:
    assert read_document(body) == {"a": 1}


def test_half_a_surrogate_pair_reads_as_the_replacement() -> None:
    assert read_document(b'{"a":"\\ud83d"}') == {"a": "\ufffd"}


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"{", b"\xff"])
def test_anything_else_is_an_error(body: bytes) -> None:
    with pytest.raises(ContentError):
        read_document(body)


def test_what_nests_too_deep_to_be_written_is_an_error() -> None:
    value: list[object] = []
    for _ in range(300):
        value = [value]
    with pytest.raises(ContentError, match="nests deeper"):
        write_document({"a": value})
    with pytest.raises(ContentError, match="nests deeper"):
        json_text(value)
