"""Shapes carried out: pointers followed, requests opened and edited, streams cut and read, refusals written."""

from __future__ import annotations

import json
import random
from urllib.parse import parse_qsl, quote

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.catalog import parse_shapes
from agent.dialects.base import ConversationVoice, Dialect, EventView, ParsedRequest, RequestHead
from agent.dialects.framing import Framing as Cutter
from agent.dialects.jsontokens import locate
from agent.dialects.webshape import WebShapeDialect
from agent.dialects.webshape.carriers import MAX_DOCUMENTS
from agent.dialects.webshape.envelopes import envelope, envelopes
from agent.dialects.webshape.finding import compiled, fits
from agent.dialects.webshape.framings import BatchFraming, ConnectFraming, LineFraming, TextFraming
from agent.dialects.webshape.templates import Template, values
from agent.errors import ConfigError, ContentError
from agent.model.content import Edit, Role, Slot
from agent.model.pointers import parse_pointer
from tests.unit.dialects.spelling import DICE, VALUES, leaves, spelled

FORM = "application/x-www-form-urlencoded"


def shape(request: str = "", answer: str = "", block: str = "") -> WebShapeDialect:
    """A shape whose prompt stands at /prompt, with further keys."""
    (made,) = parse_shapes(
        '[[shape]]\nname = "page"\n'
        f'[shape.request]\nuser = ["/prompt"]\n{request}\n[shape.answer]\n{answer}\n'
        f"[shape.block]\n{block or EVENTS}\n",
        source="t.toml",
    )
    return WebShapeDialect(made)


EVENTS = """events = [{ data = '{"text":"{message}"}' }]"""


def head(kind: str = "application/json", *, method: str = "POST", path: str = "/") -> RequestHead:
    return RequestHead(method=method, path=path, content_type=kind)


def texts(request: ParsedRequest) -> list[str]:
    return [slot.text for slot in request.slots]


def edited(dialect: Dialect, body: bytes, slot: Slot, text: str) -> bytes:
    return dialect.edit_request(
        body, (Edit(address=slot.address, start=0, end=len(slot.text), replacement=text),)
    )


def test_it_is_a_dialect_and_speaks_of_conversations() -> None:
    dialect: Dialect = shape()
    assert isinstance(dialect, ConversationVoice)


# Pointers


def found(pointer: str, document: object) -> list[object]:
    return [each.value for each in compiled(parse_pointer(pointer))(document)]


DOCUMENT = {
    "type": "x",
    "list": [{"role": "user", "n": 1, "t": "a"}, {"role": "bot", "t": "b"}, {"t": "c", "deep": {"on": True}}],
    "0": {"json": "zero"},
    "packed": json.dumps([None, json.dumps(["inner"])]),
    "a/b": "slashed",
}


@pytest.mark.parametrize(
    ("pointer", "values"),
    [
        ("/type", ["x"]),
        ("/list/*/t", ["a", "b", "c"]),
        ("/list/1/t", ["b"]),
        ("/list/9/t", []),
        ("/list/t", []),
        ("/0/json", ["zero"]),
        ("/*/json", ["zero"]),
        ("/list/*[role]/t", ["a", "b"]),
        ("/list/*[role=user]/t", ["a"]),
        ("/list/*[role=user|bot]/t", ["a", "b"]),
        ("/list/*[role!=user]/t", ["b", "c"]),
        ("/list/*[role^=b]/t", ["b"]),
        ("/list/*[role$=ser]/t", ["a"]),
        ("/list/*[n=1]/t", ["a"]),
        ("/list/*[deep.on=true]/t", ["c"]),
        ("/list/*[role=user][n=2]/t", []),
        ("[type=x]/0/json", ["zero"]),
        ("[type=y]/0/json", []),
        ("/packed/$json/1/$json/0", ["inner"]),
        ("/a~1b", ["slashed"]),
        ("/type/deeper", []),
        ("", [DOCUMENT]),
    ],
)
def test_where_pointers_lead(pointer: str, values: list[object]) -> None:
    assert found(pointer, DOCUMENT) == values
    assert fits(parse_pointer(pointer))(DOCUMENT) is bool(values)


def test_a_text_that_should_hold_json_and_does_not_is_an_error() -> None:
    with pytest.raises(ContentError):
        found("/a/$json/b", {"a": "no json"})
    assert found("/a/$json/b", {"a": 5}) == []


def test_names_are_taken_on_the_way() -> None:
    find = compiled(parse_pointer("/list/*@[role@]/t"))
    assert [each.name for each in find(DOCUMENT)] == ["/0/user", "/1/bot"]


@given(VALUES, DICE)
def test_a_pointer_to_each_leaf_finds_it(value: object, dice: random.Random) -> None:
    for path, leaf in leaves(value).items():
        if not path or "" in path or any(set(str(step)) & set("*$@[]~/") for step in path) or len(path) > 16:
            continue
        pointer = "".join(f"/{step}" for step in path)
        if len(pointer) <= 300:
            assert leaf in found(pointer, value)


# Requests


def test_texts_are_in_the_order_of_the_document_each_once() -> None:
    dialect = shape('assistant = ["/m/*[role=bot]/t"]\nsystem = ["/m/*/t"]')
    request = dialect.parse_request(
        head(),
        b'{"m":[{"t":"a"},{"role":"bot","t":"b"},{"t":["c",{"text":"d"}]}],"prompt":"e"}',
    )
    assert [(slot.role, slot.text) for slot in request.slots] == [
        (Role.SYSTEM, "a"),
        (Role.SYSTEM, "b"),  # the roles of a shape are asked for in a fixed order
        (Role.SYSTEM, "c"),
        (Role.SYSTEM, "d"),
        (Role.USER, "e"),
    ]


def test_facts_of_a_request() -> None:
    dialect = shape(
        'model = ["/x", "/m"]\nconversation = ["/c"]\nstream = "/s"\nfiles = ["/f/*/id"]\n'
        'attachments = [{ at = "/f/*", kind = "image", name = "/n", size = "/b" }, { at = "/u" }]'
    )
    request = dialect.parse_request(
        head(),
        b'{"prompt":"p","m":"big","c":7,"s":true,"f":[{"id":"1","n":"a.png","b":3}],'
        b'"u":"data:text/plain;base64,AAAA"}',
    )
    assert (request.model, request.conversation, request.stream) == ("big", "7", True)
    assert request.files == ("1",)
    assert [(each.kind, each.name, each.media_type, each.size) for each in request.attachments] == [
        ("image", "a.png", "", 3),
        ("file", "", "text/plain", 3),
    ]


@pytest.mark.parametrize(
    ("path", "conversation"),
    [("/chat/Conversation/c-1/more", "c-1"), ("/chat/conversation/new", ""), ("/conversation", "")],
)
def test_a_conversation_in_the_path(path: str, conversation: str) -> None:
    dialect = shape('conversation_after = "conversation"')
    assert dialect.parse_request(head(path=path), b'{"prompt":"p"}').conversation == conversation


def test_a_call_that_asks_no_model_is_told_from_one_that_does() -> None:
    dialect = shape('when = ["[op=send|ask]", "[kind!=test]"]')
    assert dialect.parse_request(head(), b'{"op":"send","prompt":"p"}').asks
    for body in (b'{"op":"list","prompt":"p"}', b'{"prompt":"p"}', b'{"op":"ask","kind":"test"}'):
        request = dialect.parse_request(head(), body)
        assert not request.asks
        assert not request.slots


def test_too_many_texts_are_an_error() -> None:
    dialect = shape('assistant = ["/m/*"]')
    with pytest.raises(ContentError, match="more than"):
        dialect.parse_request(head(), orjson.dumps({"m": ["x"] * 10_001}))


@pytest.mark.parametrize("body", [b"", b"text", b'{"a":1,"a":2}', b"\xff"])
def test_what_is_no_json_is_a_content_error(body: bytes) -> None:
    with pytest.raises(ContentError):
        shape().parse_request(head(), body)
    with pytest.raises(ContentError):
        shape().parse_answer(body)


@given(st.text(), st.text(), DICE)
def test_json_carries_an_edit_and_keeps_every_other_byte(old: str, new: str, dice: random.Random) -> None:
    old = old.encode("utf-8", "replace").decode() or "x"
    new = new.encode("utf-8", "replace").decode()
    dialect = shape('assistant = ["/wrapped/$json/1/$json/0"]')
    inner = spelled(dice, [None, spelled(dice, [old, {"more": 1}])])
    body = spelled(dice, {"novel": [1.50, "é"], "wrapped": inner, "prompt": "stay"}).encode()
    slot = next(slot for slot in dialect.parse_request(head(), body).slots if slot.role is Role.ASSISTANT)
    assert slot.text == old
    before, after = body.decode(), edited(dialect, body, slot, new).decode()
    assert json.loads(json.loads(json.loads(after)["wrapped"])[1])[0] == new
    ((start, end), (again, until)) = (locate(text, [("wrapped",)])[("wrapped",)] for text in (before, after))
    assert (after[:again], after[until:]) == (before[:start], before[end:])


@given(
    st.text(st.characters(codec="utf-8"), min_size=1), st.text(st.characters(codec="utf-8")), st.booleans()
)
def test_a_form_carries_an_edit_and_keeps_the_other_fields(old: str, new: str, query: bool) -> None:
    dialect = shape(f'carrier = "{"query" if query else "form"}"')
    where = head(method="GET") if query else head(f"{FORM}; charset=UTF-8")
    before, after = b"a=1+%41&b&c=%e2%82%ac", b"&d=%7B%22x%22%3A1%7D&&e="
    body = before + b"&prompt=" + quote(old, safe="").encode() + after
    (slot, *_) = dialect.parse_request(where, body).slots
    assert slot.text == old
    changed = edited(dialect, body, slot, new)
    assert changed.startswith(before + b"&prompt=")
    assert changed.endswith(after)
    assert dict(parse_qsl(changed.decode(), keep_blank_values=True))["prompt"] == new


def test_a_form_may_hold_json_in_json_and_name_a_field_twice() -> None:
    dialect = shape('carrier = "form"\nassistant = ["/f.req/$json/1/$json/0"]')
    packed = json.dumps([None, json.dumps(["a b+c", 1])])
    body = f"prompt=one&f.req={quote(packed)}&prompt=two+three".encode()
    request = dialect.parse_request(head(FORM), body)
    assert texts(request) == ["one", "a b+c", "two three"]
    changed = edited(dialect, body, request.slots[1], 'x "y"')
    assert json.loads(json.loads(dict(parse_qsl(changed.decode()))["f.req"])[1]) == ['x "y"', 1]
    assert changed.startswith(b"prompt=one&f.req=")
    assert changed.endswith(b"&prompt=two+three")
    assert edited(dialect, body, request.slots[2], "2 3").endswith(b"&prompt=2+3")


@pytest.mark.parametrize(
    ("carrier", "where", "body"),
    [
        ("form", head(), b"prompt=x"),
        ("form", head(FORM), b"prompt=%ff"),
        ("form", head(FORM), b"&" * MAX_DOCUMENTS),
        ("query", head(), b"prompt=x"),
        ("multipart", head("multipart/form-data; boundary=x"), b"--y\r\n"),
        ("multipart", head(), b"--x\r\n"),
        ("lines", head(), b"\n \n"),
        ("lines", head(), b'{"prompt":1}\n{'),
        ("lines", head(), b"1\n" * (MAX_DOCUMENTS + 1)),
        ("connect", head(), b""),
        ("connect", head(), b"\0\0\0\0"),
        ("connect", head(), b"\0\0\0\0\x05{}"),
        ("connect", head(), envelope(1, b"{}")),
        ("connect", head(), envelope(0, b"1") * (MAX_DOCUMENTS + 1)),
    ],
)
def test_what_is_not_in_its_carrier_is_a_content_error(carrier: str, where: RequestHead, body: bytes) -> None:
    with pytest.raises(ContentError):
        shape(f'carrier = "{carrier}"').parse_request(where, body)


@pytest.mark.parametrize("carrier", ["lines", "connect"])
def test_several_documents_are_edited_one_by_one(carrier: str) -> None:
    dialect = shape(f'carrier = "{carrier}"')
    documents = [b'{"prompt" : "one"}', b'{"novel":1}', b'{"prompt":"two"}']
    framed = {
        "lines": lambda parts: b"\n".join(parts) + b"\n",
        "connect": lambda parts: b"".join(envelope(0, part) for part in parts),
    }[carrier]
    body = framed(documents)
    request = dialect.parse_request(head(), body)
    assert texts(request) == ["one", "two"]
    assert edited(dialect, body, request.slots[0], "a longer text") == framed(
        [b'{"prompt" : "a longer text"}', *documents[1:]]
    )
    with pytest.raises(ContentError):
        dialect.edit_request(body, (Edit(address=((9, "prompt"),), start=0, end=0, replacement="x"),))
    assert dialect.edit_request(body, ()) == body


def test_a_multipart_form_has_fields_and_files() -> None:
    dialect = shape('carrier = "multipart"\nassistant = ["/data/$json/inputs"]')
    body = (
        b'--x\r\nContent-Disposition: form-data; name="data"\r\n\r\n{"inputs": "hi", "n": 1.0}\r\n'
        b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n'
        b"abc\r\n--x--\r\n"
    )
    request = dialect.parse_request(head("multipart/form-data; boundary=x"), body)
    assert texts(request) == ["hi"]
    assert [(each.name, each.size) for each in request.attachments] == [("a.txt", 3)]
    assert edited(dialect, body, request.slots[0], "ho") == body.replace(b"hi", b"ho")


def test_only_a_query_shape_reads_addresses() -> None:
    assert shape('carrier = "query"').reads_query
    assert not shape().reads_query


# Framings


def cut(framing: Cutter, chunks: list[bytes]) -> list[tuple[str, bytes, bytes]]:
    events = [event for chunk in chunks for event in framing.feed(chunk)] + framing.finish()
    return [(event.event, event.data, event.raw) for event in events]


LINES = b'{"a":1}\n\r\n{"b":"\\n"}\r\n0:"x"\nd:{}\nlonger:1\n{"open":1}'
BATCH = b')]}\'\n\n24\n[["wrb.fr",null,"[1]"]]\n25\n[["wrb.fr",null,"\xc3\xa9\xf0\x9f\x98\x80"]]\n[3]\n7'
MESSAGES = envelope(0, b'{"a":1}') + envelope(0, b"") + envelope(2, b"{}")


@pytest.mark.parametrize(
    ("make", "stream", "events"),
    [
        (LineFraming, LINES, [("", b'{"a":1}'), ("", b""), ("", b'{"b":"\\n"}'), ("", b'0:"x"')]),
        (
            lambda: LineFraming(prefixed=True),
            LINES,
            [
                ("", b'{"a":1}'),
                ("", b""),
                ("", b'{"b":"\\n"}'),
                ("0", b'"x"'),
                ("d", b"{}"),
                ("", b"longer:1"),
                ("", b'{"open":1}'),
            ],
        ),
        (ConnectFraming, MESSAGES, [("", b'{"a":1}'), ("", b""), ("end", b"{}")]),
        (BatchFraming, BATCH, [("", b""), ("", b""), ("", b'[["wrb.fr",null,"[1]"]]')]),
    ],
    ids=["lines", "prefixed", "connect", "batch"],
)
@given(dice=DICE)
def test_however_it_is_chunked_a_stream_is_cut_alike(
    make: type[Cutter], stream: bytes, events: list[tuple[str, bytes]], dice: random.Random
) -> None:
    whole = cut(make(), [stream])
    assert [each[:2] for each in whole][: len(events)] == events
    assert b"".join(raw for _, _, raw in whole) == stream
    chunks, at = [], 0
    while at < len(stream):
        size = dice.randint(1, 9)
        chunks.append(stream[at : at + size])
        at += size
    assert cut(make(), chunks) == whole


@given(st.text(st.characters(codec="utf-8")), DICE)
def test_bare_text_is_cut_between_characters(text: str, dice: random.Random) -> None:
    stream = text.encode()
    cuts = sorted(dice.sample(range(len(stream) + 1), min(5, len(stream))))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    pieces = [data.decode() for _, data, _ in cut(TextFraming(), chunks)]
    assert "".join(pieces) == text


def test_what_is_no_text_still_passes() -> None:
    assert b"".join(raw for _, _, raw in cut(TextFraming(), [b"a\xff\xc3", b"b", b"\xe2\x82"])) == (
        b"a\xff\xc3b\xe2\x82"
    )


def test_a_rewritten_line_keeps_its_name_and_its_end() -> None:
    framing = LineFraming(prefixed=True)
    (event,) = framing.feed(b'a0:"x"\r\n')
    assert framing.rewritten(event, b'"y"') == b'a0:"y"\r\n'
    assert framing.encode("d", b"{}") == b"d:{}\n"
    assert framing.encode("", b"{}") == b"{}\n"


def test_a_rewritten_batch_counts_its_length_as_it_was_counted() -> None:
    framing = BatchFraming()
    events = framing.feed(BATCH)
    assert framing.rewritten(events[2], b"[]") == b"3\n[]\n"
    assert framing.rewritten(events[3], '["é😀"]'.encode()) == '9\n["é😀"]\n'.encode()
    assert framing.rewritten(events[4], b"[4]") == b"[4]\n"
    assert framing.encode("", '["😀"]'.encode()) == '8\n["😀"]\n'.encode()


def test_a_rewritten_message_keeps_its_flags() -> None:
    framing = ConnectFraming()
    *_, event = framing.feed(MESSAGES)
    assert framing.rewritten(event, b'{"x":1}') == envelope(2, b'{"x":1}')
    assert framing.encode("", b"1") == envelope(0, b"1")
    assert [flags for flags, _, _ in envelopes(framing.encode("end", b"{}"))] == [2]


@pytest.mark.parametrize("stream", [envelope(1, b"{}"), b"\0\xff\xff\xff\xff"])
def test_messages_that_cannot_be_read_break_the_stream(stream: bytes) -> None:
    with pytest.raises(ContentError):
        ConnectFraming().feed(stream)


# Answers


def read(dialect: WebShapeDialect, *events: tuple[str, object] | object) -> list[EventView]:
    reader = dialect.stream_reader(ParsedRequest())
    named = [each if isinstance(each, tuple) else ("", each) for each in events]
    return [
        reader.read(name, data if isinstance(data, bytes) else orjson.dumps(data)) for name, data in named
    ]


def pieces(views: list[EventView]) -> list[tuple[str, str]]:
    return [(delta.channel, delta.piece) for view in views for delta in view.deltas]


def test_pieces_of_several_texts_are_told_apart() -> None:
    dialect = shape(answer='appends = { a = ["/c/*@/t"], b = ["<x>/t"] }\ncalls = { tool = ["/args"] }')
    views = read(
        dialect, {"c": [{"t": "1"}, {"t": "2"}]}, ("x", {"t": "3"}), ("y", {"t": "4"}), {"args": "5"}
    )
    assert pieces(views) == [("a/0", "1"), ("a/1", "2"), ("b", "3"), ("tool", "5")]
    assert views[3].deltas[0].slot.role is Role.TOOL_CALL


def test_a_text_that_grows_is_told_by_what_is_new() -> None:
    dialect = shape(answer='grows = { a = ["/t"] }')
    views = read(
        dialect, {"t": "He"}, {"t": "Hell"}, {"t": "Hell"}, {"t": "Hello"}, {"t": "Bye"}, {"t": "Bye!"}
    )
    assert pieces(views) == [("a", "He"), ("a", "ll"), ("a", ""), ("a", "o"), ("a~1", "Bye"), ("a~1", "!")]
    assert [delta.known for view in views for delta in view.deltas] == [0, 2, 4, 4, 0, 3]
    assert views[4].closes == ("a",)


def test_a_text_that_begins_anew_too_often_is_judged_whole() -> None:
    dialect = shape(answer='grows = { a = ["/t"] }')
    views = read(dialect, *({"t": f"{number} x"} for number in range(103)))
    assert [len(view.deltas) for view in views] == [1] * 101 + [0, 0]
    assert [slot.text for slot in views[102].repeats] == ["102 x"]


def test_sticky_keys_hold_until_they_change() -> None:
    dialect = shape(answer='sticky = ["p"]\nappends = { a = ["[p=x]/v"] }')
    views = read(dialect, {"v": "0"}, {"p": "x", "v": "1"}, {"v": "2"}, {"p": "y", "v": "3"}, {"v": "4"})
    assert pieces(views) == [("a", "1"), ("a", "2")]


def test_padding_is_no_part_of_a_piece() -> None:
    dialect = shape(answer='appends = { a = ["/t"] }\npadding = "\\u0000"')
    views = read(dialect, {"t": "ab\0\0"}, {"t": "c"})
    assert pieces(views) == [("a", "ab"), ("a", "c")]
    assert views[0].deltas[0].slot.text == "ab\0\0"


def test_the_end_of_a_stream() -> None:
    dialect = shape(
        answer='appends = { a = ["/t"] }\nend_data = ["[DONE]"]\nend_events = ["bye"]\nend = ["[over=true]"]'
        '\nfinish = ["/why"]\nmodel = ["/m"]\ninput_tokens = ["/i"]'
    )
    for ending, name in ((b"[DONE]", ""), (b"", "bye"), (b"not json", "bye"), ({"over": True}, "")):
        *_, view = read(dialect, {"t": "x"}, (name, ending))
        assert view.final
        assert view.closes == ("a",)
    (view,) = read(dialect, {"why": "stop", "m": "big", "i": 3})
    assert (view.finish_reason, view.model, view.usage.input_tokens, view.final) == ("stop", "big", 3, False)


def test_what_is_unknown_says_nothing() -> None:
    dialect = shape(answer='appends = { a = ["/t"] }')
    for data in (b"[]", b"5", b"null", b'{"novel":1}', b"not json", b"\xff", b'{"t":5}', b'{"t":""}'):
        (view,) = read(dialect, ("", data))
        assert (view.deltas, view.repeats, view.closes, view.keepalive) == ((), (), (), False)
    assert read(dialect, ("", b""))[0].keepalive


def test_a_value_that_is_no_text_is_read_as_prose_whole() -> None:
    dialect = shape(answer='appends = { a = ["/t"] }\nrepeats = ["/r", "/t"]')
    (view,) = read(dialect, {"t": [{"text": "x"}], "r": "y"})
    assert [slot.text for slot in view.repeats] == ["x", "y"]
    (view,) = read(dialect, {"t": "once"})
    assert (len(view.deltas), view.repeats) == (1, ())


def test_a_text_that_holds_no_json_where_it_should_is_judged_as_it_stands() -> None:
    dialect = shape(answer='appends = { a = ["/t/$json/x"] }')
    (view,) = read(dialect, {"t": "broken", "n": ["other"]})
    assert [slot.text for slot in view.repeats] == ["broken", "other"]
    edit = Edit(address=view.repeats[0].address, start=0, end=6, replacement="X")
    assert dialect.edit_event(b'{"t":"broken","n":["other"]}', (edit,)) == b'{"t":"X","n":["other"]}'


def test_an_event_that_is_a_text_is_edited_as_one() -> None:
    dialect = shape(answer='framing = "prefixed"\nappends = { a = ["<0>"] }')
    (view,) = read(dialect, ("0", b'"a \\"b\\""'))
    slot = view.deltas[0].slot
    assert slot.text == 'a "b"'
    edit = Edit(address=slot.address, start=0, end=len(slot.text), replacement='"X"')
    assert dialect.edit_event(b'"a \\"b\\""', (edit,)) == b'"\\"X\\""'


def test_a_whole_answer_is_read_and_one_without_text_is_unknown() -> None:
    dialect = shape(
        answer='appends = { a = ["/t"] }\nrepeats = ["/r"]\nmodel = ["/m"]\noutput_tokens = ["/o"]'
    )
    answer = dialect.parse_answer(b'{"r":"two","t":"one","m":"big","o":4}')
    assert [slot.text for slot in answer.slots] == ["two", "one"]
    assert (answer.model, answer.usage.output_tokens) == ("big", 4)
    with pytest.raises(ContentError, match="no text"):
        dialect.parse_answer(b'{"novel":"x"}')


@pytest.mark.parametrize(
    ("answer", "kind", "streams"),
    [
        ("", b"text/event-stream", True),
        ("", b"application/json", False),
        ('types = ["application/json"]', b"application/json", True),
        ('framing = "lines"', b"application/x-ndjson", True),
        ('framing = "lines"', b"text/event-stream", True),
        ('framing = "connect"', b"application/connect+json", True),
        ('framing = "text"', b"text/plain", True),
    ],
)
def test_which_answers_stream(answer: str, kind: bytes, streams: bool) -> None:
    assert (shape(answer=answer).framing_of(kind, ParsedRequest()) is not None) is streams


def test_an_answer_that_is_one_document_never_streams() -> None:
    dialect = shape(answer='framing = "document"', block='body = \'{"m":"{message}"}\'')
    assert dialect.framing_of(b"text/event-stream", ParsedRequest()) is None


# Refusals


def filled(template: str, message: str = "no") -> str:
    return Template.compile(template).filled(values(message, conversation="c-1")).decode()


def test_what_is_filled_in_breaks_no_json() -> None:
    message = 'say "no"\n{uuid} \\ é'
    made = json.loads(filled('{"a":"<{message}>","b":[1,"{conversation}"],"c":"{seconds}","d":"{"}', message))
    assert (made["a"], made["b"], made["d"]) == (f"<{message}>", [1, "c-1"], "{")
    assert isinstance(made["c"], int)
    nested = json.loads(
        filled(
            '["{\\"x\\":\\"{message}\\",\\"y\\":\\"{\\\\\\"z\\\\\\":\\\\\\"{message}\\\\\\"}\\"}"]', message
        )
    )
    inner = json.loads(nested[0])
    assert (inner["x"], json.loads(inner["y"])["z"]) == (message, message)


def test_one_refusal_has_one_uuid_and_the_next_another() -> None:
    first, second = json.loads(filled('["{uuid}","{uuid}"]')), json.loads(filled('["{uuid}","{uuid}"]'))
    assert first[0] == first[1] != second[0]
    assert json.loads(filled('["{now}"]'))[0].endswith("Z")


def test_bare_texts_are_sent_as_they_are() -> None:
    assert filled("[DONE]") == "[DONE]"
    assert filled("{message}", '"x"') == '"x"'


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ("events = [{ data = 'say {message}' }]", "no JSON"),
        ("events = [{ data = '\"{word}\"' }]", "{word} is not known"),
        ("status = 403", "answers stream"),
    ],
)
def test_a_refusal_that_cannot_be_written_is_an_error(block: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        shape(block=block)
    assert problem in str(caught.value)
    assert "shape 'page'" in str(caught.value)


def test_a_shape_that_contradicts_itself_is_an_error() -> None:
    with pytest.raises(ConfigError, match="sticky"):
        shape(answer='sticky = ["p"]\nappends = { a = ["/p"] }')
    with pytest.raises(ConfigError, match="no events to show"):
        shape(answer='framing = "document"')
    (made,) = parse_shapes('[[shape]]\nname = "x"\n[shape.request]\nsystem = []', source="t")
    with pytest.raises(ConfigError, match="nothing would be read"):
        WebShapeDialect(made)


def test_errors_are_json_with_a_message() -> None:
    block = shape().error(502, "away")
    assert (block.status, json.loads(block.body)["error"]["message"]) == (502, "away")
    block = shape(block=f'{EVENTS}\nerror = \'{{"code":1,"msg":"{{message}}"}}\'').error(413, "large")
    assert (block.status, json.loads(block.body)) == (413, {"code": 1, "msg": "large"})


def test_a_refusal_without_events_of_its_own_is_json() -> None:
    block = shape(block="stopped = [{ data = '1' }]").block("no")
    assert (block.status, json.loads(block.body)["message"]) == (403, "no")


def test_texts_beyond_counting_are_judged_event_by_event() -> None:
    dialect = shape(answer='appends = { a = ["[id@]/t"] }')
    views = read(dialect, *({"id": number, "t": "x"} for number in range(502)))
    assert [len(view.deltas) for view in views] == [1] * 500 + [0, 0]
    assert [slot.text for slot in views[501].repeats] == ["x"]


def test_a_large_object_is_read_in_order_and_in_time() -> None:
    dialect = shape('assistant = ["/m/*"]')
    texts_of_it = [f"t{number}" for number in range(9_000)]
    body = orjson.dumps({"m": {f"k{number}": text for number, text in enumerate(texts_of_it)}})
    assert texts(dialect.parse_request(head(), body)) == texts_of_it
