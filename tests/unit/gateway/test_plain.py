"""An answer's body without its Content-Encoding."""

from __future__ import annotations

import gzip

import pytest

from agent.errors import ContentError
from agent.gateway.plain import collected, decoded
from tests.fakes.upstream import FakeResponse

PACKED = ((b"content-encoding", b"gzip"),)


async def test_a_packed_body_is_unpacked_in_pieces() -> None:
    packed = gzip.compress(b"some words")
    response = FakeResponse(packed[:9], packed[9:], headers=PACKED)
    assert b"".join([each async for each in decoded(response, limit=100)]) == b"some words"


async def test_a_plain_body_passes_as_it_comes() -> None:
    response = FakeResponse(b"a", b"b")
    assert [each async for each in decoded(response, limit=100)] == [b"a", b"b"]


@pytest.mark.parametrize(
    "response", [FakeResponse(b"x" * 11), FakeResponse(gzip.compress(b"x" * 11), headers=PACKED)]
)
async def test_what_grows_too_large_is_refused(response: FakeResponse) -> None:
    with pytest.raises(ContentError):
        await collected(response, limit=10)
