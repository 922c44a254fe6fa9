"""Bodies: what heads say of them, and how they are read."""

from __future__ import annotations

import gzip

import pytest

from agent.gateway.bodies import Bodies, announced, has_body, in_address
from agent.gateway.routing import Refused
from agent.gateway.transport.base import Headers
from agent.gateway.wire import ClientRequest
from agent.model.traffic import Connection, Tier


def request(*fields: tuple[bytes, bytes]) -> ClientRequest:
    return ClientRequest(
        connection=Connection(id="c", tier=Tier.BASE_URL), method="POST", target=b"/", headers=fields
    )


@pytest.mark.parametrize(
    ("fields", "length", "follows"),
    [
        ((), None, False),
        (((b"content-length", b"0"),), 0, False),
        (((b"content-length", b"7"),), 7, True),
        (((b"content-length", b"-1"),), None, False),
        (((b"transfer-encoding", b"chunked"),), None, True),
    ],
)
def test_what_a_head_says_of_its_body(fields: Headers, length: int | None, *, follows: bool) -> None:
    assert announced(fields) == length
    assert has_body(fields) is follows


def test_a_body_is_unpacked_within_its_limit() -> None:
    bodies = Bodies(100)
    packed = gzip.compress(b"x" * 100)
    assert bodies.decoded(request((b"content-encoding", b"gzip")), packed) == b"x" * 100
    assert bodies.decoded(request(), packed) == packed
    for body in (gzip.compress(b"x" * 101), b"no gzip"):
        with pytest.raises(Refused):
            bodies.decoded(request((b"content-encoding", b"gzip")), body)
        assert bodies.plain(request((b"content-encoding", b"gzip")), body) == b""


def test_an_edited_query_is_escaped_where_it_must_be() -> None:
    assert in_address(b"q=a%20b&c=d") == b"q=a%20b&c=d"
    assert in_address("q=é #".encode()) == b"q=%C3%A9%20%23"
