"""JSON documents, strictly read."""

from __future__ import annotations

import json
import math
import random
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.dialects.jsontext import MAX_DEPTH, embedded, number_text, parse
from agent.errors import ContentError
from tests.unit.dialects.spelling import DICE, TEXTS, VALUES, escaped, spelled, spellings


@given(spellings())
@settings(max_examples=30, deadline=None)
def test_every_spelling_of_a_document_without_repeated_keys_is_read(text: str) -> None:
    assert parse(text) == parse(text.encode()) == json.loads(text)


@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=3), VALUES, DICE)
@settings(max_examples=30, deadline=None)
def test_a_repeated_key_is_refused_however_it_is_spelled(
    document: dict[str, object], value: object, dice: random.Random
) -> None:
    key = escaped(dice, dice.choice(list(document)))
    body = spelled(dice, document).rstrip()[:-1] + f",{key}:{spelled(dice, value)}}}"
    for outer in (body, f'[1, {{"a": {body}}}]'):
        with pytest.raises(ContentError, match="repeated key"):
            parse(outer)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"text",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1e999}',
        b'{"a": 01}',
        b'{"a": 1,}',
        b'{"a": 1} {"a": 1}',
        b'{"a": "\n"}',
        b'{"a": "\\x"}',
        b"{'a': 1}",
        b'{"a": "\xff"}',
        b'{"a": "\xed\xa0\x80"}',
        '{"a": 1}'.encode("utf-16"),
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a": "\\ud800", NaN}',
    ],
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(ContentError, match="not a JSON document"):
        parse(body)


def test_depth_is_bounded() -> None:
    parse(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    with pytest.raises(ContentError, match="nested"):
        parse(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))


def test_an_error_names_no_content() -> None:
    with pytest.raises(ContentError) as caught:
        parse(b'{"password": hunter2}')
    assert "hunter2" not in str(caught.value)
    assert "password" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (' \n{"a": 1}', {"a": 1}),
        ("[1]", [1]),
        (r'"a \"b\""', 'a "b"'),
        ('"just quoted"', None),
        ("12", None),
        ("true", None),
        ("{not json}", None),
        ("[link](url)", None),
        ('{"a": 1, "a": 2}', None),
        ("", None),
    ],
)
def test_a_text_is_a_document_if_it_is_a_container_or_an_escaped_string(text: str, value: object) -> None:
    assert embedded(text) == value


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (4111111111111111, "4111111111111111"),
        (4111111111111111.0, "4111111111111111"),
        (4.1e15, "4" + "1" + "0" * 14),
        (-1.5, "-1.5"),
    ],
)
def test_a_number_reads_with_all_its_digits(number: float, text: str) -> None:
    assert number_text(number) == text


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63), 2**64 - 1))
@settings(max_examples=25, deadline=None)
def test_the_text_of_a_number_says_its_value(number: float) -> None:
    assert math.isclose(float(number_text(number)), number)
    assert set(number_text(number)) <= set(string.digits + "-+.e")
