"""A request on the one way its route names."""

from __future__ import annotations

import pytest

from agent.errors import ConfigError
from agent.gateway.direct import Direct
from agent.gateway.routing import Refused, Route, route_base_url
from agent.inspection import RuleBook
from agent.policy import load
from tests.fakes.upstream import FakeResponse, FakeTransport

POLICY = """
schema_version: 1
id: test
providers:
  anthropic: {key: "env:A_KEY", base_url: "http://127.0.0.1:8080/base"}
"""
OWN = [(b"x-api-key", b"the user's own"), (b"content-type", b"application/json")]


@pytest.fixture
def route() -> Route:
    """The way to the provider of the policy above; the policy is read here, not in the loop."""
    found = route_base_url(RuleBook(load(POLICY, source="test")), b"/anthropic/v1/messages?beta=true")
    assert isinstance(found, Route)
    return found


async def test_the_policys_key_takes_the_place_of_the_users(route: Route) -> None:
    transport = FakeTransport(FakeResponse(b"{}"))
    await Direct(transport, lambda _: "secret").send("POST", route, OWN, b"{}", length=2)
    [asked] = transport.asked
    assert asked.header(b"x-api-key") == b"secret"
    assert asked.header(b"content-type") == b"application/json"
    assert asked.header(b"host") == b"127.0.0.1:8080"
    assert asked.request.target == b"/base/v1/messages?beta=true"


async def test_a_key_that_cannot_be_read_refuses_the_exchange_and_says_how_to_mend_it(route: Route) -> None:
    def missing(_: str) -> str:
        raise ConfigError("the variable A_KEY is not set", hint="set it")

    with pytest.raises(Refused, match="A_KEY is not set set it") as refused:
        await Direct(FakeTransport(), missing).send("POST", route, OWN, b"{}", length=2)
    assert refused.value.status == 500


async def test_a_key_is_kept_until_the_provider_refuses_it(route: Route) -> None:
    answers = (FakeResponse(b"{}"), FakeResponse(b"{}", status=401), FakeResponse(b"{}"))
    transport, keys = FakeTransport(*answers), iter((b"old", b"new"))
    direct = Direct(transport, lambda _: next(keys).decode())
    for _ in answers:
        await direct.send("POST", route, OWN, b"{}", length=2)
    assert [asked.header(b"x-api-key") for asked in transport.asked] == [b"old", b"old", b"new"]


async def test_words_for_the_gateway_go_to_no_provider(route: Route) -> None:
    transport = FakeTransport(FakeResponse(b"{}"))
    fields = [*OWN, (b"x-drawbridge-fallbacks", b"openai/gpt-5-nano")]
    await Direct(transport, lambda _: "secret").send("POST", route, fields, b"{}", length=2)
    assert b"x-drawbridge" not in repr(transport.asked[0].request.headers).encode()
