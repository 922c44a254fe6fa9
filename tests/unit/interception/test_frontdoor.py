"""The front door over loopback: what a client says decides where it goes, and a slow one does not stay."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable

import pytest

from agent.errors import ConfigError
from agent.host.listening import BACKLOG
from agent.host.tasks import TaskGroup
from agent.interception.frontdoor import ESTABLISHED, Deadlines, FrontDoor
from agent.interception.scope import Passage, Way
from tests.fakes.hellos import client_hello
from tests.fakes.keeper import FakeKeeper
from tests.fakes.loopback import End, connect, crowd, leave, until

HELLO = client_hello("api.openai.com")
OURS = "api.openai.com"


class House:
    """A front door, its keeper, and an origin that all tunnels lead to."""

    def __init__(self, door: FrontDoor, keeper: FakeKeeper, origins: asyncio.Queue[End]) -> None:
        self.door, self.keeper, self._origins = door, keeper, origins
        self.clients: list[End] = []
        self.dialled: list[tuple[str, int]] = []
        self.before_dial: Callable[[], object] = lambda: None
        self.greeting = b""

    async def connect(self) -> End:
        self.clients.append(await connect(self.door.port))
        return self.clients[-1]

    async def knock(self, host: str, port: int = 443, rest: bytes = b"") -> End:
        client = await self.connect()
        await client.send(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode() + rest)
        return client

    async def enter(self, host: str, port: int = 443) -> End:
        client = await self.knock(host, port)
        assert await client.exactly(len(ESTABLISHED)) == ESTABLISHED
        return client

    def hold_dialling(self) -> asyncio.Event:
        """From now on origins are reached only once the event is set."""
        gate, straight = asyncio.Event(), self.door.dial

        async def dial(factory: Callable[[], asyncio.Protocol], host: str, port: int) -> None:
            await gate.wait()
            await straight(factory, host, port)

        self.door.dial = dial
        return gate

    async def origin(self) -> End:
        async with asyncio.timeout(5):
            return await self._origins.get()


@pytest.fixture
async def house(request: pytest.FixtureRequest) -> AsyncIterator[House]:
    deadlines: Deadlines = getattr(request, "param", Deadlines(head=5, hello=5, dial=5))
    origins: asyncio.Queue[End] = asyncio.Queue()
    ends: list[End] = []

    def arrived(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends.append(End(reader, writer))
        writer.write(made.greeting)
        origins.put_nowait(ends[-1])

    async def dial(factory: Callable[[], asyncio.Protocol], host: str, port: int) -> None:
        made.dialled.append((host, port))
        made.before_dial()
        await asyncio.sleep(0)
        await asyncio.get_running_loop().create_connection(factory, "127.0.0.1", origin_port)
        await asyncio.sleep(0.02 if made.greeting else 0)

    server = await asyncio.start_server(arrived, "127.0.0.1", 0)
    origin_port = server.sockets[0].getsockname()[1]
    tasks = TaskGroup("test")
    keeper = FakeKeeper(OURS)
    door = FrontDoor(keeper, dial, tasks, deadlines=deadlines)
    made = House(door, keeper, origins)
    await door.listen(0)
    yield made
    door.close()
    server.close()
    for end in (*ends, *made.clients):
        end.close()
    await tasks.cancel()
    await asyncio.sleep(0.01)


quick = pytest.mark.parametrize("house", [Deadlines(head=0.05, hello=0.05, dial=0.05)], indirect=True)


async def test_a_host_outside_the_catalog_is_tunnelled_with_every_byte(house: House) -> None:
    client = await house.enter("example.com", 8443)
    hello = client_hello("example.com")
    await client.send(hello)
    origin = await house.origin()
    assert await origin.exactly(len(hello)) == hello
    await origin.send(b"server hello")
    assert await client.read() == b"server hello"
    assert house.dialled == [("example.com", 8443)]
    assert [(host, hello.sni) for host, hello in house.keeper.strangers if hello] == [
        ("example.com", "example.com")
    ]
    assert [(host, hello.sni) for host, hello in house.keeper.asked if hello] == [
        ("example.com", "example.com")
    ]


async def test_a_catalogued_host_is_intercepted_and_its_origin_left_alone(house: House) -> None:
    client = await house.enter("API.openai.com")
    await client.send(HELLO + b"!")
    assert await client.exactly(len(HELLO) + 5) == b"got:" + HELLO + b"!"
    assert house.dialled == []
    await client.send(b"more", end=True)
    assert await client.all() == b"got:more"


@pytest.mark.parametrize("host", [OURS, "example.com"])
async def test_a_request_may_come_in_any_pieces(house: House, host: str) -> None:
    client = await house.connect()
    for byte in f"CONNECT {host}:443 HTTP/1.1\r\n\r\n".encode():
        await client.send(bytes([byte]))
        await asyncio.sleep(0)
    assert await client.exactly(len(ESTABLISHED)) == ESTABLISHED
    for at in range(0, len(HELLO), 50):
        await client.send(HELLO[at : at + 50])
        await asyncio.sleep(0)
    if host == OURS:
        assert await client.exactly(len(HELLO) + 4) == b"got:" + HELLO
    else:
        assert await (await house.origin()).exactly(len(HELLO)) == HELLO


@pytest.mark.parametrize("host", [OURS, "example.com"])
async def test_a_client_may_say_everything_at_once(house: House, host: str) -> None:
    client = await house.knock(host, rest=HELLO)
    assert await client.exactly(len(ESTABLISHED)) == ESTABLISHED
    if host == OURS:
        assert await client.exactly(len(HELLO) + 4) == b"got:" + HELLO
    else:
        assert await (await house.origin()).exactly(len(HELLO)) == HELLO


async def test_a_name_in_the_hello_makes_a_tunnel_ours(house: House) -> None:
    """CONNECT to an address: the origin was dialled, and is let go."""
    house.keeper.verdict = lambda head, hello: Passage(way=Way.INTERCEPT)
    client = await house.enter("203.0.113.7")
    await client.send(HELLO)
    assert await client.exactly(len(HELLO) + 4) == b"got:" + HELLO
    assert await (await house.origin()).all() == b""


async def test_plain_bytes_to_a_catalogued_host_are_refused_and_noted(house: House) -> None:
    client = await house.enter(OURS, 80)
    await client.send(b"GET / HTTP/1.1\r\nhost: api.openai.com\r\n\r\n")
    assert await client.all() == b""
    await until(lambda: bool(house.keeper.refusals))
    assert house.keeper.asked == [(OURS, None)]
    assert house.dialled == []


async def test_plain_bytes_elsewhere_are_tunnelled(house: House) -> None:
    client = await house.enter("example.com", 22)
    await client.send(b"SSH-2.0-client\r\n")
    assert await (await house.origin()).until(b"\n") == b"SSH-2.0-client\r\n"


async def test_a_server_may_speak_first(house: House) -> None:
    client = await house.enter("mail.example.com", 25)
    origin = await house.origin()
    await origin.send(b"220 ready\r\n")
    assert await client.until(b"\n") == b"220 ready\r\n"
    await client.send(b"EHLO x\r\n")
    assert await origin.until(b"\n") == b"EHLO x\r\n"


async def test_a_server_may_speak_before_the_client_has_its_200(house: House) -> None:
    house.greeting = b"220 at once\r\n"
    client = await house.enter("mail.example.com", 25)
    assert await client.until(b"\n") == b"220 at once\r\n"


async def test_a_catalogued_host_may_be_tunnelled_after_all(house: House) -> None:
    house.keeper.verdict = lambda head, hello: Passage(way=Way.TUNNEL)
    client = await house.enter(OURS)
    await client.send(HELLO)
    origin = await house.origin()
    assert await origin.exactly(len(HELLO)) == HELLO
    await origin.send(b"pong")
    assert await client.read() == b"pong"


async def test_what_a_pause_let_pass_is_cut_when_it_ends_and_nothing_else(house: House) -> None:
    stranger = await house.enter("example.com")
    await stranger.send(b"hi")
    elsewhere = await house.origin()
    assert await elsewhere.exactly(2) == b"hi"
    house.keeper.verdict = lambda head, hello: Passage(way=Way.TUNNEL, paused=True)
    client = await house.enter(OURS)
    await client.send(HELLO)
    origin = await house.origin()
    assert await origin.exactly(len(HELLO)) == HELLO
    assert house.door.end_pause() == 1
    assert await client.all() == b""
    assert await origin.all() == b""
    assert house.door.end_pause() == 0
    await elsewhere.send(b"still")
    assert await stranger.exactly(5) == b"still"


async def test_an_origin_that_cannot_be_reached_is_a_clear_answer(house: House) -> None:
    def fail() -> None:
        raise ConnectionRefusedError(111, "Connection refused")

    house.before_dial = fail
    answer = await (await house.knock("example.com")).all()
    assert answer.startswith(b"HTTP/1.1 502 ")
    assert b"example.com:443: Connection refused" in answer


async def test_a_late_tunnel_that_cannot_be_reached_closes(house: House) -> None:
    def fail() -> None:
        raise ConnectionRefusedError

    house.before_dial = fail
    house.keeper.verdict = lambda head, hello: Passage(way=Way.TUNNEL)
    client = await house.enter(OURS)
    await client.send(HELLO)
    assert await client.all() == b""


async def test_a_verdict_that_fails_closes_the_connection(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(head: object, hello: object) -> Passage:
        raise RuntimeError("no verdict")

    house.keeper.verdict = fail
    client = await house.enter(OURS)
    await client.send(HELLO)
    assert await client.all() == b""
    assert house.keeper.served == []
    assert "judge crashed" in caplog.text


@quick
async def test_a_client_that_says_nothing_is_let_go(house: House) -> None:
    client = await house.connect()
    assert await client.all() == b""
    assert not house.door.waiting


@quick
@pytest.mark.parametrize("said", [b"", HELLO[:40]], ids=["nothing", "half"])
async def test_a_client_that_never_finishes_its_hello_is_let_go(house: House, said: bytes) -> None:
    client = await house.enter(OURS)
    await client.send(said)
    assert await client.all() == b""
    assert not house.door.waiting


@quick
async def test_an_origin_that_takes_too_long_is_a_timeout(house: House) -> None:
    house.hold_dialling()
    answer = await (await house.knock("example.com")).all()
    assert answer.startswith(b"HTTP/1.1 504 ")
    assert b"example.com:443 did not answer" in answer


async def test_a_head_without_end_is_refused(house: House) -> None:
    client = await house.connect()
    await client.send(b"CONNECT x:443 HTTP/1.1\r\nx: " + b"y" * 40_000)
    assert (await client.all()).startswith(b"HTTP/1.1 400 ")


async def test_a_hello_without_end_is_let_go(house: House) -> None:
    client = await house.enter(OURS)
    await client.send((b"\x16\x03\x01\x00\x00") * 60_000)
    assert await client.all() == b""


async def test_a_client_that_floods_while_we_dial_is_held_back(house: House) -> None:
    gate = house.hold_dialling()
    client = await house.knock("example.com")
    sent = await client.flood(0.08)
    (visitor,) = house.door.waiting
    assert len(visitor._buffer) < 1024 * 1024
    gate.set()
    origin = await house.origin()
    received = 0
    while received < sent:
        received += len(await origin.read())


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]", "LOCALHOST."])
async def test_a_tunnel_to_the_proxy_itself_is_refused(house: House, name: str) -> None:
    answer = await (await house.knock(name, house.door.port)).all()
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert house.dialled == []


async def test_a_tunnel_to_another_port_of_this_machine_is_a_tunnel(house: House) -> None:
    client = await house.enter("127.0.0.1", 1)
    await client.send(b"hi")
    assert await (await house.origin()).read() == b"hi"


async def ask(house: House, line: str, *fields: str) -> bytes:
    client = await house.connect()
    await client.send("\r\n".join([f"{line} HTTP/1.1", *fields, "", ""]).encode())
    return await client.all()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
async def test_the_pac_file_is_served_to_those_who_ask_us_by_name(house: House, name: str) -> None:
    answer = await ask(house, "GET /proxy.pac", f"Host: {name}:{house.door.port}")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\ncontent-type: application/x-ns-proxy-autoconfig\r\n")
    assert b"content-length: %d" % len(body) in head
    assert body == house.keeper.pac().encode()


async def test_the_pac_file_can_be_asked_for_its_head(house: House) -> None:
    answer = await ask(house, "HEAD /proxy.pac", f"Host: 127.0.0.1:{house.door.port}")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    "fields",
    [
        ("Host: rebound.evil.tld:{port}",),
        ("Host: 127.0.0.1",),
        (),
        ("Host: 127.0.0.1:{port}", "Origin: https://evil.tld"),
    ],
)
async def test_a_web_page_does_not_get_the_pac_file(house: House, fields: tuple[str, ...]) -> None:
    answer = await ask(house, "GET /proxy.pac", *(field.format(port=house.door.port) for field in fields))
    assert answer.startswith(b"HTTP/1.1 501 ")
    assert b"FindProxy" not in answer


@pytest.mark.parametrize("line", ["GET http://example.com/", "POST /proxy.pac", "GET /"])
async def test_plain_http_is_not_proxied(house: House, line: str) -> None:
    answer = await ask(house, line, f"Host: 127.0.0.1:{house.door.port}")
    assert answer.startswith(b"HTTP/1.1 501 ")
    assert house.dialled == []


async def test_a_client_that_leaves_while_we_dial_leaves_no_origin_behind(house: House) -> None:
    gate = house.hold_dialling()
    client = await house.knock("example.com")
    await asyncio.sleep(0.01)
    client.reset()
    await until(lambda: not house.door.waiting)
    gate.set()
    assert await (await house.origin()).all() == b""


@pytest.mark.parametrize("house", [Deadlines(head=5, hello=0.05, dial=5)], indirect=True)
async def test_a_late_tunnel_that_stands_too_late_leaves_no_origin_behind(house: House) -> None:
    house.keeper.verdict = lambda head, hello: Passage(way=Way.TUNNEL)
    gate = house.hold_dialling()
    client = await house.enter(OURS)
    await client.send(HELLO)
    assert await client.all() == b""
    gate.set()
    assert await (await house.origin()).all() == b""


async def test_closing_lets_go_of_those_who_wait_and_takes_no_more(house: House) -> None:
    client = await house.connect()
    await until(lambda: len(house.door.waiting) == 1)
    house.door.close()
    assert await client.all() == b""
    with pytest.raises(ConnectionRefusedError):
        await house.connect()


async def test_a_port_that_is_taken_is_a_clear_error(house: House) -> None:
    other = FrontDoor(house.keeper, house.door.dial, house.door.tasks)
    with pytest.raises(ConfigError, match=r"cannot listen on 127\.0\.0\.1") as caught:
        await other.listen(house.door.port)
    assert "--proxy-port" in caught.value.hint()


@pytest.mark.parametrize("lent", [False, True], ids=["bound", "lent"])
async def test_clients_that_come_all_at_once_have_a_place_while_we_are_busy(house: House, lent: bool) -> None:
    door = FrontDoor(house.keeper, house.door.dial, house.door.tasks)
    sock = None
    if lent:
        sock = socket.socket()
        sock.bind(("127.0.0.1", 0))
        sock.listen(BACKLOG)
        sock.setblocking(False)
    clients = crowd(await door.listen(0, lent=sock), 300)
    leave(clients)
    door.close_listener()
