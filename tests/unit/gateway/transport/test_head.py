"""The bytes of a request's head, and the requests that have none."""

from __future__ import annotations

from collections.abc import AsyncIterator

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.gateway.transport.base import FailureKind, TransportError, UpstreamRequest
from agent.gateway.transport.head import encode_head

HOST = (b"host", b"a.test")


async def stream() -> AsyncIterator[bytes]:
    yield b"x"


def test_a_head_is_written_field_by_field_in_order() -> None:
    request = UpstreamRequest(
        method=b"POST", target=b"/v1?a=b", headers=(HOST, (b"x", b"1"), (b"x", b"")), body=b"four"
    )
    assert encode_head(request) == (
        b"POST /v1?a=b HTTP/1.1\r\nhost: a.test\r\nx: 1\r\nx: \r\ncontent-length: 4\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("method", "body", "length", "field"),
    [
        (b"GET", b"", None, None),
        (b"DELETE", b"", None, None),
        (b"GET", b"x", None, b"content-length: 1"),
        (b"POST", b"", None, b"content-length: 0"),
        (b"PUT", stream(), 7, b"content-length: 7"),
        (b"PUT", stream(), None, b"transfer-encoding: chunked"),
    ],
)
def test_the_body_is_framed_by_one_field(
    method: bytes, body: bytes | AsyncIterator[bytes], length: int | None, field: bytes | None
) -> None:
    head = encode_head(
        UpstreamRequest(method=method, target=b"/", headers=(HOST,), body=body, content_length=length)
    )
    lines = head.split(b"\r\n")[2:-2]
    assert lines == ([field] if field else [])


def test_fields_of_one_hop_and_foreign_framing_are_left_out() -> None:
    fields = (
        (b"connection", b"x, close"),
        (b"content-length", b"99"),
        (b"expect", b"100-continue"),
        (b"keep-alive", b"1"),
        (b"proxy-authorization", b"Basic x"),
        (b"proxy-connection", b"close"),
        (b"te", b"trailers"),
        (b"transfer-encoding", b"chunked"),
        (b"upgrade", b"h2c"),
    )
    request = UpstreamRequest(method=b"GET", target=b"/", headers=(*fields, HOST))
    assert encode_head(request) == b"GET / HTTP/1.1\r\nhost: a.test\r\n\r\n"


@pytest.mark.parametrize(
    "request_",
    [
        UpstreamRequest(method=b"", target=b"/", headers=(HOST,)),
        UpstreamRequest(method=b"GE T", target=b"/", headers=(HOST,)),
        UpstreamRequest(method=b"GET\r\n", target=b"/", headers=(HOST,)),
        UpstreamRequest(method=b"CONNECT", target=b"/", headers=(HOST,)),
        UpstreamRequest(method=b"GET", target=b"", headers=(HOST,)),
        UpstreamRequest(method=b"GET", target=b"x", headers=(HOST,)),
        UpstreamRequest(method=b"GET", target=b"http://b.test/", headers=(HOST,)),
        UpstreamRequest(method=b"GET", target=b"/a b", headers=(HOST,)),
        UpstreamRequest(method=b"GET", target=b"/a\n", headers=(HOST,)),
        UpstreamRequest(method=b"GET", target=b"/a\0", headers=(HOST,)),
        UpstreamRequest(method=b"GET", target=b"/", headers=(HOST, (b"", b"x"))),
        UpstreamRequest(method=b"GET", target=b"/", headers=(HOST, (b"a:b", b"x"))),
        UpstreamRequest(method=b"GET", target=b"/", headers=(HOST, (b"a ", b"x"))),
        UpstreamRequest(method=b"GET", target=b"/", headers=(HOST, (b"Content-Length", b"1"))),
        UpstreamRequest(method=b"GET", target=b"/", headers=(HOST, (b"a", b"x\rb: c"))),
        UpstreamRequest(method=b"GET", target=b"/", headers=(HOST, (b"a", b"x\nb: c"))),
        UpstreamRequest(method=b"GET", target=b"/", headers=(HOST, (b"a", b"\0"))),
        UpstreamRequest(method=b"GET", target=b"/", headers=(HOST, (b"a", b"\x7f"))),
        UpstreamRequest(method=b"GET", target=b"/"),
        UpstreamRequest(method=b"GET", target=b"/", headers=(HOST, (b"host", b"b.test"))),
    ],
)
def test_a_request_that_could_be_read_in_two_ways_is_refused(request_: UpstreamRequest) -> None:
    with pytest.raises(TransportError) as caught:
        encode_head(request_)
    assert (caught.value.kind, caught.value.sent) == (FailureKind.PROTOCOL, False)


@given(
    st.binary(max_size=8),
    st.binary(max_size=8),
    st.lists(st.tuples(st.binary(max_size=6), st.binary(max_size=6)), max_size=3),
)
def test_whatever_is_not_refused_is_one_request_to_another_parser(
    method: bytes, path: bytes, fields: list[tuple[bytes, bytes]]
) -> None:
    request = UpstreamRequest(method=method or b"GET", target=b"/" + path, headers=(HOST, *fields))
    try:
        head = encode_head(request)
    except TransportError:
        return
    lines = head.split(b"\r\n")
    assert lines[-2:] == [b"", b""]
    assert lines[0] == b"%b /%b HTTP/1.1" % (method or b"GET", path)
    assert lines.count(b"") == 2
    names = {b"host", b"content-length", *(name for name, _ in fields)}
    assert all(line.partition(b":")[0] in names for line in lines[1:-2])


def test_h11_reads_the_head_as_it_was_meant() -> None:
    fields = ((b"host", b"a.test"), (b"x-bytes", bytes(range(0x80, 0x100))), (b"x", b"a\tb"))
    request = UpstreamRequest(method=b"M-SEARCH", target=b"/%00?%0d", headers=fields, body=b"x")
    server = h11.Connection(h11.SERVER)
    server.receive_data(encode_head(request))
    event = server.next_event()
    assert isinstance(event, h11.Request)
    assert (event.method, event.target) == (b"M-SEARCH", b"/%00?%0d")
    assert list(event.headers) == [*fields, (b"content-length", b"1")]
