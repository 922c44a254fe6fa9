"""A connection that the operating system's redirector hands over, as an asyncio transport.

The redirector gives a stream to read from and write to. The front door, its tunnels and the engine speak to transports;
this makes one of the other, with back-pressure both ways.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Protocol

from agent.host.tasks import TaskGroup

CHUNK = 65_536  # bytes of one reading
HIGH_WATER = 65_536  # bytes that wait to go out before the writer is asked to rest


class Stream(Protocol):
    """What the redirector hands over (`mitmproxy_rs.Stream`)."""

    async def read(self, n: int, /) -> bytes:
        """At most `n` bytes; none at the end, or once it was closed."""
        ...

    def write(self, data: bytes, /) -> None:
        """Have `data` sent."""
        ...

    async def drain(self) -> None:
        """Wait until what was written is taken."""
        ...

    def write_eof(self) -> None:
        """Say that no more will be written."""
        ...

    def close(self) -> None:
        """End it, after what was written."""
        ...

    def get_extra_info(self, name: str, default: object, /) -> Any:
        """`sockname` is where the program wanted to go, `peername` its own end."""
        ...


class RedirectedTransport(asyncio.Transport):
    """One TCP connection of a program."""

    def __init__(self, stream: Stream, protocol: asyncio.BaseProtocol, tasks: TaskGroup) -> None:
        super().__init__()
        self._stream = stream
        self._protocol = protocol
        self._tasks = tasks
        self._closing = False
        self._ended = False  # we have said that no more will be written
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._waiting = 0  # bytes that are written and not yet taken
        self._resting = False  # the protocol was asked to write no more
        self._draining: asyncio.Task[None] | None = None
        self._reading: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Tell the protocol that the connection stands, and read."""
        self._protocol.connection_made(self)
        if not self._closing:
            self._reading = self._tasks.spawn(self._read(), name="redirected")

    def get_extra_info(self, name: str, default: object = None) -> object:
        """See asyncio.BaseTransport. There is no `socket`."""
        if name not in ("peername", "sockname"):
            return default
        return self._stream.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """See asyncio.BaseTransport."""
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """See asyncio.BaseTransport."""
        return self._protocol

    def is_closing(self) -> bool:
        """See asyncio.BaseTransport."""
        return self._closing

    def is_reading(self) -> bool:
        """See asyncio.ReadTransport."""
        return not self._closing and self._wanted.is_set()

    def pause_reading(self) -> None:
        """See asyncio.ReadTransport."""
        self._wanted.clear()

    def resume_reading(self) -> None:
        """See asyncio.ReadTransport."""
        self._wanted.set()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """See asyncio.WriteTransport."""
        if self._closing or self._ended or not data:
            return
        try:
            self._stream.write(bytes(data))
        except OSError as error:
            self._end(error)
            return
        self._waiting += len(data)
        if self._draining is None:
            self._draining = self._tasks.spawn(self._drain(), name="drain")
        if self._waiting > HIGH_WATER and not self._resting:
            self._resting = True
            self._protocol.pause_writing()

    def get_write_buffer_size(self) -> int:
        """See asyncio.WriteTransport."""
        return self._waiting

    def can_write_eof(self) -> bool:
        """See asyncio.WriteTransport."""
        return True

    def write_eof(self) -> None:
        """See asyncio.WriteTransport."""
        if self._closing or self._ended:
            return
        self._ended = True
        with suppress(OSError):
            self._stream.write_eof()

    def close(self) -> None:
        """See asyncio.BaseTransport. The stream sends what was written before it ends."""
        self._end(None)

    def abort(self) -> None:
        """See asyncio.WriteTransport."""
        self._end(None)

    async def _read(self) -> None:
        try:
            while True:
                data = await self._stream.read(CHUNK)
                await self._wanted.wait()  # a reading that was under way when it was paused
                if self._closing:
                    return
                protocol = self._protocol
                assert isinstance(protocol, asyncio.Protocol)
                if not data:
                    if not protocol.eof_received():
                        self._end(None)
                    return
                protocol.data_received(data)
        except OSError as error:
            self._end(error)

    async def _drain(self) -> None:
        try:
            while self._waiting and not self._closing:
                taken = self._waiting
                await self._stream.drain()
                self._waiting -= taken
        except OSError as error:
            self._end(error)
        finally:
            self._draining = None
        if self._resting and not self._closing:
            self._resting = False
            self._protocol.resume_writing()

    def _end(self, cause: Exception | None) -> None:
        if self._closing:
            return
        self._closing = True
        self._wanted.set()
        with suppress(OSError):
            self._stream.close()
        if self._reading is not None and self._reading is not asyncio.current_task():
            self._reading.cancel()
        asyncio.get_running_loop().call_soon(self._lost, cause)

    def _lost(self, cause: Exception | None) -> None:
        self._protocol.connection_lost(cause)
