"""The catalog through a running agent: a host by template, a file of rows, paths that nobody looks at, and models asked
where no row lists a path."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.provider import Provider
from tests.integration.agent_process import AgentProcess
from tests.integration.prompts import CHAT, made_up_key
from tests.integration.stage import Dial, Stage, dialling

REGIONAL = "api.openai.com.intranet.example"
POLICY = """\
schema_version: 1
id: own-catalog
catalog_file: rows.toml
guardrails:
  - {id: secrets, detect: [secret], action: redact}
"""
ROWS = """\
version = "2027-01-02"

[[surface]]
id = "regional"
name = "A regional service"
provider = "house"
hosts = ["api.{brand}.com.intranet.example"]
endpoints = [{ path = "/v1/chat/completions", dialect = "openai-chat" }]
never = ["/quiet/**"]
"""


@pytest.fixture(scope="module")
def agent(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentProcess]:
    """An agent whose catalog is a file beside its policy."""
    directory = tmp_path_factory.mktemp("catalog")
    (directory / "rows.toml").write_text(ROWS)
    with stage.agent(directory, policy=POLICY) as agent:
        yield agent


@pytest.fixture
def dial(agent: AgentProcess) -> Iterator[Dial]:
    """Opens lines to that agent."""
    with dialling(agent) as dial:
        yield dial


def test_a_host_of_a_template_is_served_under_the_root_and_judged(dial: Dial, provider: Provider) -> None:
    secret = made_up_key()
    line = dial(REGIONAL)  # the client trusts the root alone, and the intermediate names this host by now
    assert line.ask("POST", "/v1/chat/completions", CHAT.body(secret)).status == 200
    assert not provider.saw(secret)


def test_a_model_asked_at_another_path_is_judged_and_reported(
    agent: AgentProcess, dial: Dial, provider: Provider
) -> None:
    secret = made_up_key()
    dial(REGIONAL).ask("POST", "/v9/chat/completions", CHAT.body(secret))
    assert not provider.saw(secret)
    (event,) = agent.wait_for_events("unknown_surface", 1)
    assert "/v9/chat/completions" in agent.event_text(event)


def test_a_path_that_is_never_looked_at_passes_as_it_came(dial: Dial, provider: Provider) -> None:
    secret = made_up_key()
    dial(REGIONAL).ask("POST", "/quiet/chat/completions", CHAT.body(secret))
    assert provider.saw(secret)


def test_what_the_file_does_not_name_is_a_stranger(agent: AgentProcess, dial: Dial, stage: Stage) -> None:
    assert dial(CHAT.host, root=stage.authority.ca_file).ask("GET", "/").status == 200
    assert agent.status()["catalog"] == "2027-01-02 (rows.toml)"
