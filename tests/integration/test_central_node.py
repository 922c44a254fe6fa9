"""An agent before a central node of ours: by both doors, in every dialect; and what happens while it is away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.accounts.keys import hashed, new_key
from tests.fakes.provider import Provider
from tests.integration.agent_process import AgentProcess
from tests.integration.node_process import NodeProcess
from tests.integration.prompts import CHAT, DIALECTS, MESSAGES, Dialect, made_up_key
from tests.integration.stage import Dial, Stage, dialling

KEY = new_key()

NODE = """\
schema_version: 1
id: node
providers:
  openai: {{base_url: "http://127.0.0.1:{port}", key: "env:NODE_KEY"}}
  anthropic: {{base_url: "http://127.0.0.1:{port}", key: "env:NODE_KEY"}}
  gemini: {{base_url: "http://127.0.0.1:{port}", key: "env:NODE_KEY"}}
accounts:
  virtual_keys:
    - {{id: laptop, hash: "{hash}", budgets: [{{tokens: 100000, per: day}}]}}
"""

AGENT = """\
schema_version: 1
id: laptop
upstream:
  route: central
  central:
    base_url: "http://127.0.0.1:{node}"
    virtual_key: "env:VIRTUAL_KEY"
    header: x-drawbridge-key
    when_away: {when_away}
providers:
  openai: {{base_url: "http://127.0.0.1:{local}", key: "env:LOCAL_KEY"}}
guardrails:
  - {{id: secrets, detect: [secret], action: redact}}
"""

USERS = (
    ("Authorization", "Bearer users-own"),
    ("X-Api-Key", "users-own"),
    ("X-Goog-Api-Key", "users-own"),
    ("Content-Type", "application/json"),
)


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """The provider behind the node."""
    with Provider(tmp_path_factory.mktemp("upstream"), tls=False) as provider:
        yield provider


@pytest.fixture(scope="module")
def node(stage: Stage, upstream: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """The node."""
    with NodeProcess(
        tmp_path_factory.mktemp("node"),
        policy=NODE.format(port=upstream.port, hash=hashed(KEY)),
        ca_file=stage.authority.ca_file,
        environ={"NODE_KEY": "sk-nodes-own"},
        options=("--drain-seconds", "0"),
    ) as running:
        yield running


@pytest.fixture(scope="module")
def agent(
    stage: Stage, node: NodeProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AgentProcess]:
    """An agent that sends everything there."""
    policy = AGENT.format(node=node.port, when_away="block", local=stage.provider.port)
    environ = {"VIRTUAL_KEY": KEY, "LOCAL_KEY": "sk-local"}
    with stage.agent(tmp_path_factory.mktemp("agent"), policy=policy, environ=environ) as agent:
        yield agent


@pytest.fixture(autouse=True)
def forgetful(upstream: Provider) -> None:
    """Each test begins with a provider that has seen nothing."""
    upstream.reset()


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("door", ["intercepted", "base URL"])
@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_request_passes_both_on_its_way_to_the_provider(
    dialect: Dialect, door: str, stream: bool, dial: Dial, upstream: Provider, provider: Provider
) -> None:
    secret = made_up_key()
    line, prefix = (
        (dial(dialect.host), "") if door == "intercepted" else (dial.gateway(), f"/{dialect.prefix}")
    )
    target = prefix + dialect.target(stream=stream)
    answer = line.ask("POST", target, dialect.body(f"use {secret}", stream=stream), fields=USERS)
    assert answer.status == 200, answer.text
    said = dialect.streamed(answer.body) if stream else answer.text
    assert "[REDACTED:openai_api_key]" in said
    assert provider.requests == ()
    (received,) = upstream.requests
    assert "sk-nodes-own" in str(received.headers)
    for kept in ("users-own", KEY):
        assert kept not in f"{received.headers} {received.query}"
    assert not upstream.saw(secret)


def test_the_gateways_own_api_is_served_through_both(dial: Dial, upstream: Provider) -> None:
    body = CHAT.body("hello", model="anthropic/claude-sonnet-4-5")
    answer = dial.gateway().ask("POST", "/v1/chat/completions", body, fields=USERS)
    assert answer.status == 200, answer.text
    assert [one.path for one in upstream.requests] == ["/v1/messages"]


def test_the_node_knows_whose_it_was_and_where_it_came_from(dial: Dial, node: NodeProcess) -> None:
    assert dial(MESSAGES.host).ask("POST", MESSAGES.target(), MESSAGES.body("hi"), fields=USERS).status == 200
    newest = node.trail.events(kind="exchange", limit=1)[0]
    text = node.event_text(newest)
    assert '"virtual_key": "laptop"' in text
    assert '"ip": "127.0.0.1"' in text


def test_commands_tell_how_the_node_is_and_what_passes(dial: Dial, node: NodeProcess) -> None:
    assert dial(MESSAGES.host).ask("POST", MESSAGES.target(), MESSAGES.body("hi"), fields=USERS).status == 200
    told = node.drawbridge("status", "--json", "--exit-code")
    assert (told.returncode, json.loads(told.stdout)["state"]) == (0, "serving"), told.stderr
    shown = node.drawbridge("status")
    assert (shown.returncode, shown.stdout.split()[:2]) == (0, ["state", "serving"]), shown.stderr
    seen = node.drawbridge("top", "--json")
    assert seen.returncode == 0, seen.stderr
    assert json.loads(seen.stdout)["exchanges"]


@pytest.fixture(params=["block", "native", "providers"])
def away(request: pytest.FixtureRequest, stage: Stage, tmp_path: Path) -> Iterator[tuple[str, AgentProcess]]:
    """An agent whose central node does not run, and what its policy says about that."""
    stage.provider.reset()
    with Provider(tmp_path, tls=False) as local:
        policy = AGENT.format(node=stage.upstreams["api.x.ai"], when_away=request.param, local=local.port)
        environ = {"VIRTUAL_KEY": KEY, "LOCAL_KEY": "sk-local"}
        with stage.agent(tmp_path, policy=policy, environ=environ) as agent:
            yield request.param, agent
            seen = [one.header("authorization") for one in local.requests]
            assert seen == (["Bearer sk-local"] if request.param == "providers" else [])


def test_while_the_node_is_away_policy_says_what_happens(
    away: tuple[str, AgentProcess], provider: Provider
) -> None:
    when_away, agent = away
    with dialling(agent) as dial:
        answer = dial(CHAT.host).ask("POST", CHAT.target(), CHAT.body("hello"), fields=USERS)
    natively = [one.header("authorization") for one in provider.requests]
    if when_away == "block":
        assert answer.status == 502
        assert "Drawbridge" in CHAT.error_message(answer.document)
        assert natively == []
    else:
        assert answer.status == 200, answer.text
        assert natively == (["Bearer users-own"] if when_away == "native" else [])


def test_a_node_that_comes_back_is_used_again(stage: Stage, upstream: Provider, tmp_path: Path) -> None:
    (tmp_path / "node").mkdir()
    gate = NodeProcess(
        tmp_path / "node",
        policy=NODE.format(port=upstream.port, hash=hashed(KEY)),
        ca_file=stage.authority.ca_file,
        environ={"NODE_KEY": "sk-nodes-own"},
        options=("--drain-seconds", "0"),
    ).start()
    (tmp_path / "agent").mkdir()
    policy = AGENT.format(node=gate.port, when_away="native", local=stage.provider.port)
    environ = {"VIRTUAL_KEY": KEY, "LOCAL_KEY": "sk-local"}
    with (
        stage.agent(tmp_path / "agent", policy=policy, environ=environ) as agent,
        dialling(agent) as dial,
    ):

        def counts() -> tuple[int, int]:
            stage.provider.reset()
            upstream.reset()
            assert dial(CHAT.host).ask("POST", CHAT.target(), CHAT.body("hi"), fields=USERS).status == 200
            return len(upstream.requests), len(stage.provider.requests)

        assert counts() == (1, 0)
        gate.stop()
        assert counts() == (0, 1)
        gate.start()
        assert counts() == (1, 0)
    gate.stop()
