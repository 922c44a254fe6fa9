"""WebSockets: refused where models are asked in a form that nobody can read there, so that clients fall back to HTTPS;
carried as they are elsewhere. Those that are inspected: test_sockets.py."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.fakes.provider import Provider
from tests.integration.agent_process import AgentProcess
from tests.integration.line import Line
from tests.integration.stage import RAW, Dial, Stage, dialling

UPGRADE = (
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="),
    ("Sec-WebSocket-Protocol", "realtime"),
    ("Authorization", "Bearer user-key"),
)


async def reflecting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Agrees to the upgrade, then sends back whatever comes."""
    head = await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    return head


def switched(line: Line, path: str) -> None:
    """Upgrade, and read the answer's head."""
    line.request("GET", path, fields=UPGRADE)
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = line.sock.recv(1)
        assert byte, head
        head += byte
    assert head.startswith(b"HTTP/1.1 101 "), head


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("api.openai.com", "/v1/chat/completions"),
        ("api.openai.com", "/v1/chat/completions?model=gpt-5"),
        ("api.openai.com", "/v1/chat/%63ompletions"),
        ("chatgpt.com", "/backend-api/codex/responses/compact"),
    ],
)
def test_a_websocket_where_models_are_asked_is_refused_at_once(
    host: str, path: str, dial: Dial, agent: AgentProcess, provider: Provider
) -> None:
    known = len(agent.trail.events(kind="upgrade_refused"))
    line = dial(host)
    line.request("GET", path, fields=UPGRADE)
    answer = line.answer("GET")
    assert (answer.status, answer.whole) == (426, True)
    assert line.ended()
    assert provider.requests == ()
    assert agent.wait_for_events("upgrade_refused", known + 1)[0].host == host


PAGES = """\
schema_version: 1
id: pages
catalog:
  - {id: pages, name: Web pages, provider: pages, hosts: [api.mistral.ai, api.x.ai], websockets: true}
"""


@pytest.fixture(scope="module")
def pages_agent(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentProcess]:
    """An agent for whom two of the hosts serve web pages, which need WebSockets."""
    with stage.agent(tmp_path_factory.mktemp("pages"), policy=PAGES) as agent:
        yield agent


@pytest.fixture
def page(pages_agent: AgentProcess) -> Iterator[Dial]:
    """Opens lines to that agent."""
    with dialling(pages_agent) as dial:
        yield dial


def test_a_websocket_of_an_api_is_refused_on_every_path(dial: Dial) -> None:
    line = dial(RAW)
    line.request("GET", "/v1/realtime", fields=UPGRADE)
    assert line.answer("GET").status == 426


def test_a_websocket_of_a_page_is_carried_as_it_is(page: Dial, stage: Stage) -> None:
    stage.switch.script = reflecting
    line = page(RAW)
    switched(line, "/v1/notifications?x=%20y")
    for message in (b"\x81\x05hello", bytes(range(256)) * 2000):
        line.send(message)
        back = b""
        while len(back) < len(message):
            piece = line.sock.recv(65_536)
            assert piece
            back += piece
        assert back == message
    before = len(stage.raw.requests)
    line.close()
    head = stage.raw.wait_for_requests(before + 1)[-1]
    assert head.startswith(b"GET /v1/notifications?x=%20y HTTP/1.1\r\n")
    for name, value in UPGRADE[2:]:
        assert f"{name}: {value}".lower().encode() in head.lower()


def test_a_websocket_that_the_provider_ends_is_ended(page: Dial, stage: Stage) -> None:
    async def brief(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\nbye")
        return head

    stage.switch.script = brief
    line = page(RAW)
    switched(line, "/v1/notifications")
    assert line.sock.recv(99) == b"bye"
    assert line.ended()


def test_a_websocket_for_another_host_is_misdirected(
    dial: Dial, provider: Provider, agent: AgentProcess
) -> None:
    known = len(agent.trail.events(kind="misdirected"))
    line = dial("api.openai.com")
    line.request("GET", "/v1/notifications", host="intranet.example", fields=UPGRADE)
    assert line.answer("GET").status == 421
    assert provider.requests == ()
    agent.wait_for_events("misdirected", known + 1)


def test_a_websocket_to_a_provider_that_is_down_is_a_502(page: Dial) -> None:
    line = page("api.x.ai")
    line.request("GET", "/v1/notifications", fields=UPGRADE)
    assert line.answer("GET").status == 502


def test_a_websocket_at_a_base_url_is_refused_by_the_same_rule(
    agent: AgentProcess, dial: Dial, provider: Provider
) -> None:
    line = dial.gateway()
    line.request("GET", "/openai/v1/chat/completions", fields=UPGRADE)
    assert line.answer("GET").status == 426
    assert provider.requests == ()


def test_a_websocket_from_a_web_page_to_the_gateway_is_refused(dial: Dial, stage: Stage) -> None:
    before = stage.raw.requests
    for fields in ((("Origin", "https://evil.example"),), ()):
        line = dial.gateway()
        host = "evil.example" if not fields else None
        line.request("GET", "/openai/v1/notifications", host=host, fields=(*UPGRADE, *fields))
        assert line.answer("GET").status == 403
    assert stage.raw.requests == before
