"""What the aiohttp transport does beyond the contract of `test_base`: company proxies."""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Callable

import pytest

from agent.gateway.transport.base import (
    FailureKind,
    Transport,
    TransportError,
    UpstreamRequest,
    UpstreamResponse,
)
from agent.model.traffic import Target
from tests.fakes.http_server import Peer, ProxyScript, RawServer, ReceivedRequest

type Build = Callable[..., Transport]

GET = UpstreamRequest(method=b"GET", target=b"/a?b", headers=((b"host", b"upstream.test"),))
WORD = "hun" + "ter2"
CREDENTIALS = b"Basic " + b64encode(b"me:" + WORD.encode())


async def answering(peer: Peer) -> None:
    while True:
        await peer.request()
        await peer.answer(b"by origin")


async def say(transport: Transport, target: Target, request: UpstreamRequest = GET) -> bytes:
    return await say_rest(await transport.send(target, request))


async def say_rest(response: UpstreamResponse) -> bytes:
    return b"".join([piece async for piece in response])


async def test_https_goes_through_the_proxys_connect(build: Build, server_tls: ssl.SSLContext) -> None:
    script = ProxyScript(CREDENTIALS)
    async with RawServer(answering, tls=server_tls) as server, RawServer(script) as proxy:
        transport = build("aio", proxy_url=f"http://me:{WORD}@127.0.0.1:{proxy.port}")
        for _ in range(2):
            assert await say(transport, server.target("upstream.test")) == b"by origin"
    assert [request.line for request in script.seen] == [b"CONNECT upstream.test:%d HTTP/1.1" % server.port]


async def test_credentials_for_the_proxy_do_not_reach_the_origin(
    build: Build, server_tls: ssl.SSLContext
) -> None:
    seen: list[ReceivedRequest] = []

    async def script(peer: Peer) -> None:
        seen.append(await peer.request())
        await peer.answer()

    async with RawServer(script, tls=server_tls) as server, RawServer(ProxyScript(CREDENTIALS)) as proxy:
        transport = build("aio", proxy_url=f"http://me:{WORD}@127.0.0.1:{proxy.port}")
        await say(transport, server.target("upstream.test"))
    assert [name.lower() for name, _ in seen[0].headers] == [b"host"]


async def test_http_is_asked_of_the_proxy(build: Build) -> None:
    script = ProxyScript(CREDENTIALS)
    async with RawServer(script) as proxy:
        transport = build("aio", proxy_url=f"http://me:{WORD}@127.0.0.1:{proxy.port}")
        answer = await say(transport, Target(host="upstream.test", port=80, tls=False))
    assert answer == b"by proxy: http://upstream.test/a?b"


@pytest.mark.parametrize("secure", [False, True])
async def test_upgrades_go_through_the_proxy_too(
    build: Build, server_tls: ssl.SSLContext, secure: bool
) -> None:
    async def echo(peer: Peer) -> None:
        await peer.send(await peer.reader.read(100))

    script = ProxyScript()
    tls = server_tls if secure else None
    async with RawServer(echo, tls=tls) as server, RawServer(script) as proxy:
        transport = build("aio", proxy_url=f"http://127.0.0.1:{proxy.port}")
        tunnel = await transport.connect(server.target("upstream.test"))
        await tunnel.write(b"hello")
        assert await tunnel.read() == b"hello"
        await tunnel.aclose()
    assert len(script.seen) == 1


async def test_a_proxy_that_wants_credentials_is_named(build: Build) -> None:
    async with RawServer(ProxyScript(CREDENTIALS)) as proxy:
        transport = build("aio", proxy_url=f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(TransportError, match="asks for credentials") as caught:
            await say(transport, Target(host="upstream.test"))
    assert (caught.value.kind, caught.value.sent) == (FailureKind.CONNECT, False)


async def test_a_proxy_that_is_not_there_is_named(build: Build) -> None:
    async with RawServer(answering) as gone:
        pass
    transport = build("aio", proxy_url=f"http://127.0.0.1:{gone.port}")
    with pytest.raises(TransportError, match=r"proxy 127\.0\.0\.1") as caught:
        await say(transport, Target(host="upstream.test"))
    assert (caught.value.kind, caught.value.sent) == (FailureKind.CONNECT, False)


async def test_a_certificate_is_verified_behind_a_proxy(build: Build, server_tls: ssl.SSLContext) -> None:
    async with RawServer(answering, tls=server_tls) as server, RawServer(ProxyScript()) as proxy:
        transport = build("aio", proxy_url=f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(TransportError) as caught:
            await say(transport, server.target("other.test"))
    assert caught.value.kind is FailureKind.TLS


async def test_the_environment_is_not_consulted(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with RawServer(answering) as server:
        assert await say(build("aio"), server.target()) == b"by origin"


async def test_bytes_that_aiohttp_cannot_send_are_refused(build: Build) -> None:
    headers = ((b"host", b"upstream.test"), (b"x", b"\xff"))
    with pytest.raises(TransportError) as caught:
        await say(
            build("aio"),
            Target(host="upstream.test"),
            UpstreamRequest(method=b"GET", target=b"/", headers=headers),
        )
    assert (caught.value.kind, caught.value.sent) == (FailureKind.PROTOCOL, False)


async def test_a_repeatable_request_is_not_repeated_twice(build: Build) -> None:
    """aiohttp repeats it by itself already."""

    async def script(peer: Peer) -> None:
        await peer.request()
        if peer.number == 0:
            await peer.answer()
            await peer.request()
        peer.reset()

    async with RawServer(script) as server:
        transport = build("aio")
        await say(transport, server.target())
        with pytest.raises(TransportError):
            await say(transport, server.target())
        assert server.connections == 2


async def test_closing_ends_exchanges_of_sessions_given_up(build: Build) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nbegun")
        await peer.ended()

    async with RawServer(script) as server:
        transport = build("aio")
        response = await transport.send(server.target(), GET)
        transport.drop_idle()
        await transport.aclose()
        with pytest.raises(TransportError):
            await say_rest(response)
