"""The decoded view of JSON that arrives in pieces."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.dialects.fragment import FragmentText


def view(*pieces: str) -> tuple[FragmentText, str]:
    fragment = FragmentText()
    return fragment, "".join([fragment.feed(piece) for piece in pieces] + [fragment.finish()])


@pytest.mark.parametrize(
    ("raw", "decoded"),
    [
        (r'{"a": "b\nc"}', '{"a": "b\nc"}'),
        (r'"\"\\\/\b\f\r\t"', '""\\/\b\f\r\t"'),
        (r'"\u00e9\ud83d\ude00"', '"é😀"'),
        (r'"\ud83d"', '"\ufffd"'),
        (r'"\ud83dx\ude00"', '"\ufffdx\ufffd"'),
        (r'"\ud83d\n"', '"\ufffd\n"'),
        (r'"\ud83d\ud83d\ude00"', '"\ufffd😀"'),
        (r'"\x"', '"\\x"'),
        (r'"\u12g4"', '"\\u12g4"'),
        (r"{\n}", r"{\n}"),
        ('"cut \\', '"cut \\'),
        ('"cut \\u00', '"cut \\u00'),
        ('"cut \\ud83d', '"cut \ufffd'),
        ('"cut \\ud83d\\ud', '"cut \ufffd\\ud'),
    ],
)
def test_escapes_are_decoded_inside_strings_only_however_they_are_cut(raw: str, decoded: str) -> None:
    assert view(raw)[1] == decoded
    assert view(*raw)[1] == decoded


_documents = st.recursive(
    st.none() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
).flatmap(lambda value: st.sampled_from([json.dumps(value), json.dumps(value, ensure_ascii=False)]))


@given(_documents, st.lists(st.integers(1, 5), max_size=30))
@settings(max_examples=50, deadline=None)
def test_chunking_changes_neither_text_nor_positions(raw: str, sizes: list[int]) -> None:
    pieces, at = [], 0
    for size in sizes:
        pieces.append(raw[at : at + size])
        at += size
    whole, text = view(raw)

    cut, other = view(*pieces, raw[at:])

    assert other == text
    for offset in range(len(text) + 1):
        assert cut.raw_offset(offset) == whole.raw_offset(offset)
        assert cut.in_string(offset) == whole.in_string(offset)


@given(_documents)
@settings(max_examples=50, deadline=None)
def test_every_character_is_found_again_in_the_raw_text(raw: str) -> None:
    fragment, text = view(raw)
    for offset, character in enumerate(text):
        token = raw[fragment.raw_offset(offset) : fragment.raw_offset(offset + 1)]
        if fragment.in_string(offset):
            assert json.loads(f'"{token}"') == character
        else:
            assert token == character
    assert fragment.raw_offset(len(text)) == len(raw)


def test_quotes_and_structure_are_not_in_a_string() -> None:
    fragment, text = view(r'{"k": "a\"b", "n": 12')
    inside = "".join(character for offset, character in enumerate(text) if fragment.in_string(offset))
    assert inside == 'ka"bn'
    assert not fragment.in_string(len(text))
    assert view('"open')[0].in_string(5)


def test_a_surrogate_pair_is_given_out_only_when_complete() -> None:
    fragment = FragmentText()
    assert [fragment.feed(piece) for piece in ('"\\ud83', "d", "\\ud", "e00", '"')] == [
        '"',
        "",
        "",
        "😀",
        '"',
    ]
