"""The listening side, over loopback and socket pairs."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from weakref import WeakSet

import pytest

from agent.accounts.accounts import Accounts
from agent.accounts.local import LocalStore
from agent.errors import ConfigError
from agent.gateway.asking import Asking
from agent.gateway.server import MAX_HEAD, ONE_READ, ClientLink, GatewayProtocol, GatewayServer
from agent.gateway.upgrade import UpgradeHandler
from agent.gateway.wire import ClientRequest, Message, Receive, Send
from agent.host.listening import BACKLOG
from agent.host.tasks import TaskGroup
from agent.inspection import RuleBook
from agent.model.traffic import Connection, Tier
from tests.fakes.audit import FakeAudit
from tests.fakes.loopback import End, crowd, leave, until
from tests.fakes.upstream import FakeTransport
from tests.unit.gateway.conftest import InForce

CONNECTION = Connection(id="c", tier=Tier.RELAY, sni="api.openai.com", connect_host="api.openai.com")
UPGRADE = (
    b"GET /v1/responses HTTP/1.1\r\nhost: api.openai.com\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n"
)
GET = b"GET / HTTP/1.1\r\nhost: api.openai.com\r\n\r\n"

type Script = Callable[[Message, Receive, Send], Awaitable[None]]


class House:
    """A server whose application does what the test's script says."""

    def __init__(self, rules: RuleBook) -> None:
        self.asked: list[Message] = []
        self.script: Script = answer
        self.tasks = TaskGroup("test")
        accounts = Accounts(None, store=LocalStore(Path("never-opened.db")))
        upgrades = UpgradeHandler(
            InForce(rules),
            FakeTransport(),
            FakeAudit(),
            Asking(accounts),
        )
        self.server = GatewayServer(self._app, upgrades, self.tasks)
        self.clients: list[End] = []

    async def _app(self, scope: Message, receive: Receive, send: Send) -> None:
        self.asked.append(scope)
        await self.script(scope, receive, send)

    async def connect(self, connection: Connection = CONNECTION) -> End:
        ours, theirs = socket.socketpair()
        await self.server.attach(theirs, connection)
        self.clients.append(End(*await asyncio.open_connection(sock=ours)))
        return self.clients[-1]

    def header(self, name: bytes) -> bytes:
        return dict(self.asked[-1]["headers"])[name]


async def answer(scope: Message, receive: Receive, send: Send) -> None:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    fields = [(b"content-length", b"%d" % (len(body) + 2))]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": b"ok" + body})


@pytest.fixture
async def house(rules: RuleBook) -> AsyncIterator[House]:
    made = House(rules)
    yield made
    made.server.close()
    for client in made.clients:
        client.close()
    await made.server.drain(0)
    await made.tasks.cancel()
    await asyncio.sleep(0.01)


async def test_a_request_is_served_with_what_is_known_of_its_connection(house: House) -> None:
    client = await house.connect()
    await client.send(GET)
    assert (await client.until(b"ok")).startswith(b"HTTP/1.1 200 OK\r\n")
    link = house.asked[0]["state"]["link"]
    assert isinstance(link, ClientLink)
    assert link.connection is CONNECTION


async def test_nothing_a_client_writes_changes_what_is_known_of_it(house: House) -> None:
    client = await house.connect()
    await client.send(GET[:-2] + b"x-forwarded-for: 1.2.3.4\r\nforwarded: for=1.2.3.4;proto=https\r\n\r\n")
    await client.until(b"ok")
    assert house.asked[0]["state"]["link"].connection is CONNECTION
    assert house.asked[0]["scheme"] == "http"


async def test_a_connection_serves_one_request_after_the_other(house: House) -> None:
    client = await house.connect()
    for _ in range(3):
        await client.send(GET)
        await client.until(b"ok")
    assert len(house.asked) == 3


async def test_the_http_tier_uses_a_connection_once(house: House) -> None:
    client = await house.connect(Connection(id="c", tier=Tier.HTTP, sni="chatgpt.com"))
    await client.send(GET)
    assert b"connection: close" in await client.all()


async def test_a_body_arrives_whole_whatever_its_framing(house: House) -> None:
    client = await house.connect()
    await client.send(
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    assert (await client.until(b"okabcde")).startswith(b"HTTP/1.1 200 ")


async def test_trailers_are_no_headers(house: House) -> None:
    client = await house.connect()
    head = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ntrailer: x-late\r\n\r\n"
    await client.send(head + b"3\r\nabc\r\n0\r\nx-late: 1\r\nhost: evil.tld\r\n\r\n")
    await client.until(b"okabc")
    assert [name for name, _ in house.asked[0]["headers"]] == [b"host", b"transfer-encoding", b"trailer"]


async def test_a_client_that_waits_to_be_asked_for_its_body_is_asked(house: House) -> None:
    client = await house.connect()
    await client.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\nexpect: 100-continue\r\n\r\n")
    assert await client.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    await client.send(b"abc")
    await client.until(b"okabc")


async def test_a_large_head_is_served(house: House) -> None:
    client = await house.connect()
    value = b"v" * (MAX_HEAD - 1000)
    sending = asyncio.create_task(client.send(GET[:-2] + b"x-large: " + value + b"\r\n\r\n"))
    await client.until(b"ok")
    await sending
    assert house.header(b"x-large") == value


async def test_a_head_without_end_is_refused(house: House) -> None:
    client = await house.connect()
    flood = GET[:-2] + b"x-large: " + b"v" * (MAX_HEAD + ONE_READ + 1000)
    sending = asyncio.create_task(client.send(flood))
    assert (await client.all()).startswith(b"HTTP/1.1 431 ")
    assert house.asked == []
    await asyncio.wait([sending])
    sending.exception()


@pytest.mark.parametrize(
    "request_",
    [
        b"not http\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\ncontent-length: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
        b"CONNECT example.com:443 HTTP/1.1\r\nhost: example.com\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x00\x05hello\r\n\r\n",
    ],
)
async def test_what_is_no_http1_request_is_refused(house: House, request_: bytes) -> None:
    client = await house.connect()
    await client.send(request_)
    assert (await client.all()).startswith(b"HTTP/1.1 400 ")
    assert house.asked == []


H2C = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n"


@pytest.mark.parametrize("fields", [H2C, b"connection: upgrade\r\nupgrade: TLS/1.0\r\n"])
@pytest.mark.parametrize("body", [b"", b"abc"])
@pytest.mark.parametrize("earlier", [0, 1])
async def test_an_upgrade_to_what_we_cannot_read_is_refused_once(
    house: House, fields: bytes, body: bytes, earlier: int
) -> None:
    client = await house.connect()
    for _ in range(earlier):
        await client.send(GET)
        await client.until(b"ok")
    length = b"content-length: %d\r\n" % len(body) if body else b""
    await client.send(
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n"
        + fields
        + length
        + b"\r\n"
        + body
        + b"PRI * HTTP/2.0"
    )
    said = await client.all()
    assert said.startswith(b"HTTP/1.1 400 ")
    assert said.count(b"HTTP/1.1") == 1
    assert len(house.asked) == earlier


async def test_a_websocket_is_handed_to_the_upgrade_handler(house: House) -> None:
    client = await house.connect()
    await client.send(UPGRADE)
    assert (await client.all()).startswith(b"HTTP/1.1 426 ")
    assert house.asked == []


class Taking:
    """Upgrades a connection to a protocol of its own, and ends it."""

    active = 0

    async def handle(self, request: ClientRequest, client: asyncio.Transport) -> None:
        del request
        client.set_protocol(asyncio.Protocol())
        client.write(b"taken")
        client.close()


async def test_an_upgraded_connection_keeps_nothing_once_it_has_ended(house: House) -> None:
    server = GatewayServer(house._app, Taking(), house.tasks)  # type: ignore[arg-type]
    protocols: WeakSet[GatewayProtocol] = WeakSet()

    def protocol() -> GatewayProtocol:
        protocols.add(made := server.protocol(CONNECTION))
        return made

    gc.disable()
    try:
        ours, theirs = socket.socketpair()
        await asyncio.get_running_loop().connect_accepted_socket(protocol, theirs)
        client = End(*await asyncio.open_connection(sock=ours))
        await client.send(UPGRADE)
        assert await client.all() == b"taken"
        client.close()
        await until(lambda: not protocols)
    finally:
        gc.enable()


async def test_an_exchange_hears_that_its_client_left(house: House) -> None:
    lost = asyncio.Event()

    async def wait(scope: Message, receive: Receive, send: Send) -> None:
        scope["state"]["link"].on_lost = lost.set
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await lost.wait()

    house.script = wait
    client = await house.connect()
    await client.send(GET)
    await client.until(b"\r\n\r\n")
    client.close()
    async with asyncio.timeout(5):
        await lost.wait()


async def test_an_answer_can_be_cut_so_that_the_client_notices(house: House) -> None:
    async def cut(scope: Message, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        scope["state"]["link"].abort()
        await asyncio.sleep(0)

    house.script = cut
    client = await house.connect()
    await client.send(GET)
    said = await client.all()
    assert b"transfer-encoding: chunked" in said
    assert not said.endswith(b"0\r\n\r\n")


async def test_an_answer_can_leave_in_one_piece(house: House) -> None:
    async def together(scope: Message, receive: Receive, send: Send) -> None:
        with scope["state"]["link"].in_one_piece():
            await answer(scope, receive, send)

    house.script = together
    client = await house.connect()
    await client.send(GET)
    assert (await client.read()).endswith(b"\r\n\r\nok")


def described() -> Connection:
    return Connection(id="b", tier=Tier.BASE_URL)


async def test_the_loopback_listener_describes_its_own_connections(house: House) -> None:
    port = await house.server.listen("127.0.0.1", 0, described)
    house.clients.append(End(*await asyncio.open_connection("127.0.0.1", port)))
    await house.clients[-1].send(GET)
    await house.clients[-1].until(b"ok")
    assert house.asked[0]["state"]["link"].connection.tier is Tier.BASE_URL
    assert house.asked[0]["server"] == ("127.0.0.1", port)


async def test_a_port_that_is_taken_is_a_clear_error(house: House) -> None:
    port = await house.server.listen("127.0.0.1", 0, described)
    (listener,) = house.server._listeners
    with pytest.raises(ConfigError, match="cannot listen") as caught:
        await house.server.listen("127.0.0.1", port, described)
    assert "--gateway-port" in caught.value.hint()
    listener.close()


async def test_a_socket_that_listens_already_is_served_and_tells_who_came(house: House) -> None:
    sock = socket.create_server(("127.0.0.1", 0))
    sock.setblocking(False)
    await house.server.serve(sock, described)
    reader, writer = await asyncio.open_connection("127.0.0.1", sock.getsockname()[1])
    house.clients.append(End(reader, writer))
    await house.clients[-1].send(GET)
    await house.clients[-1].until(b"ok")
    connection = house.asked[0]["state"]["link"].connection
    assert connection.client_address == writer.get_extra_info("sockname")
    house.server.close()


@pytest.mark.parametrize("lent", [False, True], ids=["bound", "lent"])
async def test_clients_that_come_all_at_once_have_a_place_while_we_are_busy(house: House, lent: bool) -> None:
    if lent:
        sock = socket.socket()
        sock.bind(("127.0.0.1", 0))
        sock.listen(BACKLOG)
        sock.setblocking(False)
        await house.server.serve(sock, lambda: CONNECTION)
        port = sock.getsockname()[1]
    else:
        port = await house.server.listen("127.0.0.1", 0, lambda: CONNECTION)
    clients = crowd(port, 300)
    try:
        clients[-1].sendall(GET)
        await until(lambda: len(house.asked) == 1)
    finally:
        leave(clients)
        house.server.close_listeners()


async def test_who_is_in_a_hurry_does_not_wait_for_what_runs(house: House) -> None:
    async def for_ever(scope: Message, receive: Receive, send: Send) -> None:
        await asyncio.Event().wait()

    house.script = for_ever
    busy = await house.connect()
    await busy.send(GET)
    await until(lambda: house.server.active == 1)
    hurry = asyncio.Event()
    hurry.set()
    async with asyncio.timeout(5):
        assert await house.server.drain(60, hurry=hurry) == 1


async def test_closing_ends_idle_connections_and_lets_busy_ones_finish(house: House) -> None:
    go_on = asyncio.Event()

    async def wait(scope: Message, receive: Receive, send: Send) -> None:
        await go_on.wait()
        await answer(scope, receive, send)

    idle, busy = await house.connect(), await house.connect()
    await idle.send(GET)
    await idle.until(b"ok")
    house.script = wait
    await busy.send(GET)
    await until(lambda: house.server.active == 1)
    house.server.close()
    assert await idle.all() == b""
    go_on.set()
    assert (await busy.all()).endswith(b"ok")
    assert await house.server.drain(1) == 0


async def test_what_takes_too_long_is_cut_when_the_server_is_drained(house: House) -> None:
    async def forever(scope: Message, receive: Receive, send: Send) -> None:
        await asyncio.sleep(3600)

    house.script = forever
    client = await house.connect()
    await client.send(GET)
    await until(lambda: house.server.active == 1)
    assert await house.server.drain(0.01) == 1
    assert house.server.active == 0
