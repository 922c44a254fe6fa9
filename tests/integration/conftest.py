"""Fixtures: one set of upstreams, and two agents before them, for the whole session.

Tests that stop, starve or distrust an agent start one of their own: `stage.agent(tmp_path, …)`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.provider import Provider
from tests.integration.agent_process import AgentProcess
from tests.integration.stage import Dial, Stage, dialling, staged

BLOCKING = """\
schema_version: 1
id: blocking
message: "Not here, please: {reason}. Ref {ref}."
unknown_format: block
guardrails:
  - {id: no-secrets, detect: [secret], action: block}
"""


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The upstreams."""
    with staged(tmp_path_factory.mktemp("stage")) as stage:
        yield stage


@pytest.fixture(scope="session")
def agent(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentProcess]:
    """An agent under the bundled policy, which redacts."""
    with stage.agent(tmp_path_factory.mktemp("agent")) as agent:
        yield agent


@pytest.fixture(scope="session")
def blocking_agent(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentProcess]:
    """An agent that blocks secrets, and what it cannot read."""
    with stage.agent(tmp_path_factory.mktemp("blocking"), policy=BLOCKING) as agent:
        yield agent


@pytest.fixture
def provider(stage: Stage) -> Provider:
    """The echo, without memory of other tests."""
    stage.provider.reset()
    return stage.provider


@pytest.fixture
def dial(agent: AgentProcess) -> Iterator[Dial]:
    """Opens lines to the agent of the session."""
    with dialling(agent) as dial:
        yield dial
