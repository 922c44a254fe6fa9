"""Pacing: a silent upstream does not freeze a client, and a client that waits hears that we are there."""

from __future__ import annotations

import asyncio
import time

import pytest

from agent.gateway.pacing import COMMENT, Pacing
from agent.gateway.wire import ClientGone
from tests.fakes.loopback import until


class Stream:
    """A stream that holds back what it is told to, and what was sent of it."""

    def __init__(self) -> None:
        self.held = b""
        self.sent: list[bytes] = []
        self.gone = False
        self.writing = False
        self.reads: asyncio.Event | None = None  # the client takes nothing before

    def pacing(self, *, rest_after: float = 0.05, heartbeat_after: float = 60.0) -> Pacing:
        return Pacing(
            rest=self.rest,
            holding=lambda: bool(self.held),
            write=self.write,
            clock=time.monotonic,
            rest_after=rest_after,
            heartbeat_after=heartbeat_after,
        )

    def rest(self) -> bytes:
        out, self.held = self.held, b""
        return out

    def hold(self, text: bytes) -> bytes:
        self.held += text
        return b""

    async def write(self, data: bytes) -> None:
        self.writing = True
        if self.reads is not None:
            await self.reads.wait()
        if self.gone:
            raise ClientGone
        self.sent.append(data)


async def test_what_rests_is_released_once_nothing_comes() -> None:
    stream = Stream()
    pacing = stream.pacing()
    async with pacing.running():
        await pacing.step(lambda: stream.hold(b"word"))
        assert stream.sent == []
        await until(lambda: stream.sent == [b"word"])


async def test_a_stream_that_goes_on_is_left_alone() -> None:
    stream = Stream()
    pacing = stream.pacing(rest_after=30.0)
    async with pacing.running():
        for _ in range(5):
            await pacing.step(lambda: stream.hold(b"w"))
            await asyncio.sleep(0.02)
    assert stream.sent == []


async def test_a_client_that_waits_for_held_text_hears_comments() -> None:
    stream = Stream()
    pacing = stream.pacing(rest_after=30.0, heartbeat_after=0.05)
    async with pacing.running():
        await pacing.step(lambda: stream.hold(b"secret-in-the-making"))
        await until(lambda: stream.sent[:2] == [COMMENT, COMMENT])


async def test_a_client_that_waits_for_the_provider_alone_hears_nothing_from_us() -> None:
    stream = Stream()
    pacing = stream.pacing(heartbeat_after=0.05)
    async with pacing.running():
        await asyncio.sleep(0.2)
    assert stream.sent == []


async def test_a_client_that_has_gone_ends_the_stream() -> None:
    stream = Stream()
    stream.gone = True
    with pytest.raises(ClientGone):
        await held_for_a_while(stream.pacing(), stream)


async def held_for_a_while(pacing: Pacing, stream: Stream) -> None:
    async with pacing.running():
        await pacing.step(lambda: stream.hold(b"word"))
        await asyncio.sleep(0.2)


async def test_what_was_released_arrives_though_the_stream_ends_meanwhile() -> None:
    stream = Stream()
    stream.reads = asyncio.Event()
    asyncio.get_running_loop().call_later(0.3, stream.reads.set)
    pacing = stream.pacing()
    async with pacing.running():
        await pacing.step(lambda: stream.hold(b"word"))
        await until(lambda: stream.writing)
    assert stream.sent == [b"word"]
