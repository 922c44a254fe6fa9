"""On which way a judged request leaves, and whose key it carries there."""

from __future__ import annotations

import json

import orjson
import pytest

from agent.model.record import Outcome
from agent.model.traffic import Tier
from tests.fakes.upstream import FakeResponse
from tests.unit.gateway.conftest import POST_JSON, Gateway, policy

ANSWER = b'{"id":"c","model":"m-2","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":11}}'
CENTRAL = """
upstream:
  route: central
  central: {base_url: 'https://hub.example/gw', virtual_key: 'env:HUB_KEY', header: x-bf-vk}
"""
PROVIDER = "providers: {openai: {key: 'env:OPENAI_KEY'}}"
KEYS = (
    (b"authorization", b"Bearer users-own"),
    (b"x-api-key", b"users-own"),
    (b"cookie", b"session=users-own"),
)


def chat(text: str) -> bytes:
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": text}]}).encode()


@policy(CENTRAL)
async def test_the_central_gateway_gets_its_key_and_none_of_the_users(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.answers(ANSWER)
    await gateway.ask(chat("hi"), headers=(*POST_JSON, *KEYS, (b"x-bf-vk", b"forged")))
    (asked,) = gateway.transport.asked
    assert (asked.target.host, asked.header(b"host")) == ("hub.example", b"hub.example")
    assert asked.request.target == b"/gw/openai/v1/chat/completions"
    assert b"users-own" not in repr(asked.request.headers).encode()
    assert asked.header(b"x-bf-vk") == b"hub-secret"
    assert gateway.event.upstream == "central"
    assert "secret" not in repr(gateway.audit.events) + caplog.text


@policy(CENTRAL)
async def test_what_the_central_gateway_cannot_serve_is_refused_in_its_dialect(gateway: Gateway) -> None:
    client = await gateway.ask(chat("hi"), host="api.groq.com")
    assert client.status == 403
    assert "central gateway" in orjson.loads(client.body)["error"]["message"]
    assert gateway.transport.asked == []
    assert (gateway.event.surface, gateway.event.upstream) == ("groq", "")


@policy(PROVIDER)
async def test_a_providers_key_of_the_policy_replaces_the_users(gateway: Gateway) -> None:
    gateway.answers(ANSWER)
    await gateway.ask(
        chat("hi"), path="/openai/v1/chat/completions", tier=Tier.BASE_URL, headers=(*POST_JSON, *KEYS)
    )
    (asked,) = gateway.transport.asked
    assert asked.header(b"authorization") == b"Bearer open-secret"
    assert b"users-own" not in repr(asked.request.headers).encode()
    assert (asked.request.target, asked.header(b"host")) == (b"/v1/chat/completions", b"api.openai.com")
    assert gateway.event.upstream == "provider"


@policy(PROVIDER)
async def test_a_key_is_kept_until_the_provider_refuses_it(gateway: Gateway) -> None:
    async def key_sent() -> bytes | None:
        await gateway.ask(chat("hi"), path="/openai/v1/chat/completions", tier=Tier.BASE_URL)
        return gateway.transport.asked[-1].header(b"authorization")

    gateway.transport.answers += [FakeResponse(b"{}"), FakeResponse(b"{}", status=401), FakeResponse(b"{}")]
    assert await key_sent() == b"Bearer open-secret"
    gateway.secrets["env:OPENAI_KEY"] = "new"
    assert await key_sent() == b"Bearer open-secret"
    assert await key_sent() == b"Bearer new"


async def test_without_a_key_of_the_policys_the_users_own_travels(gateway: Gateway) -> None:
    gateway.answers(ANSWER)
    await gateway.ask(chat("hi"), headers=(*POST_JSON, *KEYS))
    assert gateway.transport.asked[0].header(b"authorization") == b"Bearer users-own"
    assert "users-own" not in repr(gateway.event)


@policy(PROVIDER)
async def test_a_key_that_is_not_there_is_an_error_and_nothing_is_forwarded(gateway: Gateway) -> None:
    gateway.secrets.clear()
    client = await gateway.ask(chat("hi"), path="/openai/v1/chat/completions", tier=Tier.BASE_URL)
    assert client.status == 502
    assert b"a secret reference leads nowhere" not in client.body  # that is for the administrator
    assert gateway.transport.asked == []
    assert gateway.event.outcome is Outcome.UPSTREAM_FAILED
    assert [each.failure for each in gateway.event.served.attempts] == ["secret_unavailable"]
