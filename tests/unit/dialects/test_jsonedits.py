"""Text replaced inside JSON documents."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.dialects.jsonedits import edit
from agent.dialects.jsontext import embedded, parse
from agent.dialects.jsontokens import locate
from agent.errors import ContentError
from agent.model.content import Address, Edit, Path
from tests.unit.dialects.spelling import TEXTS, VALUES, leaves, spellings


def change(address: Address, start: int, end: int, replacement: str) -> Edit:
    return Edit(address=address, start=start, end=end, replacement=replacement)


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


@given(spellings())
@settings(max_examples=25, deadline=None)
def test_without_edits_the_body_is_the_same_object(text: str) -> None:
    body = text.encode()
    assert edit(body, ()) is body


@given(spellings(), st.data())
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


@given(spellings(st.dictionaries(TEXTS, VALUES) | st.lists(VALUES)), st.data())
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
