"""How streams end that broke off: one error, in every format that clients speak."""

from __future__ import annotations

import pytest

from agent.dialects import DIALECTS
from agent.dialects.base import ParsedRequest
from agent.gateway.unified.failing import failing
from agent.gateway.unified.forms import Asked, Forms
from agent.gateway.unified.routebook import RouteBook
from agent.model.conversation import StreamFailed
from agent.policy import load
from agent.translation.registry import TRANSLATORS, translator
from tests.fakes.streams import read_sse

FORMATS = [each.name for each in TRANSLATORS]
SSE = [
    each.name for each in TRANSLATORS if each.stream_type == b"text/event-stream" and each.name in DIALECTS
]


@pytest.fixture(scope="module")
def book() -> RouteBook:
    return RouteBook(load("schema_version: 1\nid: none", source="p"))


def forms(book: RouteBook, dialect: str, *, stream: bool = True, operation: str = "chat") -> Forms:
    asked = Asked(
        dialect=dialect,
        operation=operation,
        path="/",
        query=b"",
        fields=(),
        body=b"{}",
        model="m",
        stream=stream,
    )
    return Forms(asked=asked, book=book)


@pytest.mark.parametrize("dialect", FORMATS)
def test_the_ending_is_read_as_a_failure_and_nothing_else(book: RouteBook, dialect: str) -> None:
    end = failing(forms(book, dialect))
    assert end is not None
    reader = translator(dialect)
    assert reader is not None
    source = reader.stream_source()
    events = [*source.feed(end("it broke")), *source.finish()]
    [failed] = [event for event in events if isinstance(event, StreamFailed)]
    assert failed.message == "it broke"


@pytest.mark.parametrize("dialect", SSE)
def test_the_ending_ends_a_stream_for_who_inspects_it(book: RouteBook, dialect: str) -> None:
    end = failing(forms(book, dialect))
    assert end is not None
    reader = DIALECTS[dialect].stream_reader(ParsedRequest(stream=True))
    views = [reader.read(name, data.encode()) for name, data in read_sse(end("it broke"))]
    assert any(view.final or view.finish_reason for view in views)


@pytest.mark.parametrize(
    ("dialect", "stream", "operation"),
    [("openai-chat", False, "chat"), ("openai-chat", True, "completions"), ("raw-text", True, "chat")],
)
def test_what_is_no_conversation_has_no_ending(
    book: RouteBook, dialect: str, stream: bool, operation: str
) -> None:
    assert failing(forms(book, dialect, stream=stream, operation=operation)) is None
