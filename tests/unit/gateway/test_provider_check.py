"""What one tiny request tells of a provider, and how to mend it."""

from __future__ import annotations

import time

import pytest

from agent.catalog import bundled_providers
from agent.credentials import Credentials
from agent.gateway.provider_check import Checked, ProviderCheck
from agent.gateway.small_requests import SmallRequests
from agent.policy import load
from agent.routing.configured import configured
from tests.fakes.credentials import Hand, Secrets, TokenService
from tests.fakes.upstream import FakeResponse, FakeTransport

ROWS = {row.id: row for row in bundled_providers()}


def upstream(*answers: tuple[int, bytes]) -> FakeTransport:
    return FakeTransport(*(FakeResponse(body, status=status) for status, body in answers))


async def check(settings: str, transport: FakeTransport, model: str = "") -> tuple[Checked, ...]:
    policy = load(f"schema_version: 1\nid: p\nproviders: {{p: {settings}}}", source="p")
    requests = SmallRequests(transport)
    secrets = Secrets({"env:A": "first", "env:B": "second"})
    credentials = Credentials(secrets, TokenService(), clock=Hand(), now=time.time, environ={})
    made = ProviderCheck(requests, credentials, clock=Hand())
    return await made.check(configured(policy.providers, ROWS)["p"], model)


@pytest.mark.parametrize(
    ("status", "problem", "hint"),
    [
        (401, "the key was refused", "Check env:A"),
        (402, "no credit", "Top it up"),
        (404, "no such model or path: what it says", "--model"),
        (429, "too many requests", "The key works"),
        (302, "redirects", "base_url"),
        (503, "the provider failed: what it says", "Try again"),
        (400, "the request was refused: what it says", "Check env:A"),
    ],
)
async def test_each_failure_says_how_to_mend_it(status: int, problem: str, hint: str) -> None:
    transport = upstream((status, b'{"error": {"message": "what it says"}}'))
    (checked,) = await check("{uses: openai, key: 'env:A'}", transport)
    assert problem in checked.problem
    assert hint in checked.hint
    assert (checked.status, checked.ok) == (status, False)


async def test_every_key_is_tried() -> None:
    keys = "keys: [{name: a, key: 'env:A'}, {name: b, key: 'env:B'}, {name: c, key: 'env:C'}]"
    transport = upstream((200, b"{}"), (200, b"{}"))
    found = await check(f"{{uses: openai, {keys}}}", transport)
    assert [(each.key, each.ok) for each in found] == [("a", True), ("b", True), ("c", False)]
    assert {asked.header(b"authorization") for asked in transport.asked} == {
        b"Bearer first",
        b"Bearer second",
    }


async def test_a_provider_is_asked_which_models_it_has_where_nobody_says() -> None:
    transport = upstream((200, b'{"data": [{"id": "qwen3"}]}'), (200, b"{}"))
    (checked,) = await check("{uses: ollama}", transport)
    assert (checked.model, checked.ok) == ("qwen3", True)
    assert [asked.request.target for asked in transport.asked] == [b"/v1/models", b"/v1/chat/completions"]


async def test_where_no_model_is_found_one_must_be_named() -> None:
    (checked,) = await check("{uses: ollama}", upstream((200, b"{}")))
    assert "is not known" in checked.problem
    assert "--model" in checked.hint
