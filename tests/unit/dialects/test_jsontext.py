"""JSON documents: strict reading, finding tokens, edits in place."""

from __future__ import annotations

import json
import math
import random
import string

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.dialects.jsontext import MAX_DEPTH, edit, embedded, locate, number_text, parse
from agent.errors import ContentError
from agent.model.content import Address, Edit, Path


def change(address: Address, start: int, end: int, replacement: str) -> Edit:
    return Edit(address=address, start=start, end=end, replacement=replacement)


_texts = st.text(st.sampled_from([*'ab "\\/{}[]:,1u0\n\té€😀\ufffd\x7f', "\u2028"]), max_size=12)
_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=4),
    max_leaves=8,
)


_dice = st.integers(0, 2**32).map(random.Random)


@st.composite
def _spellings(draw: st.DrawFn, values: st.SearchStrategy[object] = _values) -> str:
    """One of the many texts of a JSON value: white space and escapes as they may come."""
    return spelled(draw(_dice), draw(values))


def spelled(dice: random.Random, value: object) -> str:
    def space() -> str:
        return dice.choice(["", "", " ", "\n  ", "\t\r\n"])

    if isinstance(value, dict):
        parts = [f"{escaped(dice, k)}{space()}:{space()}{spelled(dice, v)}" for k, v in value.items()]
        return f"{space()}{{{space()}{f'{space()},{space()}'.join(parts)}{space()}}}{space()}"
    if isinstance(value, list):
        items = [spelled(dice, item) for item in value]
        return f"{space()}[{space()}{f'{space()},{space()}'.join(items)}{space()}]{space()}"
    return escaped(dice, value) if isinstance(value, str) else json.dumps(value)


def escaped(dice: random.Random, text: str) -> str:
    match dice.choice(["plain", "ascii", "all", "slashes"]):
        case "plain":
            return json.dumps(text, ensure_ascii=False)
        case "ascii":
            return json.dumps(text)
        case "slashes":
            return json.dumps(text).replace("/", "\\/")
    units = text.encode("utf-16-be").hex()
    return '"' + "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4)) + '"'


def leaves(value: object, path: Path = ()) -> dict[Path, object]:
    """Every scalar of a value."""
    if isinstance(value, dict):
        return {k: v for key, item in value.items() for k, v in leaves(item, (*path, key)).items()}
    if isinstance(value, list):
        return {k: v for index, item in enumerate(value) for k, v in leaves(item, (*path, index)).items()}
    return {path: value}


@given(_spellings())
@settings(max_examples=30, deadline=None)
def test_every_spelling_of_a_document_without_repeated_keys_is_read(text: str) -> None:
    assert parse(text) == parse(text.encode()) == json.loads(text)


@given(st.dictionaries(_texts, _values, min_size=1, max_size=3), _values, _dice)
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


def test_a_byte_order_mark_is_tolerated_and_kept() -> None:
    body = b'\xef\xbb\xbf{"a": "secret"}'
    assert parse(body) == {"a": "secret"}
    assert edit(body, (change((("a",),), 0, 6, "x"),)) == b'\xef\xbb\xbf{"a": "x"}'


@pytest.mark.parametrize(
    ("token", "text"),
    [
        (r"\ud800", "\ufffd"),
        (r"\udc00", "\ufffd"),
        (r"\uD83D\uDE00", "😀"),
        (r"\ud83dx\ude00", "\ufffdx\ufffd"),
        (r"\ud83d\ud83d\ude00", "\ufffd😀"),
        (r"\\ud800 \ud800", "\\ud800 \ufffd"),
        (r"\ud800\n", "\ufffd\n"),
    ],
)
def test_a_lone_surrogate_reads_as_the_replacement_character(token: str, text: str) -> None:
    body = f'{{"a": "{token}", "b": "{token}secret"}}'
    assert parse(body) == {"a": text, "b": text + "secret"}
    edited = edit(body.encode(), (change((("b",),), len(text), len(text) + 6, "-"),))
    assert edited.startswith(f'{{"a": "{token}", '.encode())
    assert parse(edited) == {"a": text, "b": text + "-"}


@given(_spellings(), st.data())
@settings(max_examples=30, deadline=None)
def test_the_token_of_every_value_is_found(text: str, data: st.DataObject) -> None:
    found = leaves(json.loads(text))
    wanted = data.draw(st.sets(st.sampled_from(sorted(found, key=repr)))) if found else set()
    spans = locate(text, wanted)
    assert {path: json.loads(text[start:end]) for path, (start, end) in spans.items()} == {
        path: found[path] for path in wanted
    }


@pytest.mark.parametrize("path", [("b",), ("a", 2), ("a", "x"), ("a", 0, 0)])
def test_a_path_that_leads_nowhere_is_an_error(path: Path) -> None:
    with pytest.raises(ContentError, match="nowhere"):
        edit(b'{"a": ["x", "y"]}', (change((path,), 0, 0, "z"),))


def test_an_edit_of_a_container_is_an_error() -> None:
    with pytest.raises(ContentError, match="object or array"):
        edit(b'{"a": ["x", "y"]}', (change((("a",),), 0, 1, "z"),))


@pytest.mark.parametrize(("start", "end"), [(0, 7), (-1, 2), (4, 3)])
def test_a_span_outside_its_text_is_an_error(start: int, end: int) -> None:
    with pytest.raises(ContentError, match="outside"):
        edit(b'{"a": "secret"}', (change((("a",),), start, end, ""),))


@given(_spellings())
@settings(max_examples=25, deadline=None)
def test_without_edits_the_body_is_the_same_object(text: str) -> None:
    body = text.encode()
    assert edit(body, ()) is body


@given(_spellings(), st.data())
@settings(max_examples=40, deadline=None)
def test_an_edit_changes_its_text_and_not_one_byte_elsewhere(text: str, data: st.DataObject) -> None:
    strings = {path: value for path, value in leaves(json.loads(text)).items() if isinstance(value, str)}
    if not strings or () in strings:
        return
    path = data.draw(st.sampled_from(sorted(strings, key=repr)))
    old = strings[path]
    cuts = (
        sorted(data.draw(st.lists(st.integers(0, len(old)), min_size=2, max_size=6, unique=True)))
        if len(old) > 1
        else []
    )
    spans = list(zip(cuts[::2], cuts[1::2], strict=False))
    edits = [
        change((path,), start, end, data.draw(st.sampled_from(["", "[X]", 'a"b\\\n', "é😀"])))
        for start, end in spans
    ]
    new = old
    for one in reversed(edits):
        new = new[: one.start] + one.replacement + new[one.end :]
    if embedded(old) is not None and embedded(new) is None:
        return  # stays a document instead: tested below
    (start, end) = locate(text, [path])[path]

    edited = edit(text.encode(), tuple(data.draw(st.permutations(edits)))).decode()

    assert edited.startswith(text[:start])
    assert edited.endswith(text[end:])
    assert leaves(json.loads(edited)) == leaves(json.loads(text)) | {path: new}
    assert edits or edited == text


def test_edits_of_many_slots_come_in_any_order() -> None:
    body = b'{"z": "one two", "a": [1, "three"], "n": 123456789}'
    edits = [
        change((("n",),), 0, 9, "[N]"),
        change((("z",),), 4, 7, "2"),
        change((("a", 1),), 0, 5, "3"),
        change((("z",),), 0, 3, "1"),
    ]
    expected = b'{"z": "1 2", "a": [1, "3"], "n": "[N]"}'
    assert edit(body, tuple(edits)) == edit(body, tuple(reversed(edits))) == expected


def test_of_overlapping_edits_the_first_replaces_the_whole_stretch() -> None:
    body = b'{"a": "0123456789"}'
    edits = (change((("a",),), 4, 8, "B"), change((("a",),), 2, 6, "A"), change((("a",),), 2, 6, "A"))
    assert edit(body, edits) == b'{"a": "01A89"}'


def test_an_insertion_is_an_edit() -> None:
    assert (
        edit(b'{"a": "bc"}', (change((("a",),), 1, 1, "-"), change((("a",),), 2, 2, "!"))) == b'{"a": "b-c!"}'
    )


@pytest.mark.parametrize(
    ("inner", "secret", "replacement", "expected"),
    [
        ('{"card": 4111111111111111, "n": 1}', "4111111111111111", "[CARD]", '{"card": "[CARD]", "n": 1}'),
        ('{"card": 4111111111111111}', "1111111111", "*", '{"card": "4*11111"}'),
        ('{"a": "x secret y"}', "secret", "[X]", '{"a": "x [X] y"}'),
        ('{"a": "x secret y"}', "secret", 'a "b"', '{"a": "x a \\"b\\" y"}'),
        ('{"a": "\\u00e9 secret \\n"}', "secret", '"', '{"a": "é \\" \\n"}'),
        ('{"k@x.com": 1}', "k@x.com", "[MAIL]", '{"[MAIL]": 1}'),
        ('{"k@x.com": 1}', "k@x.com", '"', '{"\\"": 1}'),
        ('{"password": "hunter2", "b": 3}', 'word": "hunter2', "[X]", '{"password": "[X]", "b": 3}'),
        ('{"a": "one", "b": "two"}', 'ne", "b": "tw', "", '{"a": "o", "b": "o"}'),
        ('["4111", 5, true, "x"]', '11", 5, true, "', "[X]", '["41[X]", "[X]", "[X]", "x"]'),
        ("[1.50, 2]", "50", "x", '["1.x", 2]'),
        ("not {json} secret", "secret", '"', 'not {json} "'),
        ('{"cut": "secret', "secret", "4", '{"cut": "4'),
        ('{"a": 123456789}', "123456789", '"[N]"', '{"a": "[N]"}'),
        ('{"a": 123456789}', '{"a": 123456789}', "[ALL]", "[ALL]"),
        ('{"a": {}, "b": "x"}', '{}, "b": ', "-", '{"a": {}, "-": "x"}'),
    ],
)
def test_a_text_that_is_json_stays_json(inner: str, secret: str, replacement: str, expected: str) -> None:
    body = orjson.dumps({"arguments": inner, "other": "o"})
    start = inner.index(secret)
    edited = edit(body, (change((("arguments",),), start, start + len(secret), replacement),))
    assert parse(edited) == {"arguments": expected, "other": "o"}


@given(_spellings(st.dictionaries(_texts, _values) | st.lists(_values)), st.data())
@settings(max_examples=40, deadline=None)
def test_no_edit_of_a_part_breaks_an_embedded_document(inner: str, data: st.DataObject) -> None:
    end = data.draw(st.integers(1, len(inner)))
    start = data.draw(st.integers(0 if end < len(inner) else 1, end))
    replacement = data.draw(st.sampled_from(["", "[X]", '"', "\\", "\n", "123", "{"]))
    edited = parse(edit(orjson.dumps([inner]), (change(((0,),), start, end, replacement),)))
    assert isinstance(edited, list)
    json.loads(edited[0])


def test_nested_texts_are_edited_where_they_stand() -> None:
    deepest = 'say "secret"\n'
    middle = json.dumps({"n": 1, "t": deepest})
    outer = json.dumps([middle, "x"], indent=1)
    body = orjson.dumps({"a": outer, "b": 2})

    edited = edit(body, (change((("a",), (0,), ("t",)), 5, 11, "[X]"),))

    assert body.partition(b"say")[0] == edited.partition(b"say")[0]
    assert json.loads(json.loads(json.loads(edited)["a"])[0]) == {"n": 1, "t": 'say "[X]"\n'}


def test_the_same_finding_in_an_outer_and_an_inner_text_is_replaced_once() -> None:
    inner = '{"t": "line\\nsecret \\u00e9"}'
    body = orjson.dumps({"a": inner})
    at = inner.index("secret")
    edits = (change((("a",),), at, at + 6, "[X]"), change((("a",), ("t",)), 5, 11, "[X]"))
    assert json.loads(json.loads(edit(body, edits))["a"]) == {"t": "line\n[X] é"}


def test_a_body_as_one_text_is_edited_with_the_empty_path() -> None:
    assert edit(b"plain secret", (change(((),), 6, 12, "[X]"),)) == b"plain [X]"
    assert edit(b'{"n": 123456789}', (change(((),), 6, 15, "[X]"),)) == b'{"n": "[X]"}'
    with pytest.raises(ContentError, match="UTF-8"):
        edit(b"\xff", (change(((),), 0, 1, ""),))


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
