"""Raw connections, straight and through a proxy."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import replace

import pytest

from agent.gateway.transport.base import FailureKind, Transport, TransportConfig, TransportError
from agent.gateway.transport.dial import Dialer, Origin
from agent.gateway.transport.proxy import Proxy
from agent.gateway.transport.tunnel import StreamTunnel, open_proxied_tunnel, open_tunnel
from tests.fakes.http_server import Peer, ProxyScript, RawServer
from tests.unit.gateway.transport.exchanges import Serve, over_both

CREDENTIALS = "Basic " + "bWU6" + "eA=="


async def echo(peer: Peer) -> None:
    while data := await peer.reader.read(65536):
        await peer.send(data)


class Way:
    """Opens tunnels through a proxy."""

    def __init__(self, context: ssl.SSLContext, proxy: RawServer, authorization: str = "") -> None:
        self.proxy = Proxy(host="127.0.0.1", port=proxy.port, authorization=authorization)
        self._dialer = Dialer(replace(TransportConfig(), tls_timeout=1), context)

    async def open(self, origin: Origin) -> StreamTunnel:
        return await open_proxied_tunnel(self._dialer, self.proxy, origin, within=0.1)


@pytest.mark.parametrize("secure", [False, True])
async def test_a_proxied_tunnel_ends_at_the_origin(
    trusting: ssl.SSLContext, server_tls: ssl.SSLContext, secure: bool
) -> None:
    script = ProxyScript(CREDENTIALS.encode())
    async with RawServer(echo, tls=server_tls if secure else None) as server, RawServer(script) as proxy:
        tunnel = await Way(trusting, proxy, CREDENTIALS).open(("upstream.test", server.port, secure))
        await tunnel.write(b"hello")
        assert await tunnel.read() == b"hello"
        await tunnel.aclose()
        assert server.connections == 1
    assert script.seen[0].line == b"CONNECT upstream.test:%d HTTP/1.1" % server.port
    assert script.seen[0].header(b"host") == b"upstream.test:%d" % server.port


async def test_a_proxy_that_wants_credentials_is_named(trusting: ssl.SSLContext) -> None:
    async with RawServer(ProxyScript(CREDENTIALS.encode())) as proxy:
        with pytest.raises(TransportError, match="asks for credentials") as caught:
            await Way(trusting, proxy).open(("upstream.test", 443, True))
    assert (caught.value.kind, caught.value.sent) == (FailureKind.CONNECT, False)


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0\r\n\r\n", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 2", b"", b"x" * 200_000]
)
async def test_what_is_no_proxy_is_not_tunnelled_through(trusting: ssl.SSLContext, answer: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.send(answer)

    async with RawServer(script) as proxy:
        with pytest.raises(TransportError) as caught:
            await Way(trusting, proxy).open(("upstream.test", 443, True))
    assert (caught.value.kind, caught.value.sent) == (FailureKind.CONNECT, False)


async def test_a_proxy_that_keeps_silent_is_not_waited_for(trusting: ssl.SSLContext) -> None:
    async def script(peer: Peer) -> None:
        await peer.ended()

    async with RawServer(script) as proxy:
        with pytest.raises(TransportError) as caught:
            await Way(trusting, proxy).open(("upstream.test", 443, True))
    assert caught.value.kind is FailureKind.TIMEOUT


async def test_a_wrong_certificate_behind_the_proxy_is_refused(
    trusting: ssl.SSLContext, server_tls: ssl.SSLContext
) -> None:
    async with RawServer(echo, tls=server_tls) as server, RawServer(ProxyScript()) as proxy:
        with pytest.raises(TransportError) as caught:
            await Way(trusting, proxy).open(("other.test", server.port, True))
    assert caught.value.kind is FailureKind.TLS


async def test_a_reset_is_an_error_of_the_transport(trusting: ssl.SSLContext) -> None:
    async def script(peer: Peer) -> None:
        await peer.reader.read(1)
        peer.reset()

    async with RawServer(script) as server:
        tunnel = await open_tunnel(Dialer(TransportConfig(), trusting), ("127.0.0.1", server.port, False))
        await tunnel.write(b"x")
        with pytest.raises(TransportError) as caught:
            await tunnel.read()
        with pytest.raises(TransportError):
            await tunnel.write(b"x")
        await tunnel.aclose()
    assert caught.value.kind is FailureKind.CLOSED


async def test_what_was_written_goes_out_before_the_end(trusting: ssl.SSLContext) -> None:
    size = 12_000_000  # more than the kernel takes
    go_on, got = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def script(peer: Peer) -> None:
        await go_on.wait()
        got.set_result(len(await peer.reader.read(-1)))

    async with RawServer(script) as server:
        tunnel = await open_tunnel(Dialer(TransportConfig(), trusting), ("127.0.0.1", server.port, False))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(tunnel.write(bytes(size)), 0.01)
        go_on.set()
        await tunnel.aclose()
        assert await got == size


# Of every transport


@over_both
async def test_a_tunnel_carries_bytes_both_ways(serve: Serve, transport: Transport) -> None:
    async def echo(peer: Peer) -> None:
        while data := await peer.reader.read(65536):
            await peer.send(data)

    async with serve(echo) as server:
        tunnel = await transport.connect(server.target())
        for size in (5, 100_000):
            await tunnel.write(bytes(size))
            got = 0
            while got < size:
                got += len(await tunnel.read())
            assert got == size
        await tunnel.aclose()
        await tunnel.aclose()


async def test_a_tunnel_ends_when_the_server_does(serve: Serve, transport: Transport) -> None:
    async def script(peer: Peer) -> None:
        await peer.send(b"bye")

    async with serve(script) as server:
        tunnel = await transport.connect(server.target())
        assert [await tunnel.read(), await tunnel.read()] == [b"bye", b""]
        await tunnel.aclose()
