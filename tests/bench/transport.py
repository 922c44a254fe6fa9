"""What a request and a streamed chunk cost: our client, the aiohttp transport and httpx against one loopback server.

Run `python -m tests.bench.transport`. The server has a process of its own; only the client's processor time is counted.
Chunks are sent back to back, so that several arrive together; a chunk that comes alone costs a wake-up besides.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import ssl
import tempfile
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

import httpx

from agent.gateway.transport.aio import AioTransport
from agent.gateway.transport.base import Transport, TransportConfig, UpstreamRequest
from agent.gateway.transport.http1 import Http1Transport
from agent.gateway.transport.tls import client_context
from agent.model.traffic import Target
from tests.fakes.tls import Authority

_BODY = b'{"model": "m", "messages": [{"role": "user", "content": "' + b"x" * 350 + b'"}]}'
_ANSWER = b'{"choices": [{"message": {"content": "' + b"y" * 450 + b'"}}]}'
_FIELDS = (
    b"".join(b"x-field-%d: some value\r\n" % number for number in range(8))
    + b"content-type: application/json\r\n"
)
_EVENT = b'data: {"choices": [{"delta": {"content": "token"}}]}\n\n'
_HEADERS = (
    (b"host", b"127.0.0.1"),
    (b"content-type", b"application/json"),
    (b"accept", b"*/*"),
    (b"user-agent", b"bench/1"),
    (b"authorization", b"Bearer none"),
)

type Call = Callable[[bytes], Awaitable[None]]
"""Asks for a path and reads the answer to its end."""


class _Server(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or len(body) < len(_BODY):
            return
        self._received = body[len(_BODY) :]
        if head.startswith(b"POST /stream/"):
            count = int(head.split(b" ", 2)[1].rpartition(b"/")[2])
            self._transport.write(b"HTTP/1.1 200 OK\r\n" + _FIELDS + b"transfer-encoding: chunked\r\n\r\n")
            asyncio.get_running_loop().call_soon(self._stream, count)
        else:
            self._transport.write(
                b"HTTP/1.1 200 OK\r\n%bcontent-length: %d\r\n\r\n%b" % (_FIELDS, len(_ANSWER), _ANSWER)
            )

    def _stream(self, count: int) -> None:
        if count:
            self._transport.write(b"%x\r\n%b\r\n" % (len(_EVENT), _EVENT))
            asyncio.get_running_loop().call_soon(self._stream, count - 1)
        else:
            self._transport.write(b"0\r\n\r\n")


def _serve(pipe: Pipe, chain: str, key: str) -> None:
    async def run() -> None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(chain, key)
        loop = asyncio.get_running_loop()
        servers = [await loop.create_server(_Server, "127.0.0.1", 0, ssl=context) for context in (None, tls)]
        pipe.send([server.sockets[0].getsockname()[1] for server in servers])
        await asyncio.Event().wait()

    asyncio.run(run())


def _through(transport: Transport, target: Target) -> Call:
    async def call(path: bytes) -> None:
        request = UpstreamRequest(method=b"POST", target=path, headers=_HEADERS, body=_BODY)
        async for _ in await transport.send(target, request):
            pass

    return call


def _through_httpx(client: httpx.AsyncClient, target: Target) -> Call:
    scheme = "https" if target.tls else "http"

    async def call(path: bytes) -> None:
        url = f"{scheme}://{target.host}:{target.port}{path.decode()}"
        async with client.stream("POST", url, content=_BODY, headers=_HEADERS) as response:
            async for _ in response.aiter_raw():
                pass

    return call


async def _cost(call: Call, path: bytes, *, requests: int, connections: int) -> float:
    """Microseconds of processor time per request."""

    async def worker(count: int) -> None:
        for _ in range(count):
            await call(path)

    await asyncio.gather(*(worker(3) for _ in range(connections)))
    begun = time.process_time()
    await asyncio.gather(*(worker(requests // connections) for _ in range(connections)))
    return (time.process_time() - begun) * 1e6 / requests


async def _measure(ports: list[int], ca_file: Path, *, requests: int, chunks: int) -> None:
    context = client_context(ca_file)
    print(
        f"{'client':<14}{'TLS':<5}{'us/request, 1':>15}{'us/request, 10':>16}{'us/chunk, 1':>13}{'us/chunk, 10':>14}"
    )
    for tls, port in zip((False, True), ports, strict=True):
        target = Target(host="127.0.0.1", port=port, tls=tls)
        own, aio = Http1Transport(TransportConfig(), context), AioTransport(TransportConfig(), context)
        async with httpx.AsyncClient(verify=context, trust_env=False, limits=httpx.Limits()) as client:
            calls = {
                "own": _through(own, target),
                "aiohttp": _through(aio, target),
                "httpx": _through_httpx(client, target),
            }
            for name, call in calls.items():
                few = requests // (10 if name == "httpx" else 1)
                figures = [await _cost(call, b"/", requests=few, connections=n) for n in (1, 10)]
                stream = b"/stream/%d" % chunks
                figures += [await _cost(call, stream, requests=n, connections=n) / chunks for n in (1, 10)]
                one, ten, chunk, chunk_ten = figures
                secure = "yes" if tls else "no"
                print(f"{name:<14}{secure:<5}{one:>15.0f}{ten:>16.0f}{chunk:>13.1f}{chunk_ten:>14.1f}")
        await own.aclose()
        await aio.aclose()


def main() -> None:
    """Start the server, measure, print the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--requests", type=int, default=10_000)
    arguments.add_argument("--chunks", type=int, default=5_000)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(Path(folder))
        leaf = authority.leaf("127.0.0.1")
        ours, theirs = multiprocessing.Pipe()
        spawn = multiprocessing.get_context("spawn")
        server = spawn.Process(
            target=_serve, args=(theirs, str(leaf.chain_file), str(leaf.key_file)), daemon=True
        )
        server.start()
        try:
            asyncio.run(
                _measure(ours.recv(), authority.ca_file, requests=given.requests, chunks=given.chunks)
            )
        finally:
            server.terminate()
            server.join()


if __name__ == "__main__":
    main()
