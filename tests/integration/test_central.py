"""With a central gateway: what the local rules leave goes there, under the machine's key instead of the user's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.misbehaviour import Canned
from tests.fakes.provider import Provider
from tests.integration.agent_process import AgentProcess
from tests.integration.prompts import CHAT, DIALECTS, GEMINI, Dialect, made_up_key
from tests.integration.stage import RAW, Dial, Stage, dialling

VIRTUAL = "vk-" + "this-machine"

POLICY = """\
schema_version: 1
id: central
upstream:
  route: central
  central: {{base_url: "http://127.0.0.1:{port}/base", virtual_key: "env:HOUSE_KEY", header: {header}}}
guardrails:
  - {{id: secrets, detect: [secret], action: redact}}
"""

USERS = (
    ("Authorization", "Bearer users-own"),
    ("X-Api-Key", "users-own"),
    ("X-Goog-Api-Key", "users-own"),
    ("Cookie", "session=users-own"),
    ("Content-Type", "application/json"),
)


@pytest.fixture(scope="module")
def central(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """The central gateway."""
    with Provider(tmp_path_factory.mktemp("central"), tls=False) as provider:
        yield provider


@pytest.fixture(scope="module")
def agent(
    stage: Stage, central: Provider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AgentProcess]:
    """An agent that sends everything there."""
    policy = POLICY.format(port=central.port, header="authorization")
    directory = tmp_path_factory.mktemp("agent")
    with stage.agent(directory, policy=policy, environ={"HOUSE_KEY": VIRTUAL}) as agent:
        yield agent


@pytest.fixture(autouse=True)
def forgetful(central: Provider) -> None:
    """Each test begins with a gateway that has seen nothing."""
    central.reset()


@pytest.mark.parametrize("door", ["intercepted", "base URL"])
@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_request_goes_to_the_central_gateway_under_the_machines_key(
    dialect: Dialect, door: str, dial: Dial, central: Provider, provider: Provider
) -> None:
    secret = made_up_key()
    line, prefix = (
        (dial(dialect.host), "") if door == "intercepted" else (dial.gateway(), f"/{dialect.prefix}")
    )
    query = "?alt=json&key=users-own" if dialect is GEMINI else ""
    answer = line.ask("POST", prefix + dialect.target() + query, dialect.body(f"use {secret}"), fields=USERS)
    assert answer.status == 200
    assert "[REDACTED:openai_api_key]" in answer.text
    assert provider.requests == ()
    (received,) = central.requests
    assert received.path == f"/base/{dialect.prefix}{dialect.target()}"
    assert received.host == f"127.0.0.1:{central.port}"
    assert received.header("authorization") == f"Bearer {VIRTUAL}"
    assert "users-own" not in f"{received.headers} {received.query}"
    assert not central.saw(secret)


def test_what_asks_no_model_goes_where_it_was_bound(
    dial: Dial, central: Provider, provider: Provider
) -> None:
    assert dial(CHAT.host).ask("GET", "/v1/models", fields=USERS).status == 200
    assert (len(provider.requests), central.requests) == (1, ())


def test_an_ai_service_that_the_central_gateway_lacks_is_refused(dial: Dial, central: Provider) -> None:
    answer = dial(RAW).ask("POST", CHAT.target(), CHAT.body("hello"))
    assert answer.status == 403
    assert "no route for Mistral" in CHAT.error_message(answer.document)
    assert central.requests == ()


def test_streams_are_inspected_on_this_way_too(dial: Dial, central: Provider) -> None:
    secret = made_up_key()
    body = CHAT.body(f"reverse: {secret[::-1]}", stream=True)
    answer = dial(CHAT.host).ask("POST", CHAT.target(), body)
    assert CHAT.streamed(answer.body) == "[REDACTED:openai_api_key]"


def test_a_refusal_of_the_central_gateway_reaches_the_client(dial: Dial, central: Provider) -> None:
    body = b'{"error": {"message": "budget exceeded"}}'
    central.script(f"/base/openai{CHAT.target()}", Canned(status=402, body=body))
    answer = dial(CHAT.host).ask("POST", CHAT.target(), CHAT.body("hello"))
    assert (answer.status, answer.body) == (402, body)


def test_the_machines_key_may_go_into_another_header(
    stage: Stage, central: Provider, tmp_path_factory: pytest.TempPathFactory
) -> None:
    policy = POLICY.format(port=central.port, header="x-bf-vk")
    directory = tmp_path_factory.mktemp("other-header")
    with (
        stage.agent(directory, policy=policy, environ={"HOUSE_KEY": VIRTUAL}) as agent,
        dialling(agent) as dial,
    ):
        assert dial(CHAT.host).ask("POST", CHAT.target(), CHAT.body("hello"), fields=USERS).status == 200
        assert VIRTUAL not in agent.log
    (received,) = central.requests
    assert received.header("x-bf-vk") == VIRTUAL
    assert "users-own" not in str(received.headers)
