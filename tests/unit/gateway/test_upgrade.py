"""WebSockets: refused where models are asked, piped elsewhere."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.accounts.accounts import Accounts
from agent.accounts.local import LocalStore
from agent.gateway.asking import Asking
from agent.gateway.transport.base import FailureKind, Headers, TransportError
from agent.gateway.upgrade import UpgradeHandler
from agent.gateway.wire import ClientRequest
from agent.inspection import RuleBook
from agent.model.record import IncidentKind
from agent.model.traffic import Connection, Target, Tier
from tests.fakes.audit import FakeAudit
from tests.fakes.loopback import End, until
from tests.fakes.upstream import FakeTransport, FakeTunnel
from tests.unit.gateway.conftest import InForce, policy

UPGRADE: Headers = (
    (b"connection", b"Upgrade"),
    (b"upgrade", b"websocket"),
    (b"sec-websocket-key", b"x3JJHMbDL1EzLkh9GBhXDw=="),
    (b"origin", b"https://chatgpt.com"),
    (b"proxy-authorization", b"hop"),
)
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n"


class House:
    """An upgrade handler with a client at the other end of a TCP connection."""

    def __init__(self, rules: RuleBook) -> None:
        self.transport, self.audit = FakeTransport(), FakeAudit()
        accounts = Accounts(None, store=LocalStore(Path("never-opened.db")))
        self.handler = UpgradeHandler(
            InForce(rules),
            self.transport,
            self.audit,
            Asking(accounts),
        )

    async def open(self) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", self.port))
        served, _ = listener.accept()
        listener.close()
        self.client = End(*await asyncio.open_connection(sock=client))
        loop = asyncio.get_running_loop()
        self.served, _ = await loop.connect_accepted_socket(asyncio.Protocol, served)

    def upgrade(
        self,
        path: str,
        *,
        host: str = "chatgpt.com",
        made_for: str = "",
        tier: Tier = Tier.RELAY,
        fields: Headers = UPGRADE,
    ) -> asyncio.Task[None]:
        name = (made_for or host) if tier is Tier.RELAY else ""
        connection = Connection(id="c", tier=tier, connect_host=name, connect_port=443, sni=name)
        request = ClientRequest(
            connection=connection,
            method="GET",
            target=path.encode(),
            headers=((b"host", host.encode()), *fields),
        )
        return asyncio.create_task(self.handler.handle(request, self.served))


@pytest.fixture
async def house(rules: RuleBook) -> AsyncIterator[House]:
    made = House(rules)
    await made.open()
    yield made
    made.client.close()
    made.served.abort()
    await asyncio.sleep(0.01)


async def test_on_an_inference_path_the_client_is_told_to_use_https_and_it_is_noted(house: House) -> None:
    await house.upgrade("/backend-api/codex/responses?x=1")
    assert (await house.client.all()).startswith(b"HTTP/1.1 426 Upgrade Required\r\n")
    (incident,) = house.audit.incidents
    assert incident.kind is IncidentKind.UPGRADE_REFUSED
    assert dict(incident.detail) == {"host": "chatgpt.com", "path": "/backend-api/codex/responses"}
    assert house.transport.connected == []


async def test_it_is_refused_even_if_that_cannot_be_noted(house: House) -> None:
    house.audit.broken = True
    await house.upgrade("/backend-api/codex/responses")
    assert (await house.client.all()).startswith(b"HTTP/1.1 426 ")


async def test_another_spelling_of_an_inference_path_is_that_path(house: House) -> None:
    await house.upgrade("/backend-api//codex/%72esponses/")
    assert (await house.client.all()).startswith(b"HTTP/1.1 426 ")


async def test_elsewhere_the_bytes_are_piped_both_ways(house: House) -> None:
    tunnel = FakeTunnel(SWITCHED, b"\x81\x02hi")
    house.transport.tunnels.append(tunnel)
    piping = house.upgrade("/ws/events?token=1")
    assert await house.client.exactly(len(SWITCHED) + 4) == SWITCHED + b"\x81\x02hi"
    await house.client.send(b"\x81\x03out")
    await until(lambda: tunnel.said.endswith(b"\x81\x03out"))
    head = tunnel.said.removesuffix(b"\x81\x03out")
    assert head.startswith(b"GET /ws/events?token=1 HTTP/1.1\r\nhost: chatgpt.com\r\n")
    assert b"\r\nsec-websocket-key: x3JJHMbDL1EzLkh9GBhXDw==\r\n" in head
    assert b"\r\norigin: https://chatgpt.com\r\n" in head
    assert head.endswith(b"\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n")
    assert b"proxy-authorization" not in head
    assert house.transport.connected == [Target(host="chatgpt.com")]
    house.client.close()
    await piping
    assert tunnel.closed


async def test_when_the_provider_ends_so_does_the_client(house: House) -> None:
    tunnel = FakeTunnel(SWITCHED, b"")
    house.transport.tunnels.append(tunnel)
    await house.upgrade("/ws/events")
    assert await house.client.all() == SWITCHED
    assert tunnel.closed


async def test_a_provider_that_cannot_be_reached_is_a_clear_answer(house: House) -> None:
    house.transport.tunnels.append(TransportError(FailureKind.DNS, "no such host", sent=False))
    await house.upgrade("/ws/events")
    said = await house.client.all()
    assert said.startswith(b"HTTP/1.1 502 ")
    assert said.endswith(b"no such host")


async def test_a_client_that_has_left_is_not_piped(house: House) -> None:
    house.served.abort()
    await house.upgrade("/ws/events")
    assert house.transport.connected == []


async def test_an_upgrade_for_another_host_is_misdirected_and_noted(house: House) -> None:
    await house.upgrade("/ws", host="chatgpt.com", made_for="api.openai.com")
    assert (await house.client.all()).startswith(b"HTTP/1.1 421 ")
    assert [incident.kind for incident in house.audit.incidents] == [IncidentKind.MISDIRECTED]


@policy("access: [{id: no-ws, paths: ['/ws*'], action: block, message: 'Not {rule}'}]")
async def test_an_access_rule_holds_for_websockets_too(house: House) -> None:
    await house.upgrade("/ws/events")
    said = await house.client.all()
    assert said.startswith(b"HTTP/1.1 403 ")
    assert said.endswith(b"Not no-ws")
    assert house.transport.connected == []


@pytest.mark.parametrize(
    ("host", "fields"), [("127.0.0.1:{port}", UPGRADE), ("rebound.evil.tld:{port}", UPGRADE[:3])]
)
async def test_a_web_page_gets_no_websocket_through_the_base_url(
    house: House, host: str, fields: Headers
) -> None:
    await house.upgrade(
        "/openai/v1/realtime", host=host.format(port=house.port), tier=Tier.BASE_URL, fields=fields
    )
    assert (await house.client.all()).startswith(b"HTTP/1.1 403 ")
    assert house.transport.connected == []


async def test_a_service_that_no_web_page_uses_has_its_websockets_refused_on_every_path(house: House) -> None:
    await house.upgrade("/v1/realtime", host="api.openai.com")
    assert (await house.client.all()).startswith(b"HTTP/1.1 426 ")
    await house.upgrade(
        "/openai/v1/ws", host=f"127.0.0.1:{house.port}", tier=Tier.BASE_URL, fields=UPGRADE[:3]
    )
    assert house.transport.connected == []


@policy("apps: {default: denied, scope: host}")
async def test_a_denied_program_opens_no_websocket(house: House) -> None:
    await house.upgrade("/ws/events")
    assert (await house.client.all()).startswith(b"HTTP/1.1 403 ")
    assert house.transport.connected == []
    (incident,) = house.audit.incidents
    assert ("rule", "apps.default") in incident.detail


@policy("apps: {default: denied}")
async def test_where_no_model_is_asked_its_websockets_go_on(house: House) -> None:
    house.transport.tunnels.append(FakeTunnel(SWITCHED, b""))
    await house.upgrade("/ws/events")
    assert await house.client.all() == SWITCHED


@policy("tenants: {chatgpt-workspaces: {allow: [01234567-89ab-cdef-0123-456789abcdef]}}")
async def test_a_tenant_header_is_set_on_upgrades_too(house: House) -> None:
    tunnel = FakeTunnel(SWITCHED, b"")
    house.transport.tunnels.append(tunnel)
    await house.upgrade("/ws/events", fields=(*UPGRADE, (b"chatgpt-allowed-workspace-id", b"theirs")))
    lines = tunnel.said.split(b"\r\n")
    ours = [each for each in lines if each.lower().startswith(b"chatgpt-allowed-workspace-id:")]
    assert ours == [b"chatgpt-allowed-workspace-id: 01234567-89ab-cdef-0123-456789abcdef"]
