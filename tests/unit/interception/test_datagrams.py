"""Datagrams are passed on unread; QUIC finds no way."""

from __future__ import annotations

import asyncio
import socket

import pytest

from agent.interception.datagrams import QUIC_PORT, relay
from tests.fakes.loopback import until
from tests.fakes.redirector import FakeStream


class Echo(asyncio.DatagramProtocol):
    """Answers each datagram in capitals."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.DatagramTransport)
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.transport.sendto(data.upper(), addr)


async def test_questions_and_answers_pass_until_nobody_speaks() -> None:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        Echo, local_addr=("127.0.0.1", 0)
    )
    stream = FakeStream(transport.get_extra_info("sockname"))
    running = asyncio.create_task(relay(stream, idle=0.1))
    stream.arrive(b"who is it")
    await until(lambda: stream.written == b"WHO IS IT")
    stream.arrive(b"?")
    await until(lambda: stream.written == b"WHO IS IT?")
    await asyncio.wait_for(running, 5)
    assert stream.closed
    transport.close()


@pytest.mark.parametrize("end", ["eof", "read"])
async def test_it_ends_with_the_program(end: str) -> None:
    stream = FakeStream(("127.0.0.1", 9))
    stream.broken = "read" if end == "read" else ""
    stream.arrive(b"")
    await asyncio.wait_for(relay(stream), 5)
    assert stream.closed


@pytest.mark.parametrize("sockname", [("127.0.0.1", QUIC_PORT), None, ("no address", 53)])
async def test_what_leads_nowhere_is_closed(sockname: tuple[str, int] | None) -> None:
    stream = FakeStream()
    stream.sockname = sockname  # type: ignore[assignment]
    await asyncio.wait_for(relay(stream), 5)
    assert stream.closed


async def test_a_port_where_nobody_listens_is_no_failure() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind(("127.0.0.1", 0))
        nowhere = unused.getsockname()
    stream = FakeStream(nowhere)
    stream.arrive(b"hello")
    stream.arrive(b"again")
    await asyncio.wait_for(relay(stream, idle=0.05), 5)
    assert stream.closed
