"""Bytes of streams as events, whatever carries them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.dialects import sse
from agent.dialects.eventstream import MessageDecoder, encode, event, exception
from agent.dialects.framing import (
    ARRAY_END,
    ArrayFraming,
    ChunkFraming,
    Framing,
    LinesFraming,
    MessageFraming,
    ServerSentLines,
    SseFraming,
)
from agent.errors import ContentError

FRAMINGS = (SseFraming, MessageFraming, ChunkFraming, LinesFraming, ServerSentLines, ArrayFraming)
NAMED = (SseFraming, MessageFraming)
EVENTS = [("messageStart", b'{"role":"assistant"}'), ("contentBlockDelta", b'{"delta":{"text":"hi"}}')]


def fed(framing: Framing, stream: bytes, sizes: list[int]) -> list[sse.SseEvent]:
    read = []
    turn = 0
    while stream:
        size = sizes[turn % len(sizes)]
        read += framing.feed(stream[:size])
        stream = stream[size:]
        turn += 1
    return read + framing.finish()


@pytest.mark.parametrize("make", FRAMINGS)
@given(sizes=st.lists(st.integers(1, 40), min_size=1))
def test_what_was_written_is_read_however_it_is_cut(make: type[Framing], sizes: list[int]) -> None:
    framing, writing = make(), make()
    pieces = [writing.encode(name if make in NAMED else "", data) for name, data in EVENTS]
    read = fed(framing, b"".join(pieces), sizes)
    expected = EVENTS if make in NAMED else [("", data) for _, data in EVENTS]
    assert [(each.event, each.data) for each in read] == expected
    assert [each.raw for each in read] == pieces


@pytest.mark.parametrize("make", FRAMINGS)
def test_an_event_with_other_data_is_one_of_its_kind(make: type[Framing]) -> None:
    framing, writing = make(), make()
    stream = b"".join(writing.encode(name if make in NAMED else "", data) for name, data in EVENTS)
    read = framing.feed(stream)
    changed = b"".join(framing.rewritten(each, b'{"new":1}') for each in read)
    again = make().feed(changed)
    assert [(each.event, each.data) for each in again] == [(each.event, b'{"new":1}') for each in read]


def test_a_rewritten_message_keeps_its_headers() -> None:
    headers = {":event-type": "chunk", ":message-type": "event", "x-more": 7}
    raw = encode(headers, b'{"bytes":"e30=","p":"abcd"}')
    framing = ChunkFraming()
    (read,) = framing.feed(raw)
    assert (read.event, read.data) == ("", b"{}")
    (message,) = MessageDecoder().feed(framing.rewritten(read, b'{"a":1}'))
    assert (message.headers, message.payload) == (headers, b'{"bytes":"eyJhIjoxfQ=="}')


def test_an_exception_among_chunks_is_an_event_of_its_name() -> None:
    (read,) = ChunkFraming().feed(exception("throttlingException", b'{"message":"slow"}'))
    assert (read.event, read.data) == ("throttlingException", b'{"message":"slow"}')


@pytest.mark.parametrize("payload", [b"{}", b"[]", b"x", b'{"bytes":5}', b'{"bytes":"*"}'])
def test_a_chunk_that_holds_no_bytes_is_an_error(payload: bytes) -> None:
    with pytest.raises(ContentError):
        ChunkFraming().feed(event("chunk", payload))


def test_an_array_keeps_its_brackets_and_commas() -> None:
    framing = ArrayFraming()
    first, second, end = framing.feed(b'[{"a":1}\n,\r\n{"b":2}\n]')
    assert framing.rewritten(first, b"{}") == b"[{}"
    assert framing.rewritten(second, b"{}") == b"\n,\r\n{}"
    assert (end.event, end.data, framing.rewritten(end, b"")) == (ARRAY_END, b"", b"\n]")
    assert [each.event for each in framing.feed(b"\n") + framing.finish()] == [ARRAY_END]


def test_a_stopped_array_is_whole() -> None:
    worded = sse.encode("", b'{"last":1}') + sse.encode("", b"[DONE]")
    assert ArrayFraming().ending(worded, begun=False) == b'[{"last":1}]'
    assert ArrayFraming().ending(worded, begun=True) == b',\n{"last":1}]'


def test_lines_keep_their_ends() -> None:
    framing = LinesFraming()
    first, empty, last = (*framing.feed(b'{"a":1}\r\n\n{"b"'), *framing.feed(b":2}"), *framing.finish())
    assert framing.rewritten(first, b"{}") == b"{}\r\n"
    assert (empty.data, empty.raw) == (b"", b"\n")
    assert (last.data, framing.rewritten(last, b"{}")) == (b'{"b":2}', b"{}")
    assert ServerSentLines().ending(sse.encode("", b"{}"), begun=True) == b"{}\n"


def test_a_line_is_bounded() -> None:
    with pytest.raises(ContentError):
        LinesFraming(max_line_bytes=10).feed(b"x" * 11)
    with pytest.raises(ContentError):
        LinesFraming(max_line_bytes=10).feed(b"x" * 11 + b"\n")


def test_only_server_sent_events_know_comments() -> None:
    assert [make for make in FRAMINGS if make().comments] == [SseFraming]


def test_a_message_that_broke_off_says_nothing() -> None:
    framing = MessageFraming()
    assert framing.feed(framing.encode(*EVENTS[0])[:-1]) == []
    assert framing.finish() == []


def test_what_is_no_event_stream_is_an_error() -> None:
    with pytest.raises(ContentError):
        MessageFraming().feed(b"data: {}\n\n" * 4)


@pytest.mark.parametrize("make", [*NAMED, LinesFraming])
def test_an_event_is_written_again_with_other_data(make: type[Framing]) -> None:
    framing = make()
    (event,) = framing.feed(framing.encode(*EVENTS[1]))
    assert framing.rewritten(event, b"{}") == framing.encode(event.event, b"{}")
    assert framing.ending(b"end", begun=True) == b"end"
