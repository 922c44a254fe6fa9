"""Every bundled shape against a request and an answer as its page makes them, written by hand from what is known."""

from __future__ import annotations

import json
import random
import struct
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from agent.catalog import Catalog, bundled_shapes, bundled_surfaces
from agent.dialects.base import Block, EventView, ParsedRequest, RequestHead
from agent.dialects.webshape import WebShapeDialect
from agent.dialects.webshape.trying import answer_of, request_of, said
from agent.inspection.formats import bundled_dialects
from agent.model.content import Edit, Slot
from agent.model.webshape import Carrier, Framing, ShapeExample

MESSAGE = 'Blocked: "a key" in the prompt.\nRef ÄB12 {uuid}'
SHAPES = {shape.name: WebShapeDialect(shape) for shape in bundled_shapes()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One page's traffic."""

    host: str
    path: str
    dialect: WebShapeDialect
    example: ShapeExample

    @property
    def head(self) -> RequestHead:
        head, _ = request_of(self.dialect, self.example)
        return RequestHead(method=head.method, path=self.path, content_type=head.content_type)

    @property
    def body(self) -> bytes:
        return request_of(self.dialect, self.example)[1]

    @property
    def answer(self) -> bytes:
        return answer_of(self.dialect, self.example)

    def parsed(self, body: bytes) -> ParsedRequest:
        return self.dialect.parse_request(self.head, body)


def recorded() -> Iterator[Recorded]:
    for file in sorted(Path(__file__).parent.glob("*.toml")):
        written = tomllib.loads(file.read_text(encoding="utf-8"))
        for row in written["example"]:
            example = ShapeExample(
                request=row["request"],
                content_type=row.get("type", ""),
                reads=tuple(row["reads"]),
                model=row.get("model", ""),
                conversation=row.get("conversation", ""),
                answer=row.get("answer", ""),
                says=tuple(row.get("says", ())),
            )
            yield Recorded(
                host=written["host"], path=written["path"], dialect=SHAPES[written["shape"]], example=example
            )


RECORDED = tuple(recorded())
each = pytest.mark.parametrize("page", RECORDED, ids=lambda page: page.dialect.name)
streaming = pytest.mark.parametrize(
    "page",
    [page for page in RECORDED if page.example.answer and page.dialect.shape.answer.framing != "document"],
    ids=lambda page: page.dialect.name,
)


def test_every_shape_is_recorded() -> None:
    assert {page.dialect.name for page in RECORDED} == SHAPES.keys()


@each
def test_the_catalog_leads_the_request_to_its_shape(page: Recorded) -> None:
    match = Catalog(bundled_surfaces()).match(page.host, page.path)
    assert match is not None
    assert match.endpoint is not None
    assert match.endpoint.dialect == page.dialect.name
    assert bundled_dialects()[match.endpoint.dialect].name == page.dialect.name


@each
def test_what_was_asked_is_found(page: Recorded) -> None:
    request = page.parsed(page.body)
    assert tuple(slot.text for slot in request.slots) == page.example.reads
    assert request.model == page.example.model
    assert request.conversation == page.example.conversation
    assert request.asks


@each
def test_an_edit_changes_its_text_and_nothing_else(page: Recorded) -> None:
    before = page.parsed(page.body)
    for slot in before.slots:
        edits = (Edit(address=slot.address, start=0, end=len(slot.text), replacement='[X] "é"&=+%'),)
        edited = page.dialect.edit_request(page.body, edits)
        after = page.parsed(edited)
        assert Slot(address=slot.address, role=slot.role, text='[X] "é"&=+%') in after.slots
        outer = slot.address[:1]
        assert [one for one in after.slots if one.address[:1] != outer] == [
            one for one in before.slots if one.address[:1] != outer
        ]
        assert (after.model, after.conversation, after.files, after.attachments) == (
            before.model,
            before.conversation,
            before.files,
            before.attachments,
        )
        back = tuple(
            Edit(address=slot.address, start=0, end=len(one.text), replacement=slot.text)
            for one in after.slots
            if one.address == slot.address
        )
        assert plainly(page, page.dialect.edit_request(edited, back)) == plainly(page, page.body)


def plainly(page: Recorded, body: bytes) -> object:
    """A request as somebody else's reader sees it."""
    match page.dialect.shape.request.carrier:
        case Carrier.JSON:
            return json.loads(body)
        case Carrier.CONNECT:
            return list(messages(body))
        case Carrier.FORM | Carrier.QUERY:
            return parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True)
        case _:
            return body


@streaming
def test_the_answer_reads_the_same_in_every_chunking(page: Recorded) -> None:
    assert said(page.dialect, page.answer) == page.example.says
    whole = views(page, [page.answer])
    dice = random.Random(page.dialect.name)
    for _ in range(20):
        cuts = sorted(dice.sample(range(len(page.answer)), min(12, len(page.answer) - 1)))
        chunks = [page.answer[a:b] for a, b in zip([0, *cuts], [*cuts, len(page.answer)], strict=True)]
        if page.dialect.shape.answer.framing is Framing.TEXT:  # its events are the chunks
            assert "".join(d.piece for view in views(page, chunks) for d in view.deltas) == "Hi thére"
        else:
            assert views(page, chunks) == whole


def views(page: Recorded, chunks: list[bytes]) -> list[EventView]:
    framing, reader = page.dialect.framing(), page.dialect.stream_reader(ParsedRequest())
    events = [event for chunk in chunks for event in framing.feed(chunk)] + framing.finish()
    assert b"".join(event.raw for event in events) == b"".join(chunks)
    return [reader.read(event.event, event.data) for event in events]


@each
def test_an_answer_in_one_document_is_read(page: Recorded) -> None:
    if page.dialect.shape.answer.framing is not Framing.DOCUMENT or not page.example.answer:
        return
    assert tuple(slot.text for slot in page.dialect.parse_answer(page.answer).slots) == page.example.says


@each
def test_a_refusal_is_shown_in_the_pages_own_form(page: Recorded) -> None:
    block = page.dialect.block_in(MESSAGE, page.parsed(page.body))
    headers = dict(block.headers)
    assert headers[b"content-length"] == str(len(block.body)).encode()
    shown = list(texts(list(documents(page.dialect, block))))
    assert any(MESSAGE in text for text in shown)
    leaves = [text.replace(MESSAGE, "") for text in shown if text[:1] not in ("{", "[")]
    assert not any("{" in text for text in leaves)


@streaming
def test_a_stream_that_is_stopped_says_so_in_the_pages_own_form(page: Recorded) -> None:
    reader = page.dialect.stream_reader(page.parsed(page.body))
    end = reader.block(MESSAGE)
    read = list(foreign(page.dialect.shape.answer.framing, end))
    assert read
    if page.dialect.shape.answer.framing is not Framing.BATCH:
        assert any(MESSAGE in text for text in texts(read)) or page.dialect.name == "notebooklm-sources"


# A reader of each form that shares nothing with the code


def documents(dialect: WebShapeDialect, block: Block) -> Iterator[object]:
    if dialect.shape.block.body:
        yield json.loads(block.body)
    else:
        yield from foreign(dialect.shape.answer.framing, block.body)


def foreign(framing: Framing, body: bytes) -> Iterator[object]:
    match framing:
        case Framing.SSE:
            assert body.endswith(b"\n\n")
            for event in body.decode().strip().split("\n\n"):
                data = "\n".join(line[6:] for line in event.split("\n") if line.startswith("data: "))
                yield data if data == "[DONE]" else json.loads(data)
        case Framing.LINES:
            assert body.endswith(b"\n")
            yield from map(json.loads, body.decode().splitlines())
        case Framing.PREFIXED:
            for line in body.decode().splitlines():
                yield json.loads(line.partition(":")[2])
        case Framing.CONNECT:
            yield from messages(body)
        case Framing.BATCH:
            lines = body.decode().removeprefix(")]}'\n\n").split("\n")
            for length, line in zip(lines[0:-1:2], lines[1::2], strict=True):
                assert int(length) == len(line.encode("utf-16-le")) // 2 + 2
                yield json.loads(line)
        case Framing.TEXT | Framing.DOCUMENT:
            yield body.decode()


def messages(body: bytes) -> Iterator[object]:
    while body:
        _, size = struct.unpack(">BI", body[:5])
        yield json.loads(body[5 : 5 + size])
        body = body[5 + size :]


def texts(values: object) -> Iterator[str]:
    """Every text, also in JSON texts."""
    match values:
        case str():
            yield values
            if values[:1] in ("{", "["):
                yield from texts(json.loads(values) if values != "[DONE]" else [])
        case dict():
            for value in values.values():
                yield from texts(value)
        case list():
            for value in values:
                yield from texts(value)
