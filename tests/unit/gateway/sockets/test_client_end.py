"""Writing to a client that takes what it is sent, and to one that does not."""

from __future__ import annotations

import asyncio
import socket

import pytest

from agent.gateway.sockets.client_end import ClientEnd
from agent.gateway.wire import ClientGone


async def ends() -> tuple[ClientEnd, socket.socket]:
    """An end, and the client's socket."""
    ours, theirs = socket.socketpair()
    _, writer = await asyncio.open_connection(sock=ours)
    theirs.setblocking(False)
    return ClientEnd(writer), theirs


async def flood(end: ClientEnd) -> None:
    async with asyncio.timeout(0.2):
        while True:
            await end.write(bytes(1 << 20))


async def test_what_is_written_arrives_and_then_the_end() -> None:
    end, theirs = await ends()
    await end.write(b"hello")
    await end.hang_up(1)
    loop = asyncio.get_running_loop()
    assert [await loop.sock_recv(theirs, 100) for _ in range(2)] == [b"hello", b""]
    theirs.close()
    with pytest.raises(ClientGone):
        await end.write(b"more")


async def test_a_client_that_takes_nothing_is_cut_off() -> None:
    end, theirs = await ends()
    with pytest.raises(TimeoutError):
        await flood(end)
    async with asyncio.timeout(5):
        await end.hang_up(0.1)
    theirs.close()
