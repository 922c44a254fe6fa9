"""Load for benchmarks: keep-alive HTTP/1.1 and HTTP/2 clients over TLS, directly or through a CONNECT proxy."""

from __future__ import annotations

import asyncio
import ssl
import time
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.events


@dataclass(frozen=True, kw_only=True)
class Aim:
    """Where the load goes. `proxy` is the port of a CONNECT proxy, `tls` None speaks plain HTTP to `port`."""

    port: int
    host: str = "api.openai.com"
    path: str = "/v1/chat/completions"
    proxy: int | None = None
    tls: ssl.SSLContext | None = None
    http2: bool = False
    key: str = "bench"  # sent as a bearer
    fields: tuple[tuple[str, str], ...] = ()  # further headers


@dataclass
class Times:
    """Seconds of each request, of each stream's first chunk, and how many chunks came."""

    requests: list[float] = field(default_factory=list)
    first_chunks: list[float] = field(default_factory=list)
    chunks: int = 0


async def open_connection(aim: Aim) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the origin, with its TLS."""
    if aim.proxy is None:
        name = aim.host if aim.tls else None
        return await asyncio.open_connection(
            "127.0.0.1", aim.port, ssl=aim.tls, server_hostname=name, limit=2**22
        )
    reader, writer = await asyncio.open_connection("127.0.0.1", aim.proxy, limit=2**22)
    writer.write(f"CONNECT {aim.host}:443 HTTP/1.1\r\nhost: {aim.host}:443\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    assert b" 200 " in head.split(b"\r\n")[0], head
    assert aim.tls is not None
    await writer.start_tls(aim.tls, server_hostname=aim.host)
    return reader, writer


class Http1Client:
    """One keep-alive connection."""

    def __init__(self, aim: Aim, body: bytes) -> None:
        self._aim = aim
        self.load(body)

    def load(self, body: bytes) -> None:
        """What to ask from now on."""
        aim = self._aim
        host = aim.host if aim.tls else f"127.0.0.1:{aim.port}"
        further = "".join(f"{name}: {value}\r\n" for name, value in aim.fields)
        self._request = (
            f"POST {aim.path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n"
            f"authorization: Bearer {aim.key}\r\n{further}content-length: {len(body)}\r\n\r\n".encode()
            + body
        )

    async def connect(self) -> None:
        """Open the connection."""
        self._reader, self._writer = await open_connection(self._aim)

    async def ask(self, times: Times) -> None:
        """One request, its whole answer read."""
        begun = time.perf_counter()
        self._writer.write(self._request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 200"):
            raise RuntimeError(head.decode())
        if b"transfer-encoding: chunked" in head:
            await self._chunks(times, begun)
        else:
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            await self._reader.readexactly(length)
        times.requests.append(time.perf_counter() - begun)

    async def _chunks(self, times: Times, begun: float) -> None:
        first = True
        while True:
            size = int(await self._reader.readline(), 16)
            data = await self._reader.readexactly(size + 2)
            if first:
                times.first_chunks.append(time.perf_counter() - begun)
                first = False
            times.chunks += data.count(b"data:")
            if size == 0:
                return

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


class Http2Client(Http1Client):
    """One HTTP/2 connection, one stream at a time."""

    def __init__(self, aim: Aim, body: bytes) -> None:
        super().__init__(aim, body)

    def load(self, body: bytes) -> None:
        """What to ask from now on."""
        self._body = body

    async def connect(self) -> None:
        """Open the connection and say hello."""
        await super().connect()
        self._h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=True, header_encoding="utf-8")
        )
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(2**30)
        self._writer.write(self._h2.data_to_send())

    async def ask(self, times: Times) -> None:
        """One request, its whole answer read."""
        begun = time.perf_counter()
        stream = self._h2.get_next_available_stream_id()
        fields = [
            (":method", "POST"),
            (":scheme", "https"),
            (":authority", self._aim.host),
            (":path", self._aim.path),
            ("content-type", "application/json"),
            ("authorization", "Bearer bench"),
            ("content-length", str(len(self._body))),
        ]
        self._h2.send_headers(stream, fields)
        self._h2.send_data(stream, self._body, end_stream=True)
        self._writer.write(self._h2.data_to_send())
        while True:
            for event in self._h2.receive_data(await self._reader.read(65536)):
                if isinstance(event, h2.events.ResponseReceived):
                    assert dict(event.headers)[":status"] == "200", event
                elif isinstance(event, h2.events.DataReceived):
                    if b"data:" in event.data:
                        if not times.chunks:
                            times.first_chunks.append(time.perf_counter() - begun)
                        times.chunks += event.data.count(b"data:")
                    self._h2.acknowledge_received_data(event.flow_controlled_length, stream)
                elif isinstance(event, h2.events.StreamEnded):
                    times.requests.append(time.perf_counter() - begun)
                    self._writer.write(self._h2.data_to_send())
                    return
            self._writer.write(self._h2.data_to_send())


async def run(
    aim: Aim, body: bytes, *, connections: int, requests: int, warm: bytes, warming: int = 20
) -> tuple[Times, float]:
    """`requests` on each of `connections` connections; the times, and the wall-clock seconds of the measured part.

    Every connection first asks `warm` a few times, all at once, so that the upstream connections stand.
    """
    make = Http2Client if aim.http2 else Http1Client
    clients = [make(aim, warm) for _ in range(connections)]
    for client in clients:
        await client.connect()
    for _ in range(warming):
        await asyncio.gather(*(client.ask(Times()) for client in clients))
    for client in clients:
        client.load(body)
    times = Times()

    async def work(client: Http1Client) -> None:
        for _ in range(requests):
            await client.ask(times)

    begun = time.perf_counter()
    await asyncio.gather(*(work(client) for client in clients))
    took = time.perf_counter() - begun
    for client in clients:
        client.close()
    return times, took
