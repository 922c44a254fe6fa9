"""One request, one answer, within limits."""

from __future__ import annotations

import asyncio

import pytest

from agent.errors import UpstreamError
from agent.gateway.small_requests import SmallRequests
from agent.gateway.transport.base import TransportConfig
from agent.gateway.transport.factory import build_transport
from tests.fakes.http_server import Peer, RawServer, ReceivedRequest


async def test_a_request_goes_out_and_its_answer_comes_back_whole() -> None:
    received: list[ReceivedRequest] = []

    async def script(peer: Peer) -> None:
        received.append(await peer.request())
        await peer.answer(b"no such page", b"404 Not Found", b"X-Why: gone")

    transport = await build_transport(TransportConfig())
    async with RawServer(script) as server:
        got = await SmallRequests(transport)(
            "POST", f"http://127.0.0.1:{server.port}/a%2Fb?c=d", {"X-A": "b"}, b"hi"
        )
    await transport.aclose()
    assert (got.status, got.body, got.headers["x-why"]) == (404, b"no such page", "gone")
    (asked,) = received
    assert (asked.line, asked.body, asked.header(b"x-a")) == (b"POST /a%2Fb?c=d HTTP/1.1", b"hi", b"b")
    assert asked.header(b"host") == f"127.0.0.1:{server.port}".encode()


async def test_an_answer_that_is_too_large_or_too_late_is_none() -> None:
    async def script(peer: Peer) -> None:
        asked = await peer.request()
        if b"late" in asked.line:
            await asyncio.sleep(60)
        await peer.answer(b"x" * 100)

    transport = await build_transport(TransportConfig())
    async with RawServer(script) as server:
        url = f"http://127.0.0.1:{server.port}"
        with pytest.raises(UpstreamError, match="larger than 10 bytes"):
            await SmallRequests(transport, limit=10)("GET", url, {}, b"")
        with pytest.raises(UpstreamError, match=r"within 0\.05 seconds"):
            await SmallRequests(transport, seconds=0.05)("GET", f"{url}/late", {}, b"")
    await transport.aclose()
