"""Request bodies on their way out: cut to size, and held to the length they declare. Knows no connection."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

from agent.gateway.transport.base import FailureKind, TransportError

ONE_WRITE = 64 * 1024
"""Bodies of bytes up to this size go out in one call; larger ones in slices, so that an early answer can stop them."""

_SLICE = 256 * 1024


async def slices(body: bytes) -> AsyncGenerator[memoryview]:
    """`body` in pieces, not copied: asyncio's TLS would copy the rest of a `bytes` at every 16 KB record."""
    view = memoryview(body)
    for start in range(0, len(body), _SLICE):
        yield view[start : start + _SLICE]


async def measured(
    body: AsyncIterator[bytes | memoryview], length: int | None
) -> AsyncGenerator[bytes | memoryview]:
    """The pieces of `body` that are not empty; closes it when done or closed itself.

    Raises TransportError before a byte too many is passed on, or at the end if bytes are missing (`length` None: any
    number). What `body` raises passes unchanged.
    """
    sent = 0
    try:
        async for piece in body:
            sent += len(piece)
            if length is not None and sent > length:
                raise _wrong_length("more")
            if piece:
                yield piece
        if length is not None and sent < length:
            raise _wrong_length("fewer")
    finally:
        if (aclose := getattr(body, "aclose", None)) is not None:
            await aclose()


def _wrong_length(word: str) -> TransportError:
    return TransportError(
        FailureKind.PROTOCOL, f"the request's body has {word} bytes than it declares", sent=True
    )
