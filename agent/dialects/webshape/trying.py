"""Tries a shape's own examples: what it should read in a request or an answer, and whether its refusal can be read."""

from __future__ import annotations

from collections.abc import Iterator

from agent.dialects.base import ParsedRequest, RequestHead
from agent.dialects.webshape.dialect import WebShapeDialect
from agent.dialects.webshape.envelopes import envelope
from agent.errors import ContentError
from agent.model.webshape import Carrier, Framing, ShapeExample

_USUAL = {
    Carrier.JSON: "application/json",
    Carrier.LINES: "application/x-ndjson",
    Carrier.CONNECT: "application/connect+json",
    Carrier.FORM: "application/x-www-form-urlencoded",
}


def try_examples(dialect: WebShapeDialect) -> Iterator[str]:
    """What is wrong, one sentence for each example that does not come out."""
    for number, example in enumerate(dialect.shape.examples, 1):
        for problem in (*_request(dialect, example), *_answer(dialect, example)):
            yield f"shape {dialect.name!r}, example {number}: {problem}"


def request_of(dialect: WebShapeDialect, example: ShapeExample) -> tuple[RequestHead, bytes]:
    """The example's request as it would come."""
    carrier = dialect.shape.request.carrier
    method = "GET" if carrier is Carrier.QUERY else "POST"
    kind = example.content_type or _USUAL.get(carrier, "")
    body = example.request.encode()
    if carrier is Carrier.CONNECT:
        body = _framed(example.request)
    elif carrier is Carrier.MULTIPART:  # in an example lines end with LF alone
        body = body.replace(b"\n", b"\r\n")
    return RequestHead(method=method, path="/", content_type=kind), body


def answer_of(dialect: WebShapeDialect, example: ShapeExample) -> bytes:
    """The example's answer as it would come."""
    if dialect.shape.answer.framing is Framing.CONNECT:
        return _framed(example.answer)
    return example.answer.encode()


def said(dialect: WebShapeDialect, answer: bytes) -> tuple[str, ...]:
    """The texts of an answer, of each channel one, and then what is repeated. Raises ContentError."""
    if dialect.shape.answer.framing is Framing.DOCUMENT:
        return tuple(slot.text for slot in dialect.parse_answer(answer).slots)
    reader, framing = dialect.stream_reader(ParsedRequest()), dialect.framing()
    channels: dict[str, str] = {}
    repeats: list[str] = []
    for event in (*framing.feed(answer), *framing.finish()):
        view = reader.read(event.event, event.data)
        for delta in view.deltas:
            channels[delta.channel] = channels.get(delta.channel, "") + delta.piece
        repeats += (slot.text for slot in view.repeats)
    return (*channels.values(), *repeats)


def _request(dialect: WebShapeDialect, example: ShapeExample) -> Iterator[str]:
    if not example.request:
        return
    head, body = request_of(dialect, example)
    try:
        read = dialect.parse_request(head, body)
    except ContentError as error:
        yield f"the request cannot be read: {error}"
        return
    texts = tuple(slot.text for slot in read.slots)
    yield from _compared("reads", example.reads, texts)
    yield from _compared("model", example.model, read.model)
    yield from _compared("conversation", example.conversation, read.conversation)


def _answer(dialect: WebShapeDialect, example: ShapeExample) -> Iterator[str]:
    if not example.answer:
        return
    try:
        texts = said(dialect, answer_of(dialect, example))
    except ContentError as error:
        yield f"the answer cannot be read: {error}"
        return
    yield from _compared("says", example.says, texts)


def _compared(what: str, wanted: object, got: object) -> Iterator[str]:
    if wanted != got:
        yield f"{what} should be {wanted!r}, and is {got!r}"


def _framed(documents: str) -> bytes:
    return b"".join(envelope(0, line.encode()) for line in documents.splitlines() if line.strip())
