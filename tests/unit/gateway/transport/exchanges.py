"""Requests, scripts and ends that the tests of several modules share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from agent.gateway.transport.base import Headers, Transport, TransportError, UpstreamRequest, UpstreamResponse
from agent.model.traffic import Target
from tests.fakes.http_server import Peer, RawServer, Script

type Serve = Callable[[Script], RawServer]
type Build = Callable[..., Transport]

over_both = pytest.mark.parametrize("serve", ["plain", "tls"], indirect=True)

HOST: Headers = ((b"host", b"upstream.test"),)


def get(target: bytes = b"/", *, method: bytes = b"GET") -> UpstreamRequest:
    return UpstreamRequest(method=method, target=target, headers=HOST)


def post(body: bytes | AsyncIterator[bytes], length: int | None = None) -> UpstreamRequest:
    return UpstreamRequest(method=b"POST", target=b"/", headers=HOST, body=body, content_length=length)


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def read(response: UpstreamResponse) -> bytes:
    return b"".join([piece async for piece in response])


def saying(*parts: bytes, keep: bool = True) -> Script:
    """A script that reads each request and answers it with these bytes."""

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(*parts)
            if not keep:
                return

    return script


async def failure(
    transport: Transport, target: Target, request: UpstreamRequest | None = None
) -> TransportError:
    with pytest.raises(TransportError) as caught:
        await read(await transport.send(target, request or get()))
    return caught.value
