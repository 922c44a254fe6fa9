"""A stream's documents, in events or in an array, however they are cut."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import ContentError
from agent.translation.gemini_generate.framing import Framing
from tests.fakes.conversations import chunkings, json_objects
from tests.fakes.response_events import sse

_DOCUMENTS = st.lists(
    st.dictionaries(
        st.sampled_from(["a", '"', "}{", "\\"]), json_objects() | st.text('{}"\\[]a'), min_size=1
    ),
    min_size=1,
    max_size=4,
)


def cut(chunks: list[bytes]) -> list[Any]:
    framing = Framing()
    found = [document for chunk in chunks for document in framing.feed(chunk)]
    return [orjson.loads(document) for document in (*found, *framing.finish())]


@given(_DOCUMENTS, st.sampled_from([b",", b",\r\n", b" ,\n"]), st.data())
@settings(max_examples=15, deadline=None)
def test_an_array_gives_its_objects(
    documents: list[dict[str, Any]], between: bytes, data: st.DataObject
) -> None:
    option = data.draw(st.sampled_from([0, orjson.OPT_INDENT_2]))
    body = b"[" + between.join(orjson.dumps(document, option=option) for document in documents) + b"]\n"
    assert cut(data.draw(chunkings(body))) == documents


@given(_DOCUMENTS, st.data())
@settings(max_examples=15, deadline=None)
def test_events_give_their_data(documents: list[dict[str, Any]], data: st.DataObject) -> None:
    assert cut(data.draw(chunkings(sse(*documents)))) == documents


def test_blanks_before_the_first_byte_tell_nothing() -> None:
    assert cut([b"", b" \r\n", b'[{"a":1}', b"]"]) == [{"a": 1}]


def test_a_single_object_is_a_document() -> None:
    assert cut([b'{"error": {"code"', b": 400}}"]) == [{"error": {"code": 400}}]


def test_an_array_that_breaks_off_gives_what_was_whole() -> None:
    assert cut([b'[{"a":1},{"b":']) == [{"a": 1}]


def test_an_object_without_end_is_an_error() -> None:
    framing = Framing()
    framing.feed(b'[{"a":"')
    with pytest.raises(ContentError):
        framing.feed(b"a" * (1 << 24))
