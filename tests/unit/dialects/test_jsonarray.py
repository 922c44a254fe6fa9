"""Elements of a JSON array, cut out while it comes."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.dialects.jsonarray import ArrayDecoder, Element
from agent.errors import ContentError
from tests.unit.dialects.spelling import DICE, TEXTS, VALUES, spelled

OBJECTS = st.lists(st.dictionaries(TEXTS, VALUES, max_size=4), max_size=4)


def cut(data: bytes, sizes: list[int]) -> list[Element]:
    decoder = ArrayDecoder()
    found: list[Element] = []
    turn = 0
    while data:
        size = sizes[turn % len(sizes)]
        found += decoder.feed(data[:size])
        data = data[size:]
        turn += 1
    return [*found, decoder.finish()]


@given(dice=DICE, objects=OBJECTS, sizes=st.lists(st.integers(1, 30), min_size=1))
def test_every_element_comes_however_the_array_is_spelled_and_cut(
    dice: random.Random, objects: list[object], sizes: list[int]
) -> None:
    array = spelled(dice, objects).encode()
    found = cut(array, sizes)
    assert [json.loads(each.document) for each in found if each.document] == objects
    assert b"".join(each.raw for each in found) == array


def test_an_element_is_told_at_its_last_byte() -> None:
    decoder = ArrayDecoder()
    assert decoder.feed(b' [\n{"a": "}]\\') == []
    assert decoder.feed(b'""') == []
    assert decoder.feed(b"}") == [Element(raw=b' [\n{"a": "}]\\""}', document=b'{"a": "}]\\""}')]
    assert decoder.feed(b',\r\n{"b"') == []
    assert decoder.feed(b":[{}]}") == [Element(raw=b',\r\n{"b":[{}]}', document=b'{"b":[{}]}')]
    assert decoder.feed(b"\n]") == [Element(raw=b"\n]", document=b"")]
    assert decoder.feed(b"\n") == []
    assert decoder.finish() == Element(raw=b"\n", document=b"")


@pytest.mark.parametrize("data", [b"[1]", b'["text"]', b"[[]]", b'[{}, "text"]', b"[{}, [{}]]"])
def test_an_array_of_something_else_is_refused(data: bytes) -> None:
    if data == b"[1]":  # a number alone is nobody's text
        assert cut(data, [9])[0] == Element(raw=data, document=b"")
        return
    with pytest.raises(ContentError):
        cut(data, [1])


def test_what_is_no_array_is_one_document() -> None:
    assert cut(b' {"error": {}}\n', [2]) == [Element(raw=b' {"error": {}}\n', document=b'{"error": {}}')]


def test_what_stands_behind_the_array_or_broke_off_does_not_go_out() -> None:
    assert cut(b'[{}] {"more": 1}', [3])[-1] == Element(raw=b"", document=b"")
    assert cut(b'[{"half": ', [3]) == [Element(raw=b"", document=b"")]


def test_an_element_is_bounded() -> None:
    decoder = ArrayDecoder(max_element_bytes=50)
    decoder.feed(b"[" + b'{"a":"%s"},' % (b"x" * 30) * 9)
    with pytest.raises(ContentError):
        decoder.feed(b"x" * 60)
