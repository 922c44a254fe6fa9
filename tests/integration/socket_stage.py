"""An agent before AI hosts that speak WebSocket: fixtures for the tests of inspected WebSockets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.provider import Provider
from tests.fakes.socket_services import SocketServices
from tests.fakes.tls import Authority
from tests.integration.agent_process import AgentProcess

HOSTS = (
    "api.openai.com",
    "chatgpt.com",
    "api.githubcopilot.com",
    "generativelanguage.googleapis.com",
    "ws.chatgpt.com",
    "copilot.microsoft.com",
    "substrate.office.com",
    "neo.character.ai",
    "tch1.tch.poe.com",
)
POLICY = """\
schema_version: 1
id: sockets
message: "Not here, please: {reason}. Ref {ref}."
unknown_format: block
detectors:
  - {id: project, pattern: 'Zebra-[A-Z][a-z]+-Falcon'}
guardrails:
  - {id: secrets, detect: [secret], action: redact}
  - {id: project, detect: [custom/project], action: block}
"""


@pytest.fixture(scope="module")
def services() -> SocketServices:
    """What the services heard and say."""
    return SocketServices()


@pytest.fixture(autouse=True)
def forgetful(services: SocketServices) -> None:
    """No test sees another's scripts."""
    services.reset()


@pytest.fixture(scope="module")
def upstream(services: SocketServices, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """The AI hosts, which speak WebSocket."""
    directory = tmp_path_factory.mktemp("upstream")
    with Provider(directory, hosts=HOSTS, authority=Authority(directory), sockets=services) as provider:
        yield provider


@pytest.fixture(scope="module")
def gate(upstream: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentProcess]:
    """The agent before them."""
    directory = tmp_path_factory.mktemp("gate")
    (directory / "policy.yaml").write_text(POLICY)
    with AgentProcess(
        directory,
        upstreams=dict.fromkeys(HOSTS, upstream.port),
        ca_file=upstream.ca_file,
        policy=directory / "policy.yaml",
    ) as agent:
        yield agent
