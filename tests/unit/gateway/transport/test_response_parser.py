"""Answers are read the same however they are cut, as h11 reads them, and never trusted further than they are clear."""

from __future__ import annotations

from dataclasses import dataclass

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.gateway.transport.base import FailureKind, TransportError
from agent.gateway.transport.response_parser import PIECE_COST, ResponseParser


def parser(method: bytes = b"GET", *, max_head: int = 4096, max_headers: int = 20) -> ResponseParser:
    return ResponseParser(method=method, peer="a.test:443", max_head=max_head, max_headers=max_headers)


def fed(*parts: bytes, method: bytes = b"GET", end: bool = False) -> ResponseParser:
    made = parser(method)
    for part in parts:
        made.feed(part)
    if end:
        made.eof()
    return made


def kind_of(made: ResponseParser) -> FailureKind | None:
    return made.failure.kind if isinstance(made.failure, TransportError) else None


OK = b"HTTP/1.1 200 OK\r\n"
SIZED = OK + b"content-length: 2\r\n\r\nok"


@pytest.mark.parametrize(
    ("answer", "method", "body", "reusable"),
    [
        (SIZED, b"GET", b"ok", True),
        (OK + b"content-length: 2\r\n\r\n", b"HEAD", b"", True),
        (OK + b"transfer-encoding: chunked\r\ncontent-type: x\r\n\r\n", b"HEAD", b"", True),
        (b"HTTP/1.1 204 No\r\n\r\n", b"GET", b"", True),
        (b"HTTP/1.1 304 Not\r\ncontent-length: 9\r\n\r\n", b"GET", b"", True),
        (OK + b"transfer-encoding: Chunked\r\n\r\n1;a=b\r\no\r\n1\r\nk\r\n0\r\n\r\n", b"GET", b"ok", True),
        (OK + b"connection: close\r\ncontent-length: 2\r\n\r\nok", b"GET", b"ok", False),
        (OK + b"connection: upgrade\r\nupgrade: h2c\r\ncontent-length: 2\r\n\r\nok", b"GET", b"ok", True),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", b"GET", b"ok", False),
        (b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok", b"GET", b"ok", False),
        (
            b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            b"GET",
            b"ok",
            False,
        ),
        (b"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 104 x\r\na: b\r\n\r\n" + SIZED, b"GET", b"ok", True),
    ],
)
def test_an_answer_with_a_known_end_is_complete_without_the_connections(
    answer: bytes, method: bytes, body: bytes, reusable: bool
) -> None:
    for parts in ((answer,), tuple(bytes([byte]) for byte in answer)):
        made = fed(*parts, method=method)
        assert (b"".join(made.pieces), made.complete, made.reusable) == (body, True, reusable)
        assert made.failure is None


def test_a_body_without_framing_ends_with_the_connection() -> None:
    made = fed(OK + b"\r\nall", b" of it")
    assert not made.complete
    made.eof()
    assert (b"".join(made.pieces), made.complete, made.reusable) == (b"all of it", True, False)


def test_the_fields_of_an_interim_answer_are_not_the_final_ones() -> None:
    made = fed(b"HTTP/1.1 103 Early\r\nlink: x\r\n\r\nHTTP/1.1 200 Fine\r\ncontent-length: 0\r\n\r\n")
    assert (made.status, made.reason, made.headers) == (200, b"Fine", ((b"content-length", b"0"),))


def test_trailers_are_kept_apart() -> None:
    made = fed(OK + b"transfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1 \r\nempty:\r\n\r\n")
    assert made.trailers == ((b"x-sum", b"1"), (b"empty", b""))
    assert made.headers == ((b"transfer-encoding", b"chunked"),)


@pytest.mark.parametrize("surplus", [b"H", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", b"\0"])
@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
def test_bytes_after_an_answer_cost_the_connection_not_the_answer(surplus: bytes, method: bytes) -> None:
    answer = SIZED if method == b"GET" else OK + b"content-length: 2\r\n\r\n"
    for parts in ((answer + surplus,), (answer, surplus)):
        made = fed(*parts, method=method)
        assert (made.complete, made.reusable, made.failure) == (True, False, None)
        assert len(made.pieces) == (method == b"GET")


@pytest.mark.parametrize(
    "answer",
    [
        b"\r\n" + SIZED,
        b"RTSP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/2.0 200 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 099 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 101 OK\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
        b"HTTP/1.1 101 OK\r\n\r\n",
        b"HTTP/1.1 104 OK\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 200 O\0K\r\ncontent-length: 0\r\n\r\n",
        OK + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        OK + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        OK + b"transfer-encoding: identity\r\n\r\nok",
        OK + b"transfer-encoding: chunked\t\r\n\r\n0\r\n\r\n",
        OK + b"transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n0\r\n\r\n",
        OK + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        OK + b"content-length: 2\r\ncontent-length: 2\r\n\r\nok",
        OK + b"content-length: 2, 2\r\n\r\nok",
        OK + b"content-length: +2\r\n\r\nok",
        OK + b"content-length: 99999999999999999999\r\n\r\nok",
        OK + b"a : b\r\n\r\n",
        OK + b"a: b\r\n c\r\n\r\n",
        OK + b"a: b\0\r\n\r\n",
        OK + b"transfer-encoding: chunked\r\n\r\nx\r\n",
        OK + b"transfer-encoding: chunked\r\n\r\n-1\r\n",
        OK + b"transfer-encoding: chunked\r\n\r\n2\r\nokay\r\n",
        OK + b"transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        OK.replace(b"\r", b"") + b"content-length: 0\n\n",
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(answer: bytes) -> None:
    for parts in ((answer,), tuple(bytes([byte]) for byte in answer)):
        made = fed(*parts, end=True)
        assert (kind_of(made), made.complete, made.reusable) == (FailureKind.PROTOCOL, False, False)


@pytest.mark.parametrize(
    "begun", [b"HTTP/1.1", OK, SIZED[:-1], OK + b"transfer-encoding: chunked\r\n\r\n0\r\n"]
)
def test_an_end_before_the_end_is_an_error(begun: bytes) -> None:
    made = fed(begun, end=True)
    assert (kind_of(made), made.complete, made.touched) == (FailureKind.CLOSED, False, True)
    assert str(made.failure) == "a.test:443 closed the connection in the middle of its answer"


def test_an_end_before_the_first_byte_is_told_apart() -> None:
    made = fed(end=True)
    assert (kind_of(made), made.touched) == (FailureKind.CLOSED, False)
    assert str(made.failure) == "a.test:443 closed the connection without an answer"


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"a: " + b"x" * 5000,
        OK + b"a: " + b"x" * 4093 + b"\r\n\r\n",
        OK + b"a: b\r\n" * 21 + b"\r\n",
        b"HTTP/1.1 100 C\r\n\r\n" * 300,
        OK + b"transfer-encoding: chunked\r\n\r\n0\r\na: " + b"x" * 5000,
        OK + b"transfer-encoding: chunked\r\n\r\n0\r\n" + b"a: b\r\n" * 22,
        OK + b"transfer-encoding: chunked\r\n\r\n1;" + b"x" * 5000,
    ],
    ids=["endless-value", "large-value", "fields", "interim", "trailer", "trailers", "extension"],
)
def test_heads_and_trailers_have_an_end(answer: bytes) -> None:
    made = fed(*(answer[start : start + 100] for start in range(0, len(answer), 100)))
    assert kind_of(made) is FailureKind.PROTOCOL


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"a: " + b"x" * 4093 + b"\r\n\r\n",
        OK + (b"a: " + b"x" * 1000 + b"\r\n") * 5 + b"\r\n",
        OK + b"transfer-encoding: chunked\r\n\r\n0\r\n" + (b"a: " + b"x" * 1000 + b"\r\n") * 5 + b"\r\n",
    ],
    ids=["one", "together", "trailers"],
)
def test_fields_have_a_limit_also_when_they_come_at_once(answer: bytes) -> None:
    assert kind_of(fed(answer)) is FailureKind.PROTOCOL


def test_small_chunks_count_for_more_than_their_bytes() -> None:
    made = fed(OK + b"transfer-encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 100)
    assert made.held == 100 * (1 + PIECE_COST)
    while made.pieces:
        made.take()
    assert made.held == 0


def test_the_first_failure_is_the_one_that_counts() -> None:
    made = fed(b"nonsense", end=True)
    made.fail(FailureKind.TIMEOUT, "late")
    assert kind_of(made) is FailureKind.PROTOCOL
    done = fed(SIZED)
    done.fail(FailureKind.TIMEOUT, "late")
    assert done.failure is None


# h11 as the oracle

TOKEN = st.text("abcXYZ019-_!", min_size=1, max_size=8).map(lambda name: b"x-" + name.encode())
VALUE = st.text('ab :;,="\t\xe9\u20ac', max_size=12).map(lambda value: value.strip().encode())
FIELDS = st.lists(st.tuples(TOKEN, VALUE), max_size=4)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A valid answer and how it is cut."""

    raw: bytes
    method: bytes
    cuts: tuple[int, ...]


def _fields(pairs: list[tuple[bytes, bytes]], pad: bytes) -> bytes:
    own = {b"Transfer-Encoding": pad.replace(b"\t", b"")}  # a tab there is refused, see above
    return b"".join(b"%b:%b%b%b\r\n" % (name, pad, value, own.get(name, pad)) for name, value in pairs)


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    method = draw(st.sampled_from([b"GET", b"POST", b"HEAD"]))
    status = draw(st.sampled_from([200, 201, 204, 304, 400, 429, 529]))
    version = draw(st.sampled_from([b"1.1", b"1.1", b"1.0"]))
    pad = draw(st.sampled_from([b"", b" ", b" \t"]))
    reason = draw(st.sampled_from([b" OK", b" ", b" Two words \xe9"]))
    interim = draw(
        st.sampled_from([b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 E\r\nlink: x\r\n\r\n"])
    )
    bodyless = method == b"HEAD" or status in (204, 304)
    pieces = [] if bodyless else draw(st.lists(st.binary(min_size=1, max_size=40), max_size=4))
    framing = draw(st.sampled_from(["length", "chunked", "close"]))
    fields = draw(FIELDS)
    if draw(st.booleans()):
        fields.append((b"Connection", draw(st.sampled_from([b"close", b"keep-alive", b"x-a, Keep-Alive"]))))
    if framing == "length":
        fields.append((b"Content-Length", b"%d" % sum(map(len, pieces))))
        body = b"".join(pieces)
    elif framing == "chunked" and version == b"1.1" and status != 204:
        fields.append((b"Transfer-Encoding", b"chunked"))
        extension = draw(st.sampled_from([b"", b";a", b";a=b;c=d", b';a="b c"']))
        chunks = [b"%x%b\r\n%b\r\n" % (len(piece), extension, piece) for piece in pieces]
        trailers = _fields(draw(FIELDS), pad)
        body = b"" if bodyless else b"".join(chunks) + b"0\r\n" + trailers + b"\r\n"
    else:
        body = b"".join(pieces)
    head = b"HTTP/%b %d%b\r\n%b\r\n" % (version, status, reason, _fields(fields, pad))
    raw = (interim if version == b"1.1" else b"") + head + body
    cuts = draw(st.lists(st.integers(0, len(raw)), max_size=6))
    return Sample(raw=raw, method=method, cuts=tuple(sorted({0, *cuts, len(raw)})))


def parts(sample: Sample) -> list[bytes]:
    return [sample.raw[a:b] for a, b in zip(sample.cuts, sample.cuts[1:], strict=False)]


def by_h11(raw: bytes, method: bytes) -> tuple[object, ...]:
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method=method, target="/", headers=[("host", "a.test")]))
    client.send(h11.EndOfMessage())
    client.receive_data(raw)
    body = b""
    response, end, asked_for_more = None, None, False
    while end is None:
        event = client.next_event()
        if event is h11.NEED_DATA:
            asked_for_more = True
            client.receive_data(b"")
        elif isinstance(event, h11.Response):
            response = event
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            end = event
    assert response is not None
    reusable = not asked_for_more and client.their_state is h11.DONE
    return (
        response.status_code,
        response.reason.strip(),
        list(response.headers),
        body,
        list(end.headers),
        asked_for_more,
        reusable,
    )


@given(samples())
def test_h11_reads_every_answer_the_same(sample: Sample) -> None:
    made = parser(sample.method)
    for part in parts(sample):
        made.feed(memoryview(part))
    until_close = not made.complete
    if until_close:
        made.eof()

    assert made.failure is None
    assert by_h11(sample.raw, sample.method) == (
        made.status,
        made.reason.strip(),
        [*made.headers],
        b"".join(made.pieces),
        [*made.trailers],
        until_close,
        made.reusable,
    )


@given(
    samples(),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 2), st.binary(max_size=3)), min_size=1, max_size=4),
)
def test_spoilt_answers_are_completed_or_refused_but_never_raise(
    sample: Sample, spoils: list[tuple[float, int, bytes]]
) -> None:
    raw = sample.raw
    for where, drop, insert in spoils:
        at = int(where * len(raw))
        raw = raw[:at] + insert + raw[at + drop :]
    whole = parser(sample.method)
    if raw:
        whole.feed(raw)
    whole.eof()
    assert whole.complete == (whole.failure is None)
    assert not (whole.reusable and whole.failure)

    byte_by_byte = parser(sample.method)
    for byte in raw:
        byte_by_byte.feed(bytes([byte]))
    byte_by_byte.eof()
    assert (byte_by_byte.complete, byte_by_byte.head_done, b"".join(byte_by_byte.pieces)) == (
        whole.complete,
        whole.head_done,
        b"".join(whole.pieces),
    )

    if whole.complete:
        try:
            status, _, _, body, *_ = by_h11(raw, sample.method)
        except h11.RemoteProtocolError:
            return
        assert (status, body) == (whole.status, b"".join(whole.pieces))
