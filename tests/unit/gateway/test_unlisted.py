"""Models asked at paths that the catalog does not list: told by path and body, reported once, bound as policy says."""

from __future__ import annotations

import gzip
import json

import pytest

from agent.gateway.unlisted import REMEMBERED
from agent.model.decision import Action
from agent.model.record import IncidentKind, Outcome
from agent.model.traffic import Tier
from tests.fakes.rulebooks import BOMB, TOY, rule_book, toy_policy
from tests.unit.gateway.conftest import POST_JSON, Gateway

HOST = "openrouter.ai"
PATH = "/api/v2/chat/completions"
ROWS = """
catalog:
  - id: page
    name: Page
    provider: page
    hosts: [page.example.com]
    endpoints: [{path: /ask, dialect: openai-chat}]
    never: [/quiet/**]
"""
CENTRAL = """
upstream:
  route: central
  central: {base_url: 'https://hub.example/gw', virtual_key: 'env:HUB_KEY', header: x-bf-vk}
"""
MANY = """
catalog: [{id: many, name: M, provider: m, hosts: ['*.many.example.com']}]
unknown_surface: report
"""


def chat(text: str) -> bytes:
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": text}]}).encode()


def made(more: str = "") -> Gateway:
    return Gateway(rule_book(toy_policy(more)))


@pytest.fixture(autouse=True, scope="module")
def _compiled() -> None:
    """Reads files: not in a loop."""
    block = "unknown_surface: block"
    for more in (
        "",
        "unknown_surface: report",
        block,
        block + "\nmode: observe",
        ROWS + block,
        MANY,
        CENTRAL,
    ):
        rule_book(toy_policy(more))


async def test_by_default_it_is_judged_like_any_other_and_reported_once() -> None:
    gateway = made()
    for _ in range(2):
        gateway.answers(b"{}")
        await gateway.ask(chat(f"use {TOY}"), host=HOST, path=PATH)
    assert all(TOY.encode() not in asked.body for asked in gateway.transport.asked)
    (incident,) = gateway.audit.incidents
    assert incident.kind is IncidentKind.UNKNOWN_SURFACE
    assert dict(incident.detail) == {
        "host": HOST,
        "path": PATH,
        "dialect": "openai-chat",
        "surface": "openrouter",
        "app": "",
        "action": "inspect",
    }
    assert TOY not in incident.message


async def test_a_block_there_is_in_the_words_of_its_dialect() -> None:
    gateway = made()
    client = await gateway.ask(chat(BOMB), host=HOST, path=PATH)
    assert client.status == 400
    assert "error" in json.loads(client.body)
    assert gateway.transport.asked == []
    assert (gateway.event.dialect, gateway.event.model) == ("openai-chat", "m")


async def test_a_policy_may_only_want_to_know() -> None:
    gateway = made("unknown_surface: report")
    gateway.answers(b"{}")
    body = chat(f"use {TOY}")
    await gateway.ask(
        body, host=HOST, path=PATH, headers=(*POST_JSON, (b"content-length", b"%d" % len(body)))
    )
    (asked,) = gateway.transport.asked
    assert asked.body == body
    assert asked.request.content_length == len(body)
    assert gateway.event.dialect == ""
    assert [incident.kind for incident in gateway.audit.incidents] == [IncidentKind.UNKNOWN_SURFACE]


async def test_a_policy_may_refuse_it() -> None:
    gateway = made("unknown_surface: block")
    client = await gateway.ask(chat("hi"), host=HOST, path=PATH)
    assert client.status == 400
    assert gateway.transport.asked == []
    assert gateway.event.outcome is Outcome.BLOCKED
    assert gateway.event.decision.rule_ids == ("unknown_surface",)


async def test_in_observe_mode_what_would_be_refused_is_judged_and_passes() -> None:
    gateway = made("unknown_surface: block\nmode: observe")
    gateway.answers(b"{}")
    client = await gateway.ask(chat("hi"), host=HOST, path=PATH)
    assert client.status == 200
    assert gateway.event.decision.action is Action.BLOCK
    assert not gateway.event.decision.applied


async def test_a_path_that_is_never_looked_at_is_not() -> None:
    gateway = made(ROWS + "unknown_surface: block")
    gateway.answers(b"{}")
    body = chat(BOMB)
    fields = (*POST_JSON, (b"content-length", b"%d" % len(body)))
    client = await gateway.ask(body, host="page.example.com", path="/quiet/chat/completions", headers=fields)
    assert client.status == 200
    assert gateway.transport.asked[0].body == body
    assert gateway.audit.incidents == []
    client = await gateway.ask(body, host="page.example.com", path="/loud/chat/completions", headers=fields)
    assert client.status == 400


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/survey/responses", b'{"input": "BOMB-4321"}'),
        (PATH, b"BOMB-4321"),
        (PATH, b'{"messages": "BOMB-4321"}'),
        ("/other", chat(BOMB)),
    ],
)
async def test_what_only_resembles_one_passes_as_it_came(path: str, body: bytes) -> None:
    gateway = made("unknown_surface: block")
    gateway.answers(b"fine")
    fields = (*POST_JSON, (b"content-length", b"%d" % len(body)))
    client = await gateway.ask(body, host=HOST, path=path, headers=fields)
    assert (client.status, client.body) == (200, b"fine")
    assert gateway.transport.asked[0].body == body
    assert gateway.audit.incidents == []


async def test_a_packed_body_is_recognised_and_one_that_cannot_be_unpacked_passes() -> None:
    gateway = made()
    packed = gzip.compress(chat(BOMB))
    fields = (*POST_JSON, (b"content-encoding", b"gzip"), (b"content-length", b"%d" % len(packed)))
    client = await gateway.ask(packed, host=HOST, path=PATH, headers=fields)
    assert client.status == 400
    gateway.answers(b"fine")
    client = await gateway.ask(b"no gzip", host=HOST, path=PATH, headers=fields)
    assert client.body == b"fine"


async def test_a_base_urls_client_is_recognised_too() -> None:
    gateway = made()
    client = await gateway.ask(chat(BOMB), path="/anthropic/other/chat/completions", tier=Tier.BASE_URL)
    assert client.status == 400
    assert gateway.audit.incidents[0].kind is IncidentKind.UNKNOWN_SURFACE


async def test_what_is_too_large_to_be_read_passes_where_policy_only_wants_to_know() -> None:
    body = chat("x" * Gateway.max_body)
    fields = (*POST_JSON, (b"content-length", b"%d" % len(body)))
    gateway = made("unknown_surface: report")
    gateway.answers(b"fine")
    assert (await gateway.ask(body, host=HOST, path=PATH, headers=fields)).body == b"fine"
    gateway = made()
    assert (await gateway.ask(body, host=HOST, path=PATH, headers=fields)).status == 413


async def test_the_memory_of_what_was_said_is_bounded() -> None:
    gateway = made(MANY)
    for number in (*range(REMEMBERED + 1), 0, REMEMBERED):
        gateway.answers(b"{}")
        await gateway.ask(chat("hi"), host=f"h{number}.many.example.com", path=PATH)
    said = [dict(incident.detail)["host"] for incident in gateway.audit.incidents]
    assert said.count("h0.many.example.com") == 2  # forgotten, and said again
    assert said.count(f"h{REMEMBERED}.many.example.com") == 1


async def test_under_a_central_gateway_it_goes_that_way_or_nowhere() -> None:
    gateway = made(CENTRAL)
    gateway.answers(b"{}")
    await gateway.ask(chat("hi"), host="api.anthropic.com", path="/v2/chat/completions")
    assert gateway.transport.asked[0].target.host == "hub.example"
    client = await gateway.ask(chat("hi"), host=HOST, path=PATH)
    assert client.status == 403
    assert b"no route for OpenRouter" in client.body


@pytest.mark.parametrize(
    ("host", "path", "status"),
    [
        ("chatgpt.com", "/backend-api/codex/responses", 400),  # Codex would ask for a new login
        (HOST, "/api/v1/chat/completions", 403),
    ],
)
async def test_a_refusal_is_told_with_a_status_that_clients_take_for_what_it_is(
    host: str, path: str, status: int
) -> None:
    client = await made(CENTRAL).ask(chat("hi"), host=host, path=path)
    assert client.status == status
    assert b"no route for" in client.body
