"""One connection's conduct, over a transport that only takes notes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator

import pytest

from agent.gateway.transport.base import FailureKind, TransportConfig, TransportError
from agent.gateway.transport.connection import Connection
from agent.gateway.transport.response_parser import ResponseParser
from agent.host.tasks import TaskGroup
from tests.fakes.http_server import Clock

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
CONFIG = TransportConfig(
    read_buffer=1000, idle_timeout=10, head_timeout=30, read_timeout=30, write_timeout=30
)


class NotingTransport(asyncio.Transport):
    """A socket of the mind."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[str] = []
        self.written = b""
        self.unsent = 0
        self.closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def is_closing(self) -> bool:
        return self.closing

    def _note(self, word: str) -> None:
        self.notes.append(word)

    def pause_reading(self) -> None:
        self._note("pause")

    def resume_reading(self) -> None:
        self._note("resume")

    def close(self) -> None:
        self.closing = True
        self._note("close")

    def abort(self) -> None:
        self.closing = True
        self._note("abort")


class NotingKeeper:
    """A pool of the mind."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def released(self, connection: Connection) -> None:
        self.notes.append("released")

    def lost(self, connection: Connection) -> None:
        self.notes.append("lost")


class Stage:
    """A connection, what it stands on, and what it answers to."""

    def __init__(self) -> None:
        self.keeper = NotingKeeper()
        self.tasks = TaskGroup("test")
        self.socket = NotingTransport()
        self.connection = Connection(peer="a.test:443", config=CONFIG, keeper=self.keeper, tasks=self.tasks)
        self.connection.connection_made(self.socket)

    def receive(self, data: bytes) -> None:
        view = self.connection.get_buffer(-1)
        view[: len(data)] = data
        self.connection.buffer_updated(len(data))

    def begin(self, method: bytes = b"GET") -> ResponseParser:
        return self.connection.begin(method)


@pytest.fixture
async def stage() -> AsyncGenerator[Stage]:
    made = Stage()
    yield made
    made.connection.connection_lost(None)
    await made.tasks.cancel()


async def turns(count: int = 20) -> None:
    """Let the loop go round."""
    for _ in range(count):
        await asyncio.sleep(0)


async def endless() -> AsyncGenerator[bytes]:
    while True:
        yield b"piece"


async def test_a_clean_exchange_frees_the_connection(stage: Stage) -> None:
    for _ in range(2):
        parser = stage.begin()
        stage.receive(OK)
        assert parser.complete
    assert stage.keeper.notes == ["released", "released"]
    assert stage.socket.notes == []


async def test_a_byte_that_nobody_asked_for_ends_the_connection(stage: Stage) -> None:
    stage.begin()
    stage.receive(OK)
    stage.receive(b"H")
    assert stage.socket.notes == ["abort"]


@pytest.mark.parametrize("answer", [OK + b"HTTP/1.1 200 OK\r\n", b"nonsense", OK.replace(b"1.1", b"1.0")])
async def test_a_connection_in_doubt_is_not_kept(stage: Stage, answer: bytes) -> None:
    stage.begin()
    stage.receive(answer)
    assert (stage.socket.notes, stage.keeper.notes) == (["abort"], [])


async def test_an_answer_before_the_request_is_out_ends_the_connection(stage: Stage) -> None:
    parser = stage.begin()
    stage.socket.unsent = 1
    stage.receive(OK)
    assert parser.complete
    assert stage.socket.notes == ["abort"]


async def test_reading_stops_at_the_buffers_limit_and_goes_on_at_half_of_it(stage: Stage) -> None:
    parser = stage.begin()
    stage.receive(b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n")
    for _ in range(4):
        stage.receive(bytes(200))
    assert stage.socket.notes == ["pause"]
    for notes in (["pause"], ["pause"], ["pause", "resume"], ["pause", "resume"]):
        parser.take()
        stage.connection.consumed(parser)
        assert stage.socket.notes == notes


async def test_a_connection_paused_at_the_end_reads_again_for_the_next_exchange(stage: Stage) -> None:
    stage.begin()
    stage.receive(b"HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n" + bytes(1999))
    stage.receive(b"x")  # was under way when reading stopped
    assert stage.socket.notes == ["pause", "resume"]


@pytest.mark.parametrize(
    ("age", "wall", "fresh"), [(0, 0, True), (9, 9, True), (11, 11, False), (1, 600, False), (1, -60, False)]
)
async def test_an_idle_connection_ages_by_both_clocks(
    stage: Stage, age: float, wall: float, fresh: bool
) -> None:
    stage.begin()
    stage.receive(OK)
    now, today = asyncio.get_running_loop().time(), time.time()
    assert stage.connection.is_fresh(now + age, today + wall) is fresh


async def test_a_closing_connection_is_not_fresh(stage: Stage) -> None:
    stage.begin()
    stage.receive(OK)
    stage.connection.close()
    now = asyncio.get_running_loop().time()
    assert not stage.connection.is_fresh(now, time.time())


async def test_only_the_exchange_under_way_can_end_the_connection(stage: Stage) -> None:
    first = stage.begin()
    stage.receive(OK)
    second = stage.begin()
    stage.connection.abort(first)
    assert stage.socket.notes == []
    stage.connection.abort(second)
    assert stage.socket.notes == ["abort"]


async def test_a_lost_connection_fails_the_exchange_and_wakes_its_reader(stage: Stage) -> None:
    parser = stage.begin()
    asyncio.get_running_loop().call_soon(stage.connection.connection_lost, ConnectionResetError())
    await stage.connection.progress(parser)
    assert isinstance(parser.failure, TransportError)
    assert parser.failure.kind is FailureKind.CLOSED
    assert stage.keeper.notes == ["lost"]


async def test_silence_fails_the_exchange(stage: Stage, clock: Clock) -> None:
    parser = stage.begin()
    await clock.advance(29)
    assert parser.failure is None
    await clock.advance(2)
    assert isinstance(parser.failure, TransportError)
    assert parser.failure.kind is FailureKind.TIMEOUT
    assert stage.socket.notes == ["abort"]


async def test_a_head_that_trickles_in_does_not_move_its_deadline(stage: Stage, clock: Clock) -> None:
    parser = stage.begin()
    for byte in OK[:3]:
        assert parser.failure is None
        stage.receive(bytes([byte]))
        await clock.advance(10)
    assert parser.failure is not None


async def test_each_piece_of_a_body_moves_its_deadline(stage: Stage, clock: Clock) -> None:
    parser = stage.begin()
    stage.receive(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n")
    for _ in range(9):
        await clock.advance(20)
        stage.receive(b"x")
    assert parser.complete


async def test_silence_in_a_body_fails_the_exchange(stage: Stage, clock: Clock) -> None:
    parser = stage.begin()
    stage.receive(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx")
    await clock.advance(31)
    assert parser.failure is not None


async def test_silence_while_our_consumer_sleeps_is_not_the_servers(stage: Stage, clock: Clock) -> None:
    parser = stage.begin()
    stage.receive(b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n" + bytes(2000))
    for _ in range(3):
        await clock.advance(31)
    assert parser.failure is None
    parser.take()
    stage.connection.consumed(parser)
    await clock.advance(29)
    assert parser.failure is None
    await clock.advance(2)
    assert parser.failure is not None


async def test_silence_while_the_caller_has_nothing_to_send_is_not_the_servers(
    stage: Stage, clock: Clock
) -> None:
    go_on = asyncio.Event()

    async def slow() -> AsyncGenerator[bytes]:
        await go_on.wait()
        yield b"x"

    parser = stage.begin(b"POST")
    stage.connection.upload(b"head", slow(), chunked=True)
    for _ in range(3):
        await clock.advance(31)
    assert parser.failure is None
    go_on.set()
    await turns()
    assert stage.socket.written == b"head1\r\nx\r\n0\r\n\r\n"
    await clock.advance(31)
    assert parser.failure is not None  # the request is out: now the silence counts


async def test_a_server_that_takes_no_bytes_fails_the_exchange(stage: Stage, clock: Clock) -> None:
    parser = stage.begin(b"POST")
    stage.connection.upload(b"head", endless(), chunked=False)
    stage.connection.pause_writing()
    await turns()
    await clock.advance(31)
    assert isinstance(parser.failure, TransportError)
    assert parser.failure.kind is FailureKind.TIMEOUT
    assert stage.socket.written == b"headpiece"


async def test_an_upload_waits_while_the_socket_is_full(stage: Stage) -> None:
    stage.begin(b"POST")
    stage.connection.pause_writing()
    stage.connection.upload(b"", endless(), chunked=False)
    await turns()
    assert stage.socket.written == b"piece"
    stage.connection.resume_writing()
    await turns()
    assert len(stage.socket.written) > 10


@pytest.mark.parametrize(
    ("status", "goes_on"), [(b"413 No", False), (b"307 Elsewhere", False), (b"200 OK", True)]
)
async def test_an_early_answer_stops_the_upload_if_it_is_a_refusal(
    stage: Stage, status: bytes, goes_on: bool
) -> None:
    stage.begin(b"POST")
    stage.connection.upload(b"", endless(), chunked=False)
    await turns()
    stage.receive(b"HTTP/1.1 " + status + b"\r\ncontent-length: 2\r\n\r\no")
    await turns()
    before = len(stage.socket.written)
    await turns()
    assert (len(stage.socket.written) > before) is goes_on

    stage.receive(b"k")
    await turns()
    assert (len(stage.tasks), stage.socket.notes) == (0, ["abort"])


async def test_a_body_that_is_no_longer_wanted_is_closed(stage: Stage) -> None:
    closed = asyncio.Event()

    async def body() -> AsyncGenerator[bytes]:
        try:
            while True:
                yield b"piece"
        finally:
            closed.set()

    pieces = body()  # held here, so that no garbage collector does it
    stage.begin(b"POST")
    stage.connection.pause_writing()
    stage.connection.upload(b"", pieces, chunked=False)
    await turns()
    stage.receive(b"HTTP/1.1 413 No\r\ncontent-length: 2\r\n\r\no")
    await turns()
    assert closed.is_set()


async def test_a_forgotten_answer_ends_the_connection(stage: Stage) -> None:
    stage.connection.forget(stage.begin())
    await turns()
    assert stage.socket.notes == ["abort"]
