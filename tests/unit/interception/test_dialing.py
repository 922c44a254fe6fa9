"""Reaching the origins of blind tunnels: directly, elsewhere by name, or through the company's proxy."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable

import pytest

from agent.errors import ConfigError
from agent.host.loops import loop_factory
from agent.interception.dialing import MAX_ANSWER, Dialler
from agent.interception.tunnel import Pipe
from tests.fakes.http_server import Peer, RawServer
from tests.fakes.loopback import until

OK = b"HTTP/1.1 200 Connection established\r\n\r\n"

type Script = Callable[[Peer], Awaitable[None]]


class Ear(Pipe):
    """Keeps what the origin says."""

    def __init__(self) -> None:
        super().__init__()
        self.heard = b""

    def data_received(self, data: bytes) -> None:
        self.heard += data


async def greet(peer: Peer) -> None:
    await peer.send(b"hello from the origin")
    await peer.ended()


def proxy(answer: bytes) -> Script:
    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.send(answer)
        await peer.ended()

    return script


async def test_an_origin_is_reached_directly() -> None:
    ear = Ear()
    async with RawServer(greet) as server:
        await Dialler({}, None).dial(lambda: ear, "127.0.0.1", server.port)
        await until(lambda: ear.heard == b"hello from the origin")
        ear.close()


def test_the_loop_that_the_agent_runs_on_can_dial() -> None:
    async def main() -> None:
        ear = Ear()
        async with RawServer(greet) as server:
            await Dialler({}, None).dial(lambda: ear, "127.0.0.1", server.port)
            await until(lambda: ear.heard == b"hello from the origin")
            ear.close()

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(main())


async def test_a_named_origin_may_live_elsewhere() -> None:
    ear = Ear()
    async with RawServer(greet) as server:
        elsewhere = {("example.com", 443): ("127.0.0.1", server.port)}
        await Dialler(elsewhere, "http://127.0.0.1:1").dial(lambda: ear, "example.com", 443)
        await until(lambda: bool(ear.heard))
        ear.close()


async def test_an_origin_that_is_not_there_is_an_error() -> None:
    async with RawServer(greet) as server:
        port = server.port
    with pytest.raises(OSError, match=str(port)):
        await Dialler({}, None).dial(Ear, "127.0.0.1", port)


@pytest.mark.parametrize(
    ("user", "host", "lines"),
    [
        ("", "example.com", [b"CONNECT example.com:443 HTTP/1.1", b"host: example.com:443"]),
        ("", "2001:db8::1", [b"CONNECT [2001:db8::1]:443 HTTP/1.1", b"host: [2001:db8::1]:443"]),
        (
            "me:p%40ss@",
            "example.com",
            [
                b"CONNECT example.com:443 HTTP/1.1",
                b"host: example.com:443",
                b"proxy-authorization: Basic " + b64encode(b"me:p@ss"),
            ],
        ),
    ],
)
async def test_the_company_proxy_is_asked_for_a_tunnel(user: str, host: str, lines: list[bytes]) -> None:
    heads: list[bytes] = []

    async def script(peer: Peer) -> None:
        heads.append(await peer.reader.readuntil(b"\r\n\r\n"))
        await peer.send(OK)
        await peer.ended()

    ear = Ear()
    async with RawServer(script) as server:
        await Dialler({}, f"http://{user}127.0.0.1:{server.port}").dial(lambda: ear, host, 443)
        ear.close()
    assert heads == [b"\r\n".join([*lines, b"", b""])]


async def test_what_the_origin_says_behind_the_proxys_answer_is_not_lost() -> None:
    ear = Ear()
    async with RawServer(proxy(OK + b"220 ready\r\n")) as server:
        await Dialler({}, f"http://127.0.0.1:{server.port}").dial(lambda: ear, "mail.example.com", 25)
        await until(lambda: ear.heard == b"220 ready\r\n")
        ear.close()


async def test_an_answer_may_come_in_pieces() -> None:
    async def script(peer: Peer) -> None:
        await peer.head()
        for byte in OK:
            await peer.send(bytes([byte]))
            await asyncio.sleep(0)
        await peer.ended()

    ear = Ear()
    async with RawServer(script) as server:
        await Dialler({}, f"http://127.0.0.1:{server.port}").dial(lambda: ear, "example.com", 443)
        ear.close()


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", r"refused \(407\)"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", r"refused \(403\)"),
        (b"garbage\r\n\r\n", "refused"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * MAX_ANSWER, "too large"),
    ],
)
async def test_a_proxy_that_opens_no_tunnel_is_an_error(answer: bytes, problem: str) -> None:
    async with RawServer(proxy(answer)) as server:
        with pytest.raises(ConnectionError, match=problem):
            await Dialler({}, f"http://127.0.0.1:{server.port}").dial(Ear, "example.com", 443)


async def test_a_proxy_that_just_closes_is_an_error() -> None:
    async def script(peer: Peer) -> None:
        await peer.head()

    async with RawServer(script) as server:
        with pytest.raises(ConnectionError, match="closed the connection"):
            await Dialler({}, f"http://127.0.0.1:{server.port}").dial(Ear, "example.com", 443)


async def test_a_dial_that_is_given_up_leaves_no_connection_behind() -> None:
    ended = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.ended()
        ended.set()

    async with RawServer(script) as server:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.03):
                await Dialler({}, f"http://127.0.0.1:{server.port}").dial(Ear, "example.com", 443)
        async with asyncio.timeout(5):
            await ended.wait()


def test_a_malformed_proxy_url_is_a_clear_error_without_its_credentials() -> None:
    with pytest.raises(ConfigError) as caught:
        Dialler({}, "https://me:hidden@proxy.example:1")
    assert "hidden" not in str(caught.value)


async def test_what_the_companys_proxy_is_not_for_is_reached_directly() -> None:
    ear = Ear()
    async with RawServer(greet) as server:
        dialler = Dialler({}, "http://127.0.0.1:1", direct=["near.localhost"])
        await dialler.dial(lambda: ear, "localhost", server.port)
        await until(lambda: ear.heard == b"hello from the origin")
        ear.close()
        with pytest.raises(OSError, match="onnect"):
            await dialler.dial(Ear, "far.example", server.port)
