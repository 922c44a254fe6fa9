"""Connections are opened as configured, watched by the kernel, and failures say what failed."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl

import pytest

from agent.gateway.transport.base import FailureKind, TransportConfig, TransportError
from agent.gateway.transport.dial import Dialer, no_connection, peer_name, system_reason, tls_failures
from tests.fakes.http_server import Peer, RawServer


async def silent(peer: Peer) -> None:
    await peer.ended()


async def test_the_kernel_watches_over_the_connection(distrusting: ssl.SSLContext) -> None:
    async with RawServer(silent) as server:
        transport, _ = await Dialer(TransportConfig(), distrusting).open(
            ("127.0.0.1", server.port, False), asyncio.Protocol
        )
        sock = transport.get_extra_info("socket")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
        transport.abort()


async def test_the_second_address_is_tried_where_the_first_is_dead(distrusting: ssl.SSLContext) -> None:
    async with RawServer(
        silent
    ) as server:  # listens on IPv4 only; `localhost` is ::1 first where there is IPv6
        transport, _ = await Dialer(TransportConfig(), distrusting).open(
            ("localhost", server.port, False), asyncio.Protocol
        )
        assert transport.get_extra_info("peername")[0] == "127.0.0.1"
        transport.abort()


async def test_an_address_that_never_answers_is_given_up(distrusting: ssl.SSLContext) -> None:
    with socket.socket() as full:  # a backlog that is full drops what comes
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        dialer = Dialer(TransportConfig(connect_timeout=0.05), distrusting)
        with pytest.raises(TransportError) as caught:
            await dialer.open((*address, False), asyncio.Protocol)
        for filler in fillers:
            filler.close()
    assert (caught.value.kind, caught.value.sent) == (FailureKind.TIMEOUT, False)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (ssl.SSLError(1, "x"), FailureKind.TLS, "failed"),
        (ConnectionResetError(), FailureKind.TLS, "ended the connection"),
        (TimeoutError(), FailureKind.TIMEOUT, "in time"),
        (ValueError("bad name"), FailureKind.TLS, "ended"),
    ],
)
def test_whatever_the_handshake_raises_becomes_one_error(
    error: Exception, kind: FailureKind, words: str
) -> None:
    with pytest.raises(TransportError, match=words) as caught, tls_failures("a.test:443"):
        raise error
    assert (caught.value.kind, caught.value.sent) == (kind, False)


def test_messages_name_the_server_and_the_systems_reason() -> None:
    refused = OSError(errno.ECONNREFUSED, "Connect call failed ('10.0.0.1', 443)")
    assert str(no_connection(peer_name("::1", 443), system_reason(refused))) == (
        "no connection to [::1]:443: Connection refused"
    )
    assert system_reason(OSError("several")) == "no address could be reached"
