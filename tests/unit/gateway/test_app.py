"""The application as clients meet it, over HTTP on loopback, down to a cut connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from agent.gateway.app import GatewayApp
from agent.gateway.local import LocalPages
from agent.gateway.server import GatewayServer
from agent.gateway.transport.base import FailureKind, TransportError
from agent.gateway.upgrade import UpgradeHandler
from agent.host.tasks import TaskGroup
from agent.inspection import RuleBook
from agent.model.app import Evidence
from agent.model.record import Outcome
from agent.model.traffic import Connection, Process, Tier
from tests.fakes.loopback import End, until
from tests.fakes.rulebooks import BOMB
from tests.fakes.streams import ChatText
from tests.fakes.upstream import SSE
from tests.unit.gateway.conftest import Gateway


class Identities:
    """Implements `Identities`: whoever asks is curl."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    async def identified(self, connection: Connection, server: tuple[str, int]) -> Connection:
        self.asked.append(server)
        process = Process(pid=7, name="curl")
        return replace(connection, process=process, app="curl", evidence=Evidence.PROCESS)

    def latest(self, connection: Connection) -> Connection:
        return connection


class House:
    """The gateway behind its loopback listener."""

    def __init__(self, rules: RuleBook) -> None:
        self.identities = Identities()
        self.gateway = Gateway(rules, identities=self.identities)
        self.tasks = TaskGroup("test")
        pages = LocalPages("token-1", lambda: {"running": True})
        upgrades = UpgradeHandler(
            self.gateway.policy, self.gateway.transport, self.gateway.audit, self.gateway.asking
        )
        app = GatewayApp(self.gateway.handler, pages, asking=self.gateway.asking)
        self.server = GatewayServer(app, upgrades, self.tasks)
        self.clients: list[End] = []
        self.port = 0

    async def send(self, method: str, path: str, *fields: str, body: bytes = b"", host: str = "") -> End:
        self.clients.append(End(*await asyncio.open_connection("127.0.0.1", self.port)))
        lines = [f"{method} {path} HTTP/1.1", f"host: {host or f'127.0.0.1:{self.port}'}", *fields]
        lines += [f"content-length: {len(body)}", "connection: close", "", ""]
        await self.clients[-1].send("\r\n".join(lines).encode() + body)
        return self.clients[-1]

    async def chat(self, text: str) -> End:
        body = json.dumps(
            {"model": "m", "stream": True, "messages": [{"role": "user", "content": text}]}
        ).encode()
        return await self.send("POST", "/openai/v1/chat/completions", body=body)


@pytest.fixture
async def house(rules: RuleBook) -> AsyncIterator[House]:
    made = House(rules)
    made.port = await made.server.listen("127.0.0.1", 0, lambda: Connection(id="b", tier=Tier.BASE_URL))
    yield made
    made.server.close()
    for client in made.clients:
        client.close()
    await made.server.drain(0)
    await made.tasks.cancel()
    made.gateway.scans.close()
    await asyncio.sleep(0.01)


async def test_a_stream_comes_through(house: House) -> None:
    house.gateway.answers(*ChatText().events(["hello ", "there"]), headers=SSE)
    said = await (await house.chat("hi")).all()
    assert said.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b'"hello "' in said
    assert said.endswith(b"0\r\n\r\n")
    assert house.gateway.event.connection.tier is Tier.BASE_URL


async def test_path_and_query_travel_as_they_were_sent(house: House) -> None:
    house.gateway.answers(b"ok")
    await (await house.send("GET", "/openai/v1/%66iles//x?a=%20b&c")).all()
    (asked,) = house.gateway.transport.asked
    assert asked.request.target == b"/v1/%66iles//x?a=%20b&c"


async def test_a_block_comes_through_as_a_whole_answer(house: House) -> None:
    said = await (await house.chat(BOMB)).all()
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["error"]["code"] == "content_policy_violation"
    assert b"x-drawbridge-ref: " in head


async def test_a_broken_stream_is_cut_and_nobody_takes_it_for_whole(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    cut = TransportError(FailureKind.CLOSED, "gone", sent=True)
    house.gateway.answers(ChatText().piece("x" * 40), ChatText().piece("y" * 40), cut, headers=SSE)
    said = await (await house.chat("hi")).all()
    assert said.startswith(b"HTTP/1.1 200 OK\r\n")
    assert not said.endswith(b"0\r\n\r\n")
    assert house.gateway.event.outcome is Outcome.UPSTREAM_FAILED
    assert not [record for record in caplog.records if record.name.startswith("uvicorn")]


async def test_a_client_that_leaves_ends_its_exchange(house: House) -> None:
    response = house.gateway.answers(
        ChatText().piece("xxx " * 10), ChatText().piece("yyy " * 10), asyncio.Event(), headers=SSE
    )
    client = await house.chat("hi")
    await client.until(b"xxx")
    client.close()
    await until(lambda: bool(house.gateway.audit.events))
    assert response.closed
    assert house.gateway.event.outcome is Outcome.CLIENT_CLOSED


async def test_a_name_that_was_bound_to_us_reaches_nothing(house: House) -> None:
    said = await (await house.send("GET", "/openai/v1/models", host=f"rebound.evil.tld:{house.port}")).all()
    assert said.startswith(b"HTTP/1.1 403 ")
    assert house.gateway.transport.asked == []


async def test_a_web_page_reaches_nothing(house: House) -> None:
    said = await (await house.send("POST", "/openai/v1/chat/completions", "origin: https://evil.tld")).all()
    assert said.startswith(b"HTTP/1.1 403 ")
    assert house.gateway.transport.asked == []


async def test_the_status_needs_the_token(house: House) -> None:
    refused = await (await house.send("GET", "/-/status")).all()
    assert refused.startswith(b"HTTP/1.1 401 ")
    served = await (await house.send("GET", "/-/status", "authorization: Bearer token-1")).all()
    assert served.endswith(b'{"running":true}')
    assert house.gateway.audit.events == []


async def test_a_client_is_asked_about_once_for_all_requests_of_its_connection(house: House) -> None:
    house.gateway.answers(b"one")
    house.gateway.answers(b"two")
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    client = End(reader, writer)
    house.clients.append(client)
    head = f"GET /openai/v1/files HTTP/1.1\r\nhost: 127.0.0.1:{house.port}\r\n\r\n".encode()
    for answer in (b"one", b"two"):
        await client.send(head)
        await client.until(answer)
    assert house.identities.asked == [("127.0.0.1", house.port)]
    connections = [event.connection for event in house.gateway.audit.events]
    assert [each.app for each in connections] == ["curl", "curl"]


async def test_our_own_pages_are_for_everybody_who_knows_the_token(house: House) -> None:
    await (await house.send("GET", "/-/status", "authorization: Bearer token-1")).all()
    assert house.identities.asked == []
