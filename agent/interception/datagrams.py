"""Datagrams of redirected programs: passed on unread, since only their TLS connections concern us.

The redirector takes everything that a program sends, questions to name servers among it. QUIC is not passed on: a
program that finds no way there asks over TCP, where its request can be judged.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from agent.interception.redirected_stream import CHUNK, Stream

QUIC_PORT = 443
IDLE_SECONDS = 120.0  # after which an exchange of datagrams is over (RFC 4787, REQ-5)


class _Outside(asyncio.DatagramProtocol):
    """Our end towards the one that the program speaks to."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.heard = asyncio.Event()

    def datagram_received(self, data: bytes, addr: object) -> None:
        """An answer."""
        self.heard.set()
        with suppress(OSError):
            self._stream.write(data)

    def error_received(self, exc: Exception) -> None:
        """Nobody is there: the program will find out by itself."""


async def relay(stream: Stream, *, idle: float = IDLE_SECONDS) -> None:
    """Pass datagrams both ways until neither side has spoken for `idle` seconds. Nothing goes to a QUIC port."""
    host, port = _address(stream)
    if not host or port == QUIC_PORT:
        stream.close()
        return
    outside = _Outside(stream)
    try:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: outside, remote_addr=(host, port)
        )
    except OSError:
        stream.close()
        return
    try:
        await _pass_on(stream, transport, outside, idle)
    finally:
        transport.close()
        with suppress(OSError):
            stream.close()


async def _pass_on(
    stream: Stream, transport: asyncio.DatagramTransport, outside: _Outside, idle: float
) -> None:
    while True:
        try:
            async with asyncio.timeout(idle):
                data = await stream.read(CHUNK)
        except TimeoutError:
            if not outside.heard.is_set():
                return
            outside.heard.clear()
            continue
        except OSError:
            return
        if not data:
            return
        transport.sendto(data)


def _address(stream: Stream) -> tuple[str, int]:
    found = stream.get_extra_info("sockname", None)
    return (str(found[0]), int(found[1])) if isinstance(found, tuple) else ("", 0)
