"""An answer's body without its Content-Encoding."""

from __future__ import annotations

from collections.abc import AsyncIterator

from agent.dialects.encoding import Decoder
from agent.errors import ContentError
from agent.gateway import headers
from agent.gateway.transport.base import UpstreamResponse


def coding(response: UpstreamResponse) -> str:
    """Its Content-Encoding in lower case; empty where the body comes as it is."""
    named = headers.combined(response.headers, b"content-encoding").decode("latin-1").strip().lower()
    return "" if named == "identity" else named


def decoded(response: UpstreamResponse, *, limit: int) -> AsyncIterator[bytes]:
    """The body in pieces, plain: asked for `identity`, some servers compress all the same. `limit` is in bytes.

    Raises ContentError where it cannot be unpacked or grows beyond the limit, UpstreamError where it breaks off.
    """
    encoding = coding(response)
    return _unpacked(response, encoding, limit) if encoding else response.chunks()


async def _unpacked(response: UpstreamResponse, encoding: str, limit: int) -> AsyncIterator[bytes]:
    decoder = Decoder(encoding, limit=limit)
    async for chunk in response.chunks():
        if plain := decoder.feed(chunk):
            yield plain
    if rest := decoder.finish():
        yield rest


async def collected(response: UpstreamResponse, *, limit: int) -> bytes:
    """The whole body, plain. Raises as `decoded` does, and ContentError where it is larger than `limit` bytes."""
    parts: list[bytes] = []
    size = 0
    async for chunk in decoded(response, limit=limit):
        size += len(chunk)
        if size > limit:
            raise ContentError(f"it is larger than {limit // 2**20} MB")
        parts.append(chunk)
    return b"".join(parts)
