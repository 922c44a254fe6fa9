"""Bodies keep their length and their content."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from agent.gateway.transport.base import TransportError
from agent.gateway.transport.body import measured, slices


class Source:
    """A caller's body that notes whether it was closed."""

    def __init__(self, *parts: bytes) -> None:
        self._parts = iter(parts)
        self.closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        for part in self._parts:
            return part
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self.closed = True


@pytest.mark.parametrize("size", [0, 1, 256 * 1024, 256 * 1024 + 1, 1_000_000])
async def test_slices_join_to_the_body(size: int) -> None:
    body = bytes(index % 251 for index in range(1000)) * (size // 1000) + bytes(size % 1000)
    assert b"".join([piece async for piece in slices(body)]) == body


@pytest.mark.parametrize("length", [None, 3])
async def test_pieces_pass_but_empty_ones_which_would_end_a_chunked_body(length: int | None) -> None:
    source = Source(b"a", b"", b"bc")
    assert [piece async for piece in measured(source, length)] == [b"a", b"bc"]
    assert source.closed


@pytest.mark.parametrize(("length", "passed"), [(2, [b"a"]), (4, [b"a", b"bc"])])
async def test_a_wrong_length_is_an_error_before_a_byte_too_many_passes(
    length: int, passed: list[bytes]
) -> None:
    source, got = Source(b"a", b"bc"), []
    pieces = measured(source, length)
    for _ in passed:
        got.append(await anext(pieces))
    with pytest.raises(TransportError):
        await anext(pieces)
    assert got == passed
    assert source.closed


async def test_the_source_is_closed_with_the_pieces() -> None:
    source = Source(b"a", b"b")
    pieces = measured(source, None)
    await anext(pieces)
    await pieces.aclose()
    assert source.closed
