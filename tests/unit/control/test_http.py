"""Requests read from bytes, however they are cut; and what is none."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.control.http import Answer, Limits, LocalServer, MalformedError, Request, RequestReader
from agent.host.control_place import listen_unix
from agent.host.peers import Peer
from agent.host.tasks import TaskGroup

LIMITS = Limits(head=500, body=100)
ORDER = (
    b"POST /v1/pause?a=1&b=%20x HTTP/1.1\r\nHost: drawbridge.sock\r\nContent-Length: 9\r\nX-A:  b \r\n\r\n"
    b'{"a": 12}GET /next HTTP/1.1\r\n\r\n'
)


def read(data: bytes, size: int = 1) -> Request | None:
    """The request of bytes that come in pieces."""
    reader = RequestReader(LIMITS)
    for start in range(0, len(data), size):
        if (request := reader.feed(data[start : start + size])) is not None:
            return request
    return None


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_a_request_is_read_however_it_is_cut(size: int) -> None:
    request = read(ORDER, size)
    assert request is not None
    assert (request.method, request.path, dict(request.query)) == ("POST", "/v1/pause", {"a": "1", "b": " x"})
    assert (request.headers["x-a"], request.body) == ("b", b'{"a": 12}')


def test_a_body_in_chunks_is_put_together_and_trailers_are_dropped() -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    request = read(head + b"3\r\nabc\r\n2\r\nde\r\n0\r\nOrigin: x\r\n\r\n")
    assert request is not None
    assert request.body == b"abcde"
    assert "origin" not in request.headers


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /?a=1&a=2 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /?" + b"a&" * 30 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 600 + b"\r\n\r\n", 431),
        (b"GET /" + b"a" * 600, 431),
        (b"POST / HTTP/1.1\r\nContent-Length: 101\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n80\r\n" + b"a" * 128, 413),
        (b"\x16\x03\x01\x00", 400),
        (b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", 400),
    ],
)
@pytest.mark.parametrize("size", [1, 5, 10_000])
def test_what_is_none_or_too_large_is_refused(data: bytes, status: int, size: int) -> None:
    with pytest.raises(MalformedError) as caught:
        read(data, size)
    assert caught.value.status == status


@given(st.binary(max_size=400), st.integers(1, 60))
def test_noise_is_refused_or_waited_for(data: bytes, size: int) -> None:
    with suppress(MalformedError):  # nothing else is raised
        read(data, size)


class Door:
    """A server on a unix socket, and what it was asked."""

    def __init__(self, path: Path, sock: socket.socket) -> None:
        self.path = path
        self.sock = sock
        self.asked: list[tuple[Request, Peer | None]] = []

    async def answer(self, request: Request, peer: Peer | None) -> Answer:
        self.asked.append((request, peer))
        if request.path == "/crash":
            raise RuntimeError("inside")
        return Answer.json({"path": request.path})

    async def say(self, data: bytes) -> bytes:
        reader, writer = await asyncio.open_unix_connection(str(self.path))
        writer.write(data)
        answer = await reader.read()
        writer.close()
        return answer


@pytest.fixture
def listening(tmp_path: Path) -> socket.socket:
    return listen_unix(tmp_path / "s", everybody=False)


@pytest.fixture
async def door(tmp_path: Path, listening: socket.socket) -> AsyncIterator[Door]:
    tasks = TaskGroup("test")
    made = Door(tmp_path / "s", listening)
    server = LocalServer(made.answer, tasks, Limits(seconds=0.5, per_peer=2))
    assert await server.serve(listening) == 0
    yield made
    server.close()
    await tasks.cancel()


async def test_who_asks_is_known_from_the_kernel(door: Door) -> None:
    answer = await door.say(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"x-content-type-options: nosniff" in answer
    assert answer.endswith(b'{"path":"/a"}')
    assert door.asked[0][1] == Peer(uid=os.geteuid(), pid=os.getpid())


async def test_an_error_inside_tells_nothing_of_itself(door: Door) -> None:
    answer = await door.say(b"GET /crash HTTP/1.1\r\nHost: a\r\n\r\n")
    assert b" 500 " in answer
    assert b"inside" not in answer


async def test_a_slow_client_is_cut_off(door: Door) -> None:
    with suppress(ConnectionResetError):
        assert await door.say(b"GET /a HT") == b""
    assert door.asked == []


async def test_who_has_too_many_connections_gets_no_more(door: Door) -> None:
    held = [await asyncio.open_unix_connection(str(door.path)) for _ in range(2)]
    await asyncio.sleep(0.05)
    with suppress(ConnectionResetError, BrokenPipeError):
        assert await door.say(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n") == b""
    for _, writer in held:
        writer.close()
