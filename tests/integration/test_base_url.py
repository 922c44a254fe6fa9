"""Clients that are pointed at the gateway: the same rules without interception, and keys that they never see."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.clients.harness import run_client
from tests.fakes.misbehaviour import Canned
from tests.fakes.provider import Provider
from tests.integration.agent_process import AgentProcess
from tests.integration.prompts import CHAT, DIALECTS, GEMINI, MESSAGES, Dialect, made_up_key
from tests.integration.stage import Dial, Stage, dialling

KEYS = {"openai": "openai-" + "key", "anthropic": "anthropic-" + "key", "genai": "gemini-" + "key"}

KEYED = """\
schema_version: 1
id: keyed
providers:
  openai: {{key: "env:HOUSE_OPENAI"}}
  anthropic: {{key: "file:{file}"}}
  gemini: {{key: "env:HOUSE_GEMINI", base_url: "http://127.0.0.1:{port}/elsewhere"}}
guardrails:
  - {{id: secrets, detect: [secret], action: redact}}
"""

ALL = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """A provider whose address stands in the policy."""
    with Provider(tmp_path_factory.mktemp("elsewhere"), tls=False) as provider:
        yield provider


@pytest.fixture(scope="module")
def keyed(
    stage: Stage, elsewhere: Provider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AgentProcess]:
    """An agent that has the providers' keys."""
    directory = tmp_path_factory.mktemp("keyed")
    file = directory / "anthropic.key"
    file.touch(mode=0o600)
    file.write_text(KEYS["anthropic"] + "\n")
    policy = KEYED.format(file=file, port=elsewhere.port)
    environ = {"HOUSE_OPENAI": KEYS["openai"], "HOUSE_GEMINI": KEYS["genai"]}
    with stage.agent(directory, policy=policy, environ=environ) as agent:
        yield agent


@pytest.fixture
def dial_keyed(keyed: AgentProcess) -> Iterator[Dial]:
    """Opens lines to it."""
    with dialling(keyed) as dial:
        yield dial


def target(dialect: Dialect) -> str:
    """A request's target at the gateway."""
    return f"/{dialect.prefix}{dialect.target()}"


def test_the_sdks_work_with_a_base_url(keyed: AgentProcess, provider: Provider, elsewhere: Provider) -> None:
    spoken = (CHAT, MESSAGES, GEMINI)
    secrets = {dialect.client: made_up_key() for dialect in spoken}

    def call(dialect: Dialect) -> tuple[str, object]:
        origin = f"http://127.0.0.1:{keyed.gateway_port}/{dialect.prefix}"
        run = run_client(dialect.client, f"use {secrets[dialect.client]}", env={}, origin=origin, strict=True)
        return run.text, run.error

    with ThreadPoolExecutor(2) as pool:
        seen = list(pool.map(call, spoken))
    assert seen == [("You said: use [REDACTED:openai_api_key]", None)] * 3
    assert not any(provider.saw(secret) or elsewhere.saw(secret) for secret in secrets.values())


@ALL
def test_the_houses_key_replaces_the_clients(
    dialect: Dialect, dial_keyed: Dial, provider: Provider, elsewhere: Provider
) -> None:
    elsewhere.reset()
    mine = (
        ("Authorization", "Bearer users-own"),
        ("X-Api-Key", "users-own"),
        ("X-Goog-Api-Key", "users-own"),
        ("Api-Key", "users-own"),
        ("Cookie", "session=users-own"),
        ("OpenAI-Organization", "org-1"),
    )
    assert dial_keyed.gateway().ask("POST", target(dialect), dialect.body("hello"), fields=mine).status == 200
    (received,) = (elsewhere if dialect is GEMINI else provider).requests
    header = {"openai": "authorization", "anthropic": "x-api-key", "genai": "x-goog-api-key"}[dialect.prefix]
    assert received.header(header).removeprefix("Bearer ") == KEYS[dialect.prefix]
    assert "users-own" not in str(received.headers)
    assert not received.header("openai-organization")  # it speaks of the client's account, not of the house's


def test_the_key_of_a_query_is_replaced_too(dial_keyed: Dial, elsewhere: Provider) -> None:
    elsewhere.reset()
    line = dial_keyed.gateway()
    assert line.ask("POST", f"{target(GEMINI)}?alt=json&key=users-own", GEMINI.body("hello")).status == 200
    (received,) = elsewhere.requests
    assert "users-own" not in received.query
    assert received.path == "/elsewhere" + GEMINI.target()


def test_the_path_of_a_base_url_stands_before_the_requests(dial_keyed: Dial, elsewhere: Provider) -> None:
    elsewhere.reset()
    dial_keyed.gateway().ask("GET", "/genai/v1beta/models?pageSize=5")
    (received,) = elsewhere.requests
    assert (received.path, received.query) == ("/elsewhere/v1beta/models", "pageSize=5")


@ALL
def test_without_a_key_of_the_house_the_clients_own_travels(
    dialect: Dialect, dial: Dial, provider: Provider
) -> None:
    fields = (("Authorization", "Bearer users-own"), ("X-Api-Key", "users-own"))
    assert dial.gateway().ask("POST", target(dialect), dialect.body("hello"), fields=fields).status == 200
    (received,) = provider.requests
    assert (received.host, received.server_name) == (dialect.host, dialect.host)
    assert received.header("x-api-key") == "users-own"


def test_a_missing_key_is_an_error_of_the_house(
    stage: Stage, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("keyless")
    policy = 'schema_version: 1\nid: keyless\nproviders: {openai: {key: "env:NOT_SET_ANYWHERE"}}\n'
    with stage.agent(directory, policy=policy) as agent, dialling(agent) as dial:
        answer = dial.gateway().ask("POST", target(CHAT), CHAT.body("hello"))
        assert answer.status == 502
        assert "drawbridge providers check" in CHAT.error_message(answer.document)


def test_a_key_is_in_no_log_and_no_event(keyed: AgentProcess, dial_keyed: Dial) -> None:
    dial_keyed.gateway().ask("POST", target(CHAT), CHAT.body("hello"))
    events = "".join(keyed.event_text(row) for row in keyed.trail.events(limit=1000))
    assert not any(key in keyed.log or key in events for key in KEYS.values())


def test_an_event_of_a_base_url_names_the_provider(keyed: AgentProcess, dial_keyed: Dial) -> None:
    dial_keyed.gateway().ask("POST", target(MESSAGES), MESSAGES.body("hello"))
    row = keyed.trail.events(kind="exchange", limit=1)[0]
    assert (row.surface, row.host, row.outcome) == ("anthropic", "api.anthropic.com", "completed")


# Who may come.


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("evil.example", ""),
        ("127.0.0.1.evil.example", ""),
        ("127.0.0.1:1", ""),
        ("", ""),
        (None, "https://evil.example"),
        (None, "null"),
        (None, "http://127.0.0.1:3000"),
    ],
)
def test_web_pages_and_other_names_are_refused(
    host: str | None, origin: str, dial: Dial, provider: Provider, agent: AgentProcess
) -> None:
    named = host if host in (None, "", "127.0.0.1:1") else f"{host}:{agent.gateway_port}"
    fields = (("Origin", origin),) if origin else ()
    for path in (target(CHAT), "/metrics"):
        answer = dial.gateway().ask("POST", path, CHAT.body("hello"), host=named, fields=fields)
        assert answer.status == 403
    assert provider.requests == ()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LocalHost"])
def test_the_names_of_this_machine_are_served(name: str, dial: Dial, agent: AgentProcess) -> None:
    answer = dial.gateway().ask("GET", "/openai/v1/models", host=f"{name}:{agent.gateway_port}")
    assert answer.status == 200


def test_an_idle_agent_says_that_nothing_runs(keyed: AgentProcess) -> None:
    assert keyed.status()["exchanges_running"] == 0


@pytest.mark.parametrize("path", ["/", "/v1/chat/completion", "/openaix/v1/models", "/-/status"])
def test_a_path_that_is_no_base_url_is_told_which_there_are(
    path: str, dial: Dial, provider: Provider
) -> None:
    answer = dial.gateway().ask("GET", path)
    assert answer.status == 404
    assert "/v1, or one of /openai, /anthropic, /genai" in answer.text
    assert provider.requests == ()


@pytest.mark.parametrize(
    "path", ["/openai/../anthropic/v1/models", "/openai/v1/%2e%2e/%2e%2e/x", "/openai//v1/models"]
)
def test_a_path_with_dots_does_not_leave_its_provider(path: str, dial: Dial, provider: Provider) -> None:
    dial.gateway().ask("GET", path)
    assert all(one.host == "api.openai.com" for one in provider.requests)


@pytest.mark.parametrize(
    "path",
    [
        "/openai/v1/./chat/completions",
        "/openai/v1/x/../chat/completions",
        "/openai/v1/chat%2Fcompletions",
        "/openai/v1/%63hat/completions",
        "/openai/v1//chat/completions",
        "/openai/v1/chat/completions/",
        "/openai/V1/Chat/Completions",
        "/openai/v1/chat/completions?x=1",
        "/openai/v1/chat/completions;x=1",
    ],
)
def test_a_path_written_otherwise_hides_nothing(path: str, dial: Dial, provider: Provider) -> None:
    secret = made_up_key()
    provider.script(path, Canned(body=b"{}"))
    dial.gateway().ask("POST", path, CHAT.body(secret))
    assert len(provider.requests) == 1
    assert not provider.saw(secret)
