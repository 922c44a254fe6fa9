"""A stream that is handed over, as a transport: bytes both ways, who is slow, who leaves first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from agent.host.tasks import TaskGroup
from agent.interception.redirected_stream import CHUNK, HIGH_WATER, RedirectedTransport
from agent.interception.tunnel import Pipe
from tests.fakes.loopback import pair, until
from tests.fakes.redirector import FakeStream


class Listener(asyncio.Protocol):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.data = b""
        self.stays = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.told.append("made")

    def data_received(self, data: bytes) -> None:
        self.data += data

    def eof_received(self) -> bool:
        self.told.append("eof")
        return self.stays

    def pause_writing(self) -> None:
        self.told.append("rest")

    def resume_writing(self) -> None:
        self.told.append("go on")

    def connection_lost(self, exc: Exception | None) -> None:
        self.told.append(f"lost {type(exc).__name__}" if exc else "lost")


@pytest.fixture
async def tasks() -> AsyncIterator[TaskGroup]:
    tasks = TaskGroup("test")
    yield tasks
    await tasks.cancel()


def begun(stream: FakeStream, tasks: TaskGroup) -> tuple[RedirectedTransport, Listener]:
    listener = Listener()
    transport = RedirectedTransport(stream, listener, tasks)
    transport.begin()
    return transport, listener


async def test_bytes_go_both_ways_and_the_end_is_told(tasks: TaskGroup) -> None:
    stream = FakeStream()
    transport, listener = begun(stream, tasks)
    transport.write(b"to the ")
    transport.write(bytearray(b"program"))
    stream.arrive(b"from it")
    stream.arrive(b"")
    await until(lambda: "lost" in listener.told)
    assert (listener.data, stream.written) == (b"from it", b"to the program")
    assert listener.told == ["made", "eof", "lost"]
    assert stream.closed


async def test_a_program_that_has_said_all_may_still_be_answered(tasks: TaskGroup) -> None:
    stream = FakeStream()
    transport, listener = begun(stream, tasks)
    listener.stays = True
    stream.arrive(b"")
    await until(lambda: "eof" in listener.told)
    transport.write(b"answer")
    transport.write_eof()
    transport.write(b"too late")
    assert stream.written == b"answer"
    assert stream.ended
    assert not transport.is_closing()
    transport.close()
    await until(lambda: "lost" in listener.told)


async def test_what_arrives_while_it_is_paused_waits(tasks: TaskGroup) -> None:
    stream = FakeStream()
    transport, listener = begun(stream, tasks)
    await asyncio.sleep(0)  # a reading is under way
    transport.pause_reading()
    stream.arrive(b"kept")
    await asyncio.sleep(0.01)
    assert (listener.data, transport.is_reading()) == (b"", False)
    transport.resume_reading()
    await until(lambda: listener.data == b"kept")


async def test_a_slow_program_lets_the_writer_rest(tasks: TaskGroup) -> None:
    stream = FakeStream()
    stream.slow = asyncio.Event()
    transport, listener = begun(stream, tasks)
    transport.write(b"x" * (HIGH_WATER + 1))
    assert listener.told == ["made", "rest"]
    assert transport.get_write_buffer_size() == HIGH_WATER + 1
    stream.slow.set()
    await until(lambda: "go on" in listener.told)
    assert transport.get_write_buffer_size() == 0


@pytest.mark.parametrize("where", ["read", "write", "drain"])
async def test_a_broken_stream_ends_the_connection(tasks: TaskGroup, where: str) -> None:
    stream = FakeStream()
    stream.broken = where
    transport, listener = begun(stream, tasks)
    transport.write(b"x")
    await until(lambda: "lost OSError" in listener.told)
    transport.write(b"nobody hears this")
    assert stream.closed


async def test_it_ends_once_and_says_nothing_afterwards(tasks: TaskGroup) -> None:
    stream = FakeStream()
    transport, listener = begun(stream, tasks)
    transport.close()
    transport.abort()
    stream.arrive(b"late")
    await asyncio.sleep(0.01)
    assert listener.told == ["made", "lost"]
    assert listener.data == b""


async def test_it_knows_both_ends_and_no_socket(tasks: TaskGroup) -> None:
    transport, _ = begun(FakeStream(), tasks)
    assert transport.get_extra_info("sockname") == ("203.0.113.1", 443)
    assert transport.get_extra_info("peername") == ("169.254.0.1", 50_000)
    assert transport.get_extra_info("socket") is None
    assert isinstance(transport.get_protocol(), Listener)
    assert transport.can_write_eof()


async def test_a_tunnel_runs_over_it(tasks: TaskGroup) -> None:
    origin, far = await pair(Pipe)
    near, stream = Pipe(), FakeStream()
    transport = RedirectedTransport(stream, near, tasks)
    transport.begin()
    near.join(far)
    stream.arrive(b"x" * CHUNK)
    stream.arrive(b"")
    assert await origin.exactly(CHUNK) == b"x" * CHUNK
    assert await origin.read() == b""
    await origin.send(b"answer", end=True)
    await until(lambda: stream.closed)
    assert stream.written == b"answer"
    origin.close()
