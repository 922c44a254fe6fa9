"""The stand-in: tunnels what may pass, refuses what may not, tells base-URL clients to come back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from agent.host.standin_file import StandInFacts, facts
from agent.interception.tunnel import Pipe
from agent.supervisor.sockets import Listeners, listen
from agent.supervisor.standin import StandIn

FACTS = facts(
    {"closed.example": True, "*.closed.example": True, "open.closed.example": False}, "the pac file"
)


@dataclass
class Post:
    standin: StandIn
    listeners: Listeners
    origin: int

    async def ask(self, text: str, *, gateway: bool = False, then: bytes = b"") -> bytes:
        port = self.listeners.ports[gateway]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(text.encode())
        answer = b""
        if then:
            answer = await reader.readuntil(b"\r\n\r\n")
            writer.write(then)
            writer.write_eof()
        answer += await reader.read()
        writer.close()
        return answer


@contextlib.asynccontextmanager
async def posted(known: StandInFacts = FACTS, *, upstream: bool = False) -> AsyncIterator[Post]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"heard " + await reader.read())
        writer.close()

    async def company(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        refuses = head.startswith(b"CONNECT refused.example")
        writer.write(b"HTTP/1.1 403 No\r\n\r\n" if refuses else b"HTTP/1.1 200 OK\r\n\r\n")
        if not refuses:
            writer.write(b"company " + head.split(b"\r\n", 1)[0] + b" " + await reader.read())
        writer.close()

    server = await asyncio.start_server(company if upstream else echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    listeners = listen(0, 0)
    standin = StandIn(
        listeners.proxy,
        listeners.gateway,
        lambda: known,
        upstream_proxy=f"http://127.0.0.1:{port}" if upstream else None,
        resolve=(lambda host, at: (host, at)) if upstream else (lambda host, at: ("127.0.0.1", port)),
    )
    standin.open()
    try:
        yield Post(standin, listeners, port)
    finally:
        standin.close()
        await standin.tasks.cancel()
        listeners.close()
        server.close()
        await server.wait_closed()


def connect(host: str) -> str:
    return f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n"


async def test_what_may_pass_passes_unchanged() -> None:
    async with posted() as post:
        answer = await post.ask(connect("open.example"), then=b"\x16\x03hello")
        assert answer == b"HTTP/1.1 200 Connection established\r\n\r\nheard \x16\x03hello"
        assert post.standin.counted() == (1, 0)
        assert post.standin.counted() == (0, 0)


@pytest.mark.parametrize("host", ["closed.example", "CLOSED.example", "api.closed.example"])
async def test_what_may_not_pass_is_told_why(host: str) -> None:
    async with posted() as post:
        answer = await post.ask(connect(host))
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"policy lets nothing pass" in answer
        assert post.standin.counted() == (0, 1)


async def test_before_any_policy_everything_passes() -> None:
    async with posted(StandInFacts()) as post:
        assert b"heard x" in await post.ask(connect("closed.example"), then=b"x")


async def test_the_pac_file_is_served_to_no_web_page() -> None:
    async with posted() as post:
        head = "GET /proxy.pac HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        assert (await post.ask(head + "\r\n")).endswith(b"the pac file")
        assert b" 501 " in await post.ask(head + "Origin: http://evil.example\r\n\r\n")
        assert b" 501 " in await post.ask("GET http://plain.example/ HTTP/1.1\r\nHost: plain.example\r\n\r\n")
        assert b" 400 " in await post.ask("nonsense\r\n\r\n")


async def test_base_url_clients_are_told_to_come_back() -> None:
    async with posted() as post:
        answer = await post.ask("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n\r\n", gateway=True)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 5" in answer
        assert b'"code": "restarting"' in answer


async def test_an_origin_that_cannot_be_reached_is_a_502() -> None:
    async with posted() as post:
        post.standin._resolve = lambda host, port: ("127.0.0.1", 1)
        assert (await post.ask(connect("open.example"))).startswith(b"HTTP/1.1 502 ")


async def test_a_company_proxy_is_asked_for_the_tunnel() -> None:
    async with posted(upstream=True) as post:
        answer = await post.ask(connect("open.example"), then=b"hello")
        assert answer.endswith(b"company CONNECT open.example:443 HTTP/1.1 hello")
        assert (await post.ask(connect("refused.example"))).startswith(b"HTTP/1.1 502 ")


async def test_closed_it_takes_no_clients_and_the_sockets_stay() -> None:
    async with posted() as post:
        post.standin.close()
        assert not post.standin.active
        waiting = asyncio.ensure_future(post.ask(connect("closed.example")))
        await asyncio.sleep(0.05)
        assert not waiting.done()  # in the queue, not refused
        post.standin.open()
        assert b" 503 " in await waiting


async def test_what_the_companys_proxy_is_not_for_is_reached_directly() -> None:
    listeners = listen(0, 0)
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    standin = StandIn(
        listeners.proxy,
        listeners.gateway,
        StandInFacts,
        upstream_proxy="http://127.0.0.1:1",
        direct=["near.example"],
    )
    try:
        await standin.dial(Pipe(), "localhost", port)
        with pytest.raises(OSError, match="onnect"):
            await standin.dial(Pipe(), "far.example", port)
    finally:
        listeners.close()
        server.close()
        await server.wait_closed()
