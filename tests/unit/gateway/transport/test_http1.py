"""What our own client does beyond the contract that `test_base` asks of every transport."""

from __future__ import annotations

import asyncio
import gc

import pytest

from agent.gateway.transport.base import TransportError, UpstreamRequest
from agent.gateway.transport.http1 import Http1Transport
from tests.fakes.http_server import Peer, RawServer
from tests.unit.gateway.transport.exchanges import Build, Serve, over_both, read

GET = UpstreamRequest(method=b"GET", target=b"/", headers=((b"host", b"a.test"),))


@over_both
async def test_no_more_is_held_for_a_slow_consumer_than_allowed(serve: Serve, build: Build) -> None:
    total, limit = 16 * 2**20, 256 * 1024
    transport = build(read_buffer=limit)
    assert isinstance(transport, Http1Transport)

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % total)
        piece = bytes(2**20)
        for _ in range(total // len(piece)):
            await peer.send(piece)

    async with serve(script) as server:
        response = await transport.send(server.target(), GET)
        most = got = 0
        async for piece in response:
            most = max(most, response.held + len(piece))
            got += len(piece)
            if got < 2**20:
                await asyncio.sleep(0.002)  # the server runs far ahead, if it can
        assert got == total
        assert limit / 2 < most < limit + 2**17  # one read of 64 KiB over the mark, and its cost


async def test_pieces_are_those_of_the_server(build: Build) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"
        )

    async with RawServer(script) as server:
        response = await build().send(server.target(), GET)
        assert [piece async for piece in response] == [b"a", b"bc"]


async def test_trailers_come_with_the_end(build: Build) -> None:
    go_on = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n")
        await go_on.wait()
        await peer.send(b"0\r\nX-Sum: 1\r\n\r\n")

    async with RawServer(script) as server:
        response = await build().send(server.target(), GET)
        assert response.trailers == ()
        go_on.set()
        assert await read(response) == b"a"
        assert response.trailers == ((b"x-sum", b"1"),)


async def test_a_forgotten_answer_does_not_keep_its_connection(build: Build) -> None:
    ended = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nbegun")
        await peer.ended()
        ended.set()

    async with RawServer(script) as server:
        await build().send(server.target(), GET)
        gc.collect()
        async with asyncio.timeout(5):
            await ended.wait()


@over_both
async def test_a_connection_dropped_in_the_handshake_or_right_after_is_an_error_not_a_hang(
    serve: Serve, build: Build
) -> None:
    async def script(peer: Peer) -> None:
        peer.reset()

    async with serve(script) as server:
        with pytest.raises(TransportError):
            await read(await build().send(server.target(), GET))


@over_both
async def test_cancelling_while_connecting_leaves_nothing_behind(serve: Serve, build: Build) -> None:
    ended: set[int] = set()

    async def script(peer: Peer) -> None:
        await peer.ended()
        ended.add(peer.number)

    async with serve(script) as server:
        transport = build()
        for steps in range(12):
            task = asyncio.create_task(transport.send(server.target(), GET))
            for _ in range(steps):
                await asyncio.sleep(0.0003)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        async with asyncio.timeout(5):
            while len(ended) < server.connections:
                await asyncio.sleep(0.001)
