"""Clients taken from a socket that others serve, too: none is lost, and none is taken after the end."""

from __future__ import annotations

import asyncio
import errno
import socket

import pytest

from agent.host.tasks import TaskGroup
from agent.supervisor.acceptor import Acceptor
from agent.supervisor.sockets import listen


class _Greeter(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"hello")
        transport.close()


async def test_a_client_that_was_accepted_is_served_though_the_door_closes_in_that_turn() -> None:
    listeners = listen(0, 0)
    tasks = TaskGroup("test")
    acceptor = Acceptor(listeners.proxy, _Greeter, tasks)
    with socket.create_connection(("127.0.0.1", listeners.ports[0])) as client:
        acceptor._accept()
        acceptor.close()
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        assert await asyncio.wait_for(loop.sock_recv(client, 16), 10) == b"hello"
    await tasks.cancel()
    listeners.close()


async def test_whoever_comes_after_the_end_waits_for_the_next_who_accepts() -> None:
    listeners = listen(0, 0)
    tasks = TaskGroup("test")
    first, second = (Acceptor(listeners.proxy, _Greeter, tasks) for _ in range(2))
    first.open()
    first.close()
    reader, writer = await asyncio.open_connection("127.0.0.1", listeners.ports[0])
    await asyncio.sleep(0.05)
    assert len(tasks) == 0
    second.open()
    assert await asyncio.wait_for(reader.read(), 10) == b"hello"
    writer.close()
    second.close()
    await tasks.cancel()
    listeners.close()


async def test_without_descriptors_clients_wait_and_the_loop_does_not_spin(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Full:
        tries = 0

        def __init__(self, real: socket.socket) -> None:
            self.real = real

        def fileno(self) -> int:
            return self.real.fileno()

        def accept(self) -> tuple[socket.socket, object]:
            self.tries += 1
            if self.tries == 1:
                raise OSError(errno.EMFILE, "Too many open files")
            return self.real.accept()

    monkeypatch.setattr("agent.supervisor.acceptor._PAUSE", 0.1)
    listeners = listen(0, 0)
    tasks = TaskGroup("test")
    full = Full(listeners.proxy)
    acceptor = Acceptor(full, _Greeter, tasks)  # type: ignore[arg-type]
    acceptor.open()
    reader, writer = await asyncio.open_connection("127.0.0.1", listeners.ports[0])
    assert await asyncio.wait_for(reader.read(), 10) == b"hello"
    assert "no client can be taken for now: Too many open files" in caplog.text
    writer.close()
    acceptor.close()
    await tasks.cancel()
    listeners.close()
