"""Pairs of connected sockets: a stream for the test's side, a protocol under test on the other."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress

SECONDS = 5.0
"""After this a test has failed."""


class End:
    """The test's own end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes, *, end: bool = False) -> None:
        """Write, and wait while the other side is slow; `end` closes this direction."""
        self.writer.write(data)
        if end:
            self.writer.write_eof()
        await self.writer.drain()

    async def flood(self, seconds: float) -> int:
        """Send until the other side has taken nothing for `seconds`; returns how much was sent."""
        sent = 0
        while True:
            self.writer.write(b"x" * 65536)
            sent += 65536
            try:
                async with asyncio.timeout(seconds):
                    await self.writer.drain()
            except TimeoutError:
                return sent

    async def read(self) -> bytes:
        """The next bytes; empty at the end."""
        async with asyncio.timeout(SECONDS):
            return await self.reader.read(1 << 20)

    async def exactly(self, count: int) -> bytes:
        """The next `count` bytes."""
        async with asyncio.timeout(SECONDS):
            return await self.reader.readexactly(count)

    async def until(self, separator: bytes) -> bytes:
        """Everything up to and with `separator`."""
        async with asyncio.timeout(SECONDS):
            return await self.reader.readuntil(separator)

    async def all(self) -> bytes:
        """Everything up to the end, also where that is a reset."""
        data = b""
        with suppress(ConnectionResetError):
            while piece := await self.read():
                data += piece
        return data

    def close(self) -> None:
        """Leave, without waiting for what is not sent yet."""
        self.writer.transport.abort()

    def reset(self) -> None:
        """Leave with a reset, as a program that crashed."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()


async def connect(port: int) -> End:
    """A connection to a loopback port."""
    return End(*await asyncio.open_connection("127.0.0.1", port))


async def pair[P: asyncio.BaseProtocol](factory: Callable[[], P]) -> tuple[End, P]:
    """A TCP connection over loopback: the test's end, and a protocol that serves the other."""
    made: asyncio.Future[P] = asyncio.get_running_loop().create_future()

    def accept() -> P:
        protocol = factory()
        made.set_result(protocol)
        return protocol

    server = await asyncio.get_running_loop().create_server(accept, "127.0.0.1", 0, family=socket.AF_INET)
    end = await connect(server.sockets[0].getsockname()[1])
    protocol = await made
    await asyncio.sleep(0)
    server.close()
    return end, protocol


async def until(*conditions: Callable[[], bool]) -> None:
    """Wait until all of `conditions` hold. Raises TimeoutError."""
    async with asyncio.timeout(SECONDS):
        while not all(condition() for condition in conditions):
            await asyncio.sleep(0.002)


def crowd(port: int, count: int) -> list[socket.socket]:
    """Clients that all come while the event loop, which is to take them, does something else. Raises TimeoutError
    where the kernel kept no place for one: it would come again a second later."""
    came: list[socket.socket] = []
    try:
        for _ in range(count):
            came.append(socket.create_connection(("127.0.0.1", port), timeout=0.8))
    except BaseException:
        leave(came)
        raise
    return came


def leave(clients: list[socket.socket]) -> None:
    """They go."""
    for client in clients:
        client.close()
