"""Server-sent events: cutting and putting together."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.dialects.sse import SseDecoder, SseEvent, encode, new_event
from agent.errors import ContentError


def decode(*chunks: bytes) -> list[SseEvent]:
    decoder = SseDecoder()
    return [event for chunk in chunks for event in decoder.feed(chunk)] + decoder.finish()


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"data: a\n\n", [("", b"a")]),
        (b"data:a\n\n", [("", b"a")]),
        (b"data:  a\n\n", [("", b" a")]),
        (b"data\n\n", [("", b"")]),
        (b"data: a\ndata: b\n\n", [("", b"a\nb")]),
        (b"data: a\ndata\n\n", [("", b"a\n")]),
        (b"event: x\ndata: a\n\n", [("x", b"a")]),
        (b"event:x\r\ndata: a\r\n\r\n", [("x", b"a")]),
        (b"data: a\nevent: x\n\n", [("x", b"a")]),
        (b"event: x\nevent: y\ndata: a\n\n", [("y", b"a")]),
        (b"id: 1\nretry: 5\ndata: a\n\n", [("", b"a")]),
        (b"dataset: a\n\n", [("", b"")]),
        (b": ping\n\n", [("", b"")]),
        (b": ping\ndata: a\n\n", [("", b"a")]),
        (b"data: a\r\n\r\n", [("", b"a")]),
        (b"data: a\r\r", [("", b"a")]),
        (b"data: a\rb\r\n\r\n", [("", b"a")]),
        (b"event: x\r\r\ndata: a\n\n", [("x", b""), ("", b"a")]),
        (b"data: a\n\r\n", [("", b"a")]),
        (b"data: a\r\ndata: b\n\n", [("", b"a\nb")]),
        (b"\xef\xbb\xbfdata: a\n\n", [("", b"a")]),
        (b"data: a\n\n\xef\xbb\xbfdata: b\n\n", [("", b"a"), ("", b"")]),
        (b"data: a", [("", b"a")]),
        (b"data: a\n", [("", b"a")]),
        (b"event: x", [("x", b"")]),
        (b"\n\n", [("", b"")]),
        (b"data: a\n\n\ndata: b\n\n", [("", b"a"), ("", b"b")]),
        (b"event: \xff\ndata: a\n\n", [("\ufffd", b"a")]),
    ],
)
def test_events_follow_the_standard_in_every_chunking(
    stream: bytes, expected: list[tuple[str, bytes]]
) -> None:
    for chunks in ([stream], [stream[at : at + 1] for at in range(len(stream))]):
        for started in (b"", b"data: first\n\n"):
            events = decode(started, *chunks) if started else decode(*chunks)
            if started:
                events = events[1:]
                if stream.startswith(b"\xef\xbb\xbf"):
                    continue  # a mark counts at the very beginning only
            assert [(event.event, event.data) for event in events] == expected


_pieces = st.lists(
    st.sampled_from(
        [b"data: ", b"event: ", b": c", b"\n", b"\r", b"\r\n", b"\n\n", b"x", b"\xef\xbb\xbf", b"{}", b"data"]
    ),
    max_size=30,
).map(b"".join)


@given(_pieces, st.lists(st.integers(1, 7), max_size=40))
@settings(max_examples=80, deadline=None)
def test_no_byte_is_lost_and_chunking_changes_nothing(stream: bytes, sizes: list[int]) -> None:
    chunks, at = [], 0
    for size in sizes:
        chunks.append(stream[at : at + size])
        at += size
    chunks.append(stream[at:])

    events = decode(*chunks)

    assert b"".join(event.raw for event in events) == stream
    assert events == decode(stream)
    assert events == decode(*(stream[i : i + 1] for i in range(len(stream))))


def test_an_event_is_reported_as_soon_as_its_last_byte_is_there() -> None:
    decoder = SseDecoder()
    assert decoder.feed(b"data: a\n") == []
    assert [event.data for event in decoder.feed(b"\n")] == [b"a"]
    assert decoder.feed(b"data: b\r\n\r") == []
    assert [event.data for event in decoder.feed(b"\n")] == [b"b"]


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("end", [b"\n\n", b""])
def test_an_event_may_not_outgrow_the_limit(size: int, end: bytes) -> None:
    data = b"data: " + b"x" * 200 + end
    decoder = SseDecoder(max_event_bytes=100)
    chunks = (data[at : at + size] for at in range(0, len(data), size))
    with pytest.raises(ContentError, match="100 bytes"):
        list(map(decoder.feed, chunks))


def test_many_small_events_in_one_chunk_are_no_long_event() -> None:
    assert len(SseDecoder(max_event_bytes=100).feed(b"data: x\n\n" * 50)) == 50


@given(st.sampled_from(["", "message_start"]), st.text(st.characters(codec="utf-8"), max_size=30))
@settings(max_examples=20, deadline=None)
def test_what_is_encoded_is_decoded_again(name: str, text: str) -> None:
    data = text.replace("\r\n", "\n").replace("\r", "\n").encode()
    (event,) = decode(b"data: first\n\n", encode(name, data))[1:]
    assert (event.event, event.data) == (name, data)


def test_a_moulded_event_is_an_event() -> None:
    assert new_event(b"r", "e", b"d") == SseEvent(raw=b"r", event="e", data=b"d")
