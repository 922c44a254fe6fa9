"""From JSON values to slots and attachments."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.dialects.jsonedits import edit
from agent.dialects.jsontext import parse
from agent.dialects.slots import Collector
from agent.model.content import Address, Attachment, Edit, Path, Role, Slot


def slots_of(value: object, reader: str = "leaves") -> list[tuple[Address, str]]:
    found = Collector()
    getattr(found, reader)(("v",), Role.USER, value)
    return [(slot.address, slot.text) for slot in found.slots]


def test_a_text_is_one_slot() -> None:
    found = Collector()
    found.text(("a", 0), Role.SYSTEM, "hello")
    assert found.slots == [Slot(address=(("a", 0),), role=Role.SYSTEM, text="hello")]


@pytest.mark.parametrize("value", ["", None, 5, True, [], {}, ["x"]])
def test_what_is_no_text_is_no_slot(value: object) -> None:
    assert slots_of(value, "text") == []


def test_texts_with_escapes_inside_json_are_slots_too() -> None:
    inner = json.dumps({"plain": "nothing special", "list": ["a\nb", {"q": 'say "hi"'}]})
    assert slots_of(inner, "text") == [
        ((("v",),), inner),
        ((("v",), ("list", 0)), "a\nb"),
        ((("v",), ("list", 1, "q")), 'say "hi"'),
    ]


@pytest.mark.parametrize(
    ("inner", "seen"),
    [
        (r'{"a": "\u003ctag\u003e", "b": "no tag"}', ["<tag>"]),
        (r'{"a": "x\/y", "b": "xy"}', ["x/y"]),
        (r'{"a": "caf\u00e9", "b": "cafe"}', ["café"]),
        (r'{"a": "back\\slash", "b": "x"}', ["back\\slash"]),
        (r'{"a": "\u0041\u004b", "b": "zz"}', ["AK"]),
        (r'{"a": "\\under", "b": "under"}', ["\\under"]),
        ('{"a": "café \\n", "b": "café"}', ["café \n"]),
        ('{"a": "no escapes at all"}', []),
        (r'{"a": "x\n", "a": "repeated key"}', []),
        (r'{"a": "cut\n', []),
        (r"no \n json", []),
        (r'"a \"quoted\" text"', ['a "quoted" text']),
    ],
)
def test_texts_without_escapes_stand_in_the_outer_text_already(inner: str, seen: list[str]) -> None:
    assert [text for _, text in slots_of(inner, "text")[1:]] == seen


def test_nesting_is_followed_four_documents_deep() -> None:
    text = "deep\ntext"
    for _ in range(7):
        text = json.dumps([text])
    found = slots_of(text, "text")
    assert [address for address, _ in found] == [(("v",), *[(0,)] * depth) for depth in range(5)]


def test_every_string_and_long_number_of_a_structured_value_is_a_slot() -> None:
    value = {
        "text": "t",
        "list": ["a", ["b"], {"c": "c"}],
        "card": 4111111111111111,
        "short": 12345678,
        "nine": -123456789,
        "float": 1234567890.0,
        "ratio": 0.1234567891,
        "yes": True,
        "none": None,
        "json": '{"k": "x\\ny"}',
    }
    assert slots_of(value) == [
        ((("v", "text"),), "t"),
        ((("v", "list", 0),), "a"),
        ((("v", "list", 1, 0),), "b"),
        ((("v", "list", 2, "c"),), "c"),
        ((("v", "card"),), "4111111111111111"),
        ((("v", "nine"),), "-123456789"),
        ((("v", "float"),), "1234567890"),
        ((("v", "json"),), '{"k": "x\\ny"}'),
        ((("v", "json"), ("k",)), "x\ny"),
    ]


def test_keys_are_no_slots() -> None:
    assert slots_of({"k@x.com": 1}) == []


def test_a_schema_is_read_for_what_it_says() -> None:
    found = Collector()
    schema = {
        "type": "object",
        "description": "d1",
        "properties": {
            "type": {"type": "string", "description": "d2", "enum": ["e1", "e2"], "default": "e1"},
            "required": {"type": "string", "format": "uri", "pattern": "^x", "examples": ["x1"]},
        },
        "required": ["type"],
        "$ref": "#/x",
        "x-note": "n",
    }
    found.schema(("t",), [schema])
    assert [slot.text for slot in found.slots] == ["d1", "d2", "e1", "e2", "e1", "x1", "n"]
    assert {slot.role for slot in found.slots} == {Role.TOOL_CALL}


def test_of_an_unknown_object_only_fields_that_name_text_are_read() -> None:
    value = {
        "type": "novel",
        "id": "id1",
        "text": "t",
        "content": [{"title": "c", "url": "u"}, "s"],
        "signature": "sig",
        "encrypted_content": "enc",
        "source": {"data": "AAAA", "description": "d"},
        "tags": ["x"],
        "output": {"stdout": "o", "encrypted_stdout": "e"},
        "cached": 4111111111111111,
    }
    assert [text for _, text in slots_of(value, "prose")] == ["t", "c", "s", "d", "o"]


@pytest.mark.parametrize(
    ("url", "attachment"),
    [
        ("data:image/png;base64,aGVsbG8=", Attachment(kind="image", media_type="image/png", size=5)),
        ("DATA:;base64,aGk=", Attachment(kind="image", size=2)),
        ("data:text/plain,hello", Attachment(kind="image", media_type="text/plain")),
        ("https://x.example/i.png", Attachment(kind="image")),
        (None, Attachment(kind="image")),
        (5, Attachment(kind="image")),
    ],
)
def test_an_image_is_noted_with_what_its_url_tells(url: object, attachment: Attachment) -> None:
    found = Collector()
    found.attach_url("image", url)
    assert found.attachments == [attachment]


@pytest.mark.parametrize(("data", "size"), [("", 0), ("YQ==", 1), ("YQ", 1), ("aGVs\r\nbG8=", 5), (7, None)])
def test_the_size_of_an_attachment_is_that_of_its_bytes(data: object, size: int | None) -> None:
    found = Collector()
    found.attach("file", media_type=[], data=data, name={})
    assert found.attachments == [Attachment(kind="file", size=size)]


_json = st.recursive(
    st.none() | st.integers() | st.text(st.sampled_from('ab"\\\n/é<'), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
        | inner.map(json.dumps)
    ),
    max_leaves=8,
)


@given(_json, st.data())
@settings(max_examples=30, deadline=None)
def test_editing_a_slot_and_reading_again_gives_the_edited_text(value: object, data: st.DataObject) -> None:
    body = orjson.dumps({"v": value}, option=orjson.OPT_INDENT_2) if _fits(value) else b"{}"
    found = slots_of(parse(body).get("v"))  # type: ignore[attr-defined]
    if not found:
        return
    address, text = data.draw(st.sampled_from(found))

    edited = edit(body, (Edit(address=address, start=0, end=len(text), replacement="[X]"),))

    after = dict(slots_of(parse(edited)["v"]))  # type: ignore[index]
    assert _text_at(parse(edited), address) == "[X]"
    for other, old in found:
        if not _related(other, address):
            assert after[other] == old


def _fits(value: object) -> bool:
    try:
        orjson.dumps(value)
    except TypeError:
        return False
    return True


def _text_at(document: object, address: Address) -> object:
    for index, path in enumerate(address):
        document = parse(document) if index else document  # type: ignore[arg-type]
        for step in path:
            document = document[step]  # type: ignore[index]
    return document


def _related(one: Address, other: Address) -> bool:
    """Whether one stands inside the other."""
    shorter: tuple[Path, ...] = min(one, other, key=len)
    return one[: len(shorter)] == other[: len(shorter)]
