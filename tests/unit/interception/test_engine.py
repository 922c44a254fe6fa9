"""The engine over loopback: TLS ends here, and the plain bytes reach the gateway with what is known of them."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from h2.connection import H2Connection
from h2.events import StreamEnded
from mitmproxy.proxy.layers.http._http1 import Http1Client
from OpenSSL import SSL

from addons import build_addons
from agent.host.authority import Authority
from agent.host.paths import StatePaths
from agent.host.tasks import TaskGroup
from agent.interception.engine import Engine, Intercepted
from agent.model.traffic import Connection, Process, Tier
from tests.fakes.loopback import End, until

HOST = "api.openai.com"
CURL = Process(pid=7, name="curl")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    paths = StatePaths.under(Path(tmp_path_factory.mktemp("state")) / "drawbridge")
    paths.prepare()
    return Authority.open(paths, frozenset({HOST}))


class Bench:
    """An engine, a listener that hands it connections, and a gateway that answers every read."""

    def __init__(self, authority: Authority) -> None:
        self.root = authority.root_pem.decode()
        self.tier = Tier.RELAY
        self.connect_host = HOST
        self.attached: list[Connection] = []
        self.received = b""
        self.answer = b"answer"
        self.closes = False  # the gateway, behind its answer
        self.trusted: list[str] = []
        self.distrusted: list[str] = []
        self.tasks = TaskGroup("bench")
        self.clients: list[End] = []
        self.engine = Engine(attach=self.attach, mint=authority.leaf)
        self.engine.report(
            on_trusted=lambda intercepted, error: self.trusted.append(intercepted.facts.connect_host),
            on_distrusted=lambda intercepted, error: self.distrusted.append(error),
        )
        self.engine.install(build_addons(self.engine))

    async def attach(self, sock: socket.socket, connection: Connection) -> None:
        self.attached.append(connection)
        reader, writer = await asyncio.open_connection(sock=sock)
        self.tasks.spawn(self._serve(reader, writer), name="gateway")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                self.received += data
                writer.write(self.answer)
                await writer.drain()
                if self.closes:
                    break
        finally:
            writer.close()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        facts = Connection(id="c", tier=self.tier, connect_host=self.connect_host, connect_port=443)
        described: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()
        described.set_result(replace(facts, process=CURL))
        await self.engine.run(reader, writer, Intercepted(facts, described))

    async def connect(self, *alpn: str, name: str = HOST, trusts: bool = True) -> End:
        context = ssl.create_default_context(cadata=self.root if trusts else None)
        if alpn:
            context.set_alpn_protocols(list(alpn))
        streams = await asyncio.open_connection("127.0.0.1", self.port, ssl=context, server_hostname=name)
        self.clients.append(End(*streams))
        return self.clients[-1]

    port = 0


@pytest.fixture
async def bench(authority: Authority) -> AsyncIterator[Bench]:
    made = Bench(authority)
    server = await asyncio.start_server(made.accept, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
    for client in made.clients:
        client.close()
    await until(lambda: made.engine.connections == 0)
    await made.tasks.cancel()
    await asyncio.sleep(0.01)


async def test_the_relay_tier_hands_the_plain_bytes_over_untouched(bench: Bench) -> None:
    client = await bench.connect("h2", "http/1.1")
    ssl_object = client.writer.get_extra_info("ssl_object")
    assert ssl_object.selected_alpn_protocol() == "http/1.1"
    request = b"POST /v1/chat HTTP/1.1\r\nHost: api.openai.com\r\nX-Odd:  spaced \r\n\r\n\x00\xff"
    await client.send(request)
    assert await client.exactly(6) == b"answer"
    assert bench.received == request


async def test_the_gateway_is_told_what_is_known_of_the_connection(bench: Bench) -> None:
    client = await bench.connect()
    await client.send(b"x")
    await client.exactly(6)
    (facts,) = bench.attached
    assert (facts.connect_host, facts.connect_port, facts.process) == (HOST, 443, CURL)


async def test_a_client_that_takes_our_certificate_is_reported(bench: Bench) -> None:
    client = await bench.connect()
    await client.send(b"x")
    await client.exactly(6)
    assert bench.trusted == [HOST]
    assert bench.distrusted == []


async def test_the_certificate_is_for_the_name_in_the_hello_and_shows_its_chain(bench: Bench) -> None:
    client = await bench.connect()
    certificate = client.writer.get_extra_info("peercert")
    assert ("DNS", HOST) in certificate["subjectAltName"]


async def test_a_client_that_distrusts_us_is_reported_with_what_it_said(bench: Bench) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        await bench.connect(trusts=False)
    await until(lambda: bool(bench.distrusted))
    assert "does not trust" in bench.distrusted[0]
    assert bench.trusted == []
    assert bench.attached == []


async def test_a_name_outside_the_catalog_gets_no_certificate(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await bench.connect(name="bank.example")
    assert bench.attached == []
    assert "Traceback" not in caplog.text


async def test_the_http_tier_sends_requests_to_the_same_gateway_with_the_host_they_ask(bench: Bench) -> None:
    bench.tier = Tier.HTTP
    bench.answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"
    client = await bench.connect("http/1.1")
    await client.send(b"GET /backend HTTP/1.1\r\nHost: api.openai.com\r\n\r\n")
    assert (await client.until(b"hi")).startswith(b"HTTP/1.1 200 OK\r\n")
    assert bench.received.startswith(b"GET /backend HTTP/1.1\r\n")
    assert b"api.openai.com" in bench.received


async def test_the_http_tier_offers_http2(bench: Bench) -> None:
    bench.tier = Tier.HTTP
    client = await bench.connect("h2", "http/1.1")
    assert client.writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2"


async def test_when_the_client_leaves_so_does_the_gateways_connection(bench: Bench) -> None:
    client = await bench.connect()
    await client.send(b"x")
    await client.exactly(6)
    assert bench.engine.connections == 1
    client.close()
    await until(lambda: bench.engine.connections == 0, lambda: len(bench.tasks) == 0)


async def test_draining_cuts_what_is_still_open_when_the_time_is_over(bench: Bench) -> None:
    client = await bench.connect()
    await client.send(b"x")
    await client.exactly(6)
    await bench.engine.drain(0.02)
    assert await client.all() == b""
    await until(lambda: bench.engine.connections == 0)


async def test_draining_waits_for_nothing_where_nothing_is_open(bench: Bench) -> None:
    async with asyncio.timeout(1):
        await bench.engine.drain(60)


@pytest.fixture
def uncollected() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def open_tls() -> int:
    return sum(isinstance(each, SSL.Connection) for each in gc.get_objects())


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("tier", [Tier.RELAY, Tier.HTTP])
async def test_what_tls_took_is_given_back_when_the_connection_ends(bench: Bench, tier: Tier) -> None:
    bench.tier = tier
    bench.answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"
    for _ in range(3):
        client = await bench.connect("http/1.1")
        await client.send(b"GET /backend HTTP/1.1\r\nHost: api.openai.com\r\n\r\n")
        await client.until(b"hi")
        client.close()
    await until(lambda: bench.engine.connections == 0, lambda: len(bench.tasks) == 0)
    await until(lambda: open_tls() == 0)


@pytest.mark.usefixtures("uncollected")
async def test_a_handshake_that_failed_leaves_nothing(bench: Bench) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        await bench.connect(trusts=False)
    await until(lambda: bench.engine.connections == 0, lambda: bool(bench.distrusted))
    await until(lambda: open_tls() == 0)


async def test_what_a_request_had_upstream_is_forgotten_while_its_client_stays(bench: Bench) -> None:
    bench.tier, bench.closes = Tier.HTTP, True
    bench.answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"
    client = await bench.connect("h2")
    http2 = H2Connection()
    http2.initiate_connection()
    for _ in range(20):
        stream = http2.get_next_available_stream_id()
        fields = [(":method", "GET"), (":scheme", "https"), (":authority", HOST), (":path", "/backend")]
        http2.send_headers(stream, fields, end_stream=True)
        await client.send(http2.data_to_send())
        while not any(isinstance(each, StreamEnded) for each in http2.receive_data(await client.read())):
            await client.send(http2.data_to_send())
        await until(lambda: len(bench.tasks) == 0)
    gc.collect()
    assert sum(isinstance(each, Http1Client) for each in gc.get_objects()) <= 2
