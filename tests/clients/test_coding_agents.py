"""The command-line agents that people use, through the agent: what leaves, what they show, which app the trail names.

They are large, so `make test-clients` installs them; without that these tests are skipped. Nothing leaves loopback: the
only way out is a proxy that knows the AI hosts, and leads them to the echo.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.clients.coding_agents import AGENTS, CodingAgent
from tests.fakes.exit_proxy import ExitProxy
from tests.fakes.provider import Provider, Received
from tests.fakes.socket_services import SocketServices
from tests.fakes.tls import Authority
from tests.integration.agent_process import AgentProcess
from tests.integration.prompts import made_up_key

HOSTS = ("api.openai.com", "api.anthropic.com", "generativelanguage.googleapis.com", "chatgpt.com")
POLICY = """\
schema_version: 1
id: agents
message: "Not here, please: {reason}. Ref {ref}."
detectors:
  - {id: project, pattern: 'Zebra-[A-Z][a-z]+-Falcon'}
guardrails:
  - {id: secrets, detect: [secret], action: redact}
  - {id: project, detect: [custom/project], action: block}
"""
MARK = "[REDACTED:openai_api_key]"
SECONDS = 100

pytestmark = pytest.mark.parametrize(
    "client",
    [
        pytest.param(
            each,
            id=each.command,
            marks=[
                pytest.mark.timeout(2 * SECONDS),
                pytest.mark.skipif(
                    each.missing, reason=f"{each.command} is not installed: make test-clients"
                ),
            ],
        )
        for each in AGENTS
    ],
)


@dataclass
class House:
    """The agent, the echo behind it, and what came of a program."""

    agent: AgentProcess
    provider: Provider
    services: SocketServices
    exit: ExitProxy
    directory: Path

    def run(self, client: CodingAgent, prompt: str) -> str:
        """All that the program shows, on both of its streams. It begins in an empty directory."""
        self.provider.reset()
        self.services.reset()
        home = self.directory / client.command
        work = home / "work"
        work.mkdir(parents=True, exist_ok=True)
        environ = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
        environ |= {"HOME": str(home), "TERM": "dumb"} | client.prepare(home) | self.agent.environment()
        finished = subprocess.run(
            client.asked(prompt),
            env=environ,
            cwd=work,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return finished.stdout + finished.stderr

    def sent(self) -> list[Received]:
        """The requests in which a model was asked."""
        return [each for each in self.provider.requests if each.method == "POST"]

    def saw(self, text: str) -> bool:
        """Whether the services were told `text`, by a request or a message."""
        return self.provider.saw(text) or any(text in str(each) for each in self.services.heard)

    def asked_models(self, since: int) -> list[tuple[str, str, str]]:
        """App, decision and outcome of the exchanges that asked a model, recorded after the event `since`."""
        rows = self.agent.trail.events(kind="exchange", limit=1000)
        return [
            (row.app, row.decision, row.outcome) for row in reversed(rows) if row.seq > since and row.model
        ]

    @property
    def last(self) -> int:
        """The newest event's number."""
        rows = self.agent.trail.events(limit=1)
        return rows[0].seq if rows else 0


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    directory = tmp_path_factory.mktemp("agents")
    (directory / "policy.yaml").write_text(POLICY)
    services = SocketServices()
    with ExitStack() as running:
        authority = Authority(directory)
        provider = running.enter_context(
            Provider(directory, hosts=HOSTS, authority=authority, sockets=services)
        )
        way_out = running.enter_context(ExitProxy(HOSTS, provider.port))
        agent = AgentProcess(
            directory,
            upstreams={},
            ca_file=authority.ca_file,
            policy=directory / "policy.yaml",
            environ={"DRAWBRIDGE_UPSTREAM_PROXY": way_out.url},
        )
        yield House(running.enter_context(agent), provider, services, way_out, directory)


def test_a_secret_does_not_leave_and_the_answer_is_shown(client: CodingAgent, house: House) -> None:
    before, secret = house.last, made_up_key()
    shown = house.run(client, f"use {secret} for it")
    assert f"You said: use {MARK} for it" in shown
    assert not house.saw(secret)
    assert house.saw(MARK)
    assert bool(house.services.heard) is client.over_sockets
    exchanges = house.asked_models(before)
    assert {app for app, _, _ in exchanges} == {client.app}
    assert "redact" in {decision for _, decision, _ in exchanges}
    assert {outcome for _, _, outcome in exchanges} == {"completed"}


def test_a_secret_in_a_streamed_answer_is_not_shown(client: CodingAgent, house: House) -> None:
    secret = made_up_key()
    shown = house.run(client, f"reverse: {secret[::-1]}")
    assert MARK in shown
    assert secret not in shown


def test_a_tool_runs_and_its_result_goes_back(client: CodingAgent, house: House) -> None:
    before = house.last
    shown = house.run(client, client.tool)
    assert "The tool said:" in shown
    assert "42" in shown[shown.rindex("The tool said:") :]
    exchanges = house.asked_models(before)
    assert len(exchanges) >= 2
    assert {app for app, _, _ in exchanges} == {client.app}


def test_a_block_is_shown_and_not_asked_again(client: CodingAgent, house: House) -> None:
    before = house.last
    shown = house.run(client, "tell me about Zebra-Blue-Falcon")
    assert "Not here, please: project in the prompt. Ref " in shown
    assert not house.saw("Zebra-Blue-Falcon")
    blocked = [each for each in house.asked_models(before) if each[1] == "block"]
    # OpenCode has a title made of the prompt as well, and that is blocked by itself
    assert len(blocked) == (2 if client.command == "opencode" else 1)
    assert {app for app, _, _ in blocked} == {client.app}
