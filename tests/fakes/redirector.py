"""The redirector of an operating system, and the streams it hands over."""

from __future__ import annotations

import asyncio
from typing import Any

from agent.interception.redirection import Handler


class FakeStream:
    """A program's connection as `mitmproxy_rs.Stream` has it."""

    def __init__(self, sockname: tuple[str, int] = ("203.0.113.1", 443)) -> None:
        self.sockname = sockname
        self.written = b""
        self.ended = False
        self.closed = False
        self.broken = ""  # read, write or drain
        self.slow: asyncio.Event | None = None
        self._arrived: asyncio.Queue[bytes] = asyncio.Queue()

    def arrive(self, data: bytes) -> None:
        """The program sends; nothing: it will send no more."""
        self._arrived.put_nowait(data)

    async def read(self, n: int, /) -> bytes:
        if self.broken == "read":
            raise OSError("broken")
        return (await self._arrived.get())[:n]

    def write(self, data: bytes, /) -> None:
        if self.broken == "write":
            raise OSError("broken")
        assert not self.ended
        self.written += data

    async def drain(self) -> None:
        if self.broken == "drain":
            raise OSError("broken")
        if self.slow is not None:
            await self.slow.wait()

    def write_eof(self) -> None:
        self.ended = True

    def close(self) -> None:
        self.closed = True

    def get_extra_info(self, name: str, default: object, /) -> Any:
        return {"sockname": self.sockname, "peername": ("169.254.0.1", 50_000)}.get(name, default)


class FakeRedirector:
    """Notes what it is to lead here, and leads what a test says."""

    def __init__(self) -> None:
        self.specs: list[str] = []
        self.closed = False
        self.connected: Handler | None = None

    async def open(self, connected: Handler, datagrams: Handler) -> FakeRedirector:
        """See `redirection.Open`."""
        del datagrams
        self.connected = connected
        return self

    def set_intercept(self, spec: str, /) -> None:
        self.specs.append(spec)

    def close(self) -> None:
        self.closed = True

    async def wait_closed(self) -> None:
        assert self.closed
