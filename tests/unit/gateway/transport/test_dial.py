"""Connections are opened as configured, watched by the kernel, and failures say what failed."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl

import pytest

from agent.gateway.transport.base import (
    FailureKind,
    Transport,
    TransportConfig,
    TransportError,
    UpstreamRequest,
)
from agent.gateway.transport.dial import Dialer, no_connection, peer_name, system_reason, tls_failures
from agent.model.traffic import Target
from tests.fakes.http_server import Peer, RawServer
from tests.fakes.tls import Authority
from tests.unit.gateway.transport.exchanges import (
    HOST,
    Build,
    failure,
    get,
    saying,
)


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


# What every transport makes of it


async def test_a_refused_connection_says_so(kind: str, build: Build) -> None:
    async with RawServer(saying()) as server:
        target = server.target()
    error = await failure(build(kind), target)
    assert (error.kind, error.sent) == (FailureKind.CONNECT, False)
    assert f"127.0.0.1:{target.port}" in str(error)
    assert error.hint()


@pytest.mark.parametrize("host", ["x" * 64 + ".test", "a..b"])
async def test_a_name_that_cannot_be_resolved_says_so(kind: str, build: Build, host: str) -> None:
    error = await failure(build(kind), Target(host=host, port=443))
    assert (error.kind, error.sent) == (FailureKind.DNS, False)


async def test_a_certificate_of_an_unknown_root_is_refused(
    kind: str, build: Build, server_tls: ssl.SSLContext, distrusting: ssl.SSLContext
) -> None:
    async with RawServer(saying(), tls=server_tls) as server:
        error = await failure(build(kind, context=distrusting), server.target())
        assert (error.kind, error.sent) == (FailureKind.TLS, False)
        assert "not trusted" in str(error)


async def test_a_certificate_for_another_name_is_refused(
    kind: str, build: Build, authority: Authority
) -> None:
    async with RawServer(saying(), tls=authority.leaf("other.test").server_context()) as server:
        error = await failure(build(kind), server.target())
        assert (error.kind, error.sent) == (FailureKind.TLS, False)


async def test_tls_below_1_2_is_refused(kind: str, build: Build, authority: Authority) -> None:
    old = authority.leaf("127.0.0.1").server_context()
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    async with RawServer(saying(), tls=old) as server:
        assert (await failure(build(kind), server.target())).kind is FailureKind.TLS


async def test_a_handshake_that_stalls_is_not_waited_for(kind: str, build: Build) -> None:
    async def script(peer: Peer) -> None:
        await peer.ended()

    async with RawServer(script) as server:
        target = Target(host="127.0.0.1", port=server.port)
        error = await failure(build(kind, connect_timeout=0.05, tls_timeout=0.05), target)
        assert (error.kind, error.sent) == (FailureKind.TIMEOUT, False)


async def test_a_pinned_name_keeps_its_name_in_tls(
    kind: str, build: Build, server_tls: ssl.SSLContext
) -> None:
    async with RawServer(saying(b"HTTP/1.1 204 No\r\n\r\n"), tls=server_tls) as server:
        transport = build(kind, resolve={("upstream.test", 443): ("127.0.0.1", server.port)})
        response = await transport.send(Target(host="upstream.test"), get())
        assert response.status == 204


@pytest.mark.parametrize(
    "request_",
    [
        UpstreamRequest(method=b"GET", target=b"/ HTTP/1.1\r\nx: y", headers=HOST),
        UpstreamRequest(method=b"GET", target=b"/", headers=(*HOST, (b"x", b"a\r\ny: z"))),
        UpstreamRequest(method=b"GET", target=b"/", headers=(*HOST, (b"x\r\ny", b"z"))),
    ],
    ids=["target", "value", "name"],
)
async def test_nothing_is_sent_of_a_request_that_would_be_two(
    transport: Transport, request_: UpstreamRequest
) -> None:
    async with RawServer(saying()) as server:
        error = await failure(transport, server.target(), request_)
        assert (error.kind, error.sent, server.connections) == (FailureKind.PROTOCOL, False, 0)
