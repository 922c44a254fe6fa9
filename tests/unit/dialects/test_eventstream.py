"""Amazon's event streams: cutting and putting together, held against botocore's decoder."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from uuid import UUID
from zlib import crc32

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.dialects.eventstream import (
    MAX_HEADERS_BYTES,
    HeaderValue,
    Message,
    MessageDecoder,
    Timestamp,
    encode,
    event,
    exception,
    with_payload,
)
from agent.errors import ContentError

LONGS = st.integers(-(2**63), 2**63 - 1)
VALUES = st.one_of(
    st.booleans(), LONGS, st.text(max_size=40), st.binary(max_size=40), LONGS.map(Timestamp), st.uuids()
)
HEADERS = st.dictionaries(st.text(min_size=1, max_size=20), VALUES, max_size=5)
MESSAGES = st.lists(st.tuples(HEADERS, st.binary(max_size=200)), max_size=4)


def decode(*chunks: bytes) -> list[Message]:
    decoder = MessageDecoder()
    return [message for chunk in chunks for message in decoder.feed(chunk)]


def as_botocore(value: HeaderValue) -> object:
    match value:
        case Timestamp():
            return value.milliseconds
        case UUID():
            return value.bytes
        case _:
            return value


def forged(headers: bytes, payload: bytes = b"", *, total: int | None = None) -> bytes:
    """A message with right checksums around whatever stands in it."""
    length = 16 + len(headers) + len(payload) if total is None else total
    prelude = length.to_bytes(4) + len(headers).to_bytes(4)
    message = prelude + crc32(prelude).to_bytes(4) + headers + payload
    return message + crc32(message).to_bytes(4)


@given(MESSAGES)
def test_what_is_written_is_read_again_by_us_and_by_botocore(
    messages: list[tuple[dict[str, HeaderValue], bytes]],
) -> None:
    stream = b"".join(encode(headers, payload) for headers, payload in messages)
    oracle = EventStreamBuffer()
    oracle.add_data(stream)

    ours = decode(stream)
    theirs = list(oracle)

    assert [(each.headers, each.payload) for each in ours] == messages
    assert b"".join(each.raw for each in ours) == stream
    assert [(each.headers, each.payload) for each in theirs] == [
        ({name: as_botocore(value) for name, value in headers.items()}, payload)
        for headers, payload in messages
    ]


@given(MESSAGES, st.data())
def test_chunking_never_changes_the_result(
    messages: list[tuple[dict[str, HeaderValue], bytes]], data: st.DataObject
) -> None:
    stream = b"".join(encode(headers, payload) for headers, payload in messages)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    edges = [0, *cuts, len(stream)]
    chunks = [stream[start:end] for start, end in pairwise(edges)]
    assert decode(*chunks) == decode(stream)


@settings(max_examples=60)
@given(HEADERS, st.binary(max_size=60), st.data())
def test_a_changed_bit_is_always_noticed(
    headers: dict[str, HeaderValue], payload: bytes, data: st.DataObject
) -> None:
    message = bytearray(encode(headers, payload))
    at = data.draw(st.integers(0, len(message) - 1))
    message[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(ContentError, match="checksum"):
        decode(bytes(message))


@settings(max_examples=200)
@given(st.binary(max_size=80), st.booleans())
def test_any_bytes_are_a_message_or_an_error(noise: bytes, wrapped: bool) -> None:
    with suppress(ContentError):
        decode(forged(noise) if wrapped else noise)


def test_small_numbers_of_every_width_are_read() -> None:
    block = (
        b"\x01a\x02\xff" + b"\x01b\x03\xff\xfe" + b"\x01c\x04\x00\x00\x00\x07" + b"\x01d\x05" + b"\xff" * 8
    )
    [message] = decode(forged(block))
    assert message.headers == {"a": -1, "b": -2, "c": 7, "d": -1}


def test_the_names_of_events_exceptions_and_errors() -> None:
    stream = (
        event("messageStart", b"{}")
        + exception("throttlingException", b"{}")
        + encode({":message-type": "error", ":error-code": "InternalError", ":error-message": "no"}, b"")
        + encode({}, b"")
    )
    assert [(each.kind, each.name) for each in decode(stream)] == [
        ("event", "messageStart"),
        ("exception", "throttlingException"),
        ("error", "InternalError"),
        ("", ""),
    ]


def test_a_message_that_broke_off_is_known() -> None:
    decoder = MessageDecoder()
    whole = event("messageStart", b"{}")
    assert not decoder.midway
    assert decoder.feed(whole + whole[:-1])
    assert decoder.midway
    assert decoder.feed(whole[-1:])
    assert not decoder.midway


@pytest.mark.parametrize(
    ("stream", "complaint"),
    [
        (forged(b"", total=15), "shorter"),
        (forged(b"\x01a\x00\x01a\x01"), "repeated"),
        (forged(b"\x01a\x0a"), "unknown type 10"),
        (forged(b"\x05a"), "break off"),
        (forged(b"\x01a"), "break off"),
        (forged(b"\x01a\x07\x00\x05ab"), "break off"),
        (forged(b"\x01a\x09abc"), "break off"),
        (forged(b"\x01\xff\x00"), "UTF-8"),
        (forged(b"\x01a\x07\x00\x01\xff"), "UTF-8"),
    ],
)
def test_what_is_no_message_is_refused(stream: bytes, complaint: str) -> None:
    with pytest.raises(ContentError, match=complaint):
        decode(stream)


def test_limits_hold_before_the_bytes_have_come() -> None:
    with pytest.raises(ContentError, match="longer than 10 bytes"):
        MessageDecoder(max_payload_bytes=10).feed(encode({}, b"x" * 11)[:12])
    prelude = (MAX_HEADERS_BYTES + 117).to_bytes(4) + (MAX_HEADERS_BYTES + 1).to_bytes(4)
    with pytest.raises(ContentError, match="bytes of headers"):
        decode(prelude + crc32(prelude).to_bytes(4))


@pytest.mark.parametrize(
    ("headers", "complaint"),
    [
        ({"": "a"}, "name"),
        ({"a" * 256: "a"}, "name"),
        ({"a": "b" * 32768}, "value"),
        ({str(number): b"b" * 32000 for number in range(5)}, "headers"),
    ],
)
def test_what_cannot_be_written_is_refused(headers: dict[str, HeaderValue], complaint: str) -> None:
    with pytest.raises(ContentError, match=complaint):
        encode(headers, b"")


def test_another_payload_keeps_every_header() -> None:
    headers: dict[str, HeaderValue] = {":event-type": "chunk", "n": 5, "when": Timestamp(7), "flag": True}
    (message,) = MessageDecoder().feed(with_payload(encode(headers, b"first"), b"other, longer"))
    assert (message.headers, message.payload) == (headers, b"other, longer")
