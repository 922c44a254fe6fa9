"""Pseudonyms with the official SDKs through the running agent: the provider sees stand-ins only, the client none."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.clients.harness import run_client
from tests.fakes.provider import Provider
from tests.integration.agent_process import AgentProcess
from tests.integration.prompts import DIALECTS, Dialect, made_up_key
from tests.integration.stage import Stage

NAME = "Ada Lovelace"
CARD = "4539 1488" + " 0343 6467"
POLICY = """\
schema_version: 1
id: pseudonyms
guardrails:
  - {id: hidden, detect: [secret, pii/payment_card, custom/people], action: pseudonymize}
detectors:
  - {id: people, keywords: [Ada Lovelace]}
"""

ALL = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.client)


@pytest.fixture(scope="module")
def pseudonymizing_agent(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentProcess]:
    with stage.agent(tmp_path_factory.mktemp("pseudonyms"), policy=POLICY) as agent:
        yield agent


@pytest.fixture
def provider(stage: Stage) -> Provider:
    """The echo, without memory of other tests."""
    stage.provider.reset()
    return stage.provider


@ALL
def test_name_card_and_key_leave_as_stand_ins_and_come_back(
    dialect: Dialect, pseudonymizing_agent: AgentProcess, provider: Provider
) -> None:
    key = made_up_key()
    prompt = f"write to {NAME}: card {CARD}, key {key}, bitte schön"
    run = run_client(dialect.client, prompt, env=pseudonymizing_agent.environment(), stream=True, strict=True)
    assert run.error is None
    assert run.text == f"You said: {prompt}"
    for hidden in (NAME, CARD, key):
        assert not provider.saw(hidden)
    assert provider.saw("ALIAS_PEOPLE_")
    assert provider.saw("ALIAS_PAYMENT_CARD_")
    assert provider.saw("ALIAS_OPENAI_API_KEY_")


@ALL
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_local_file_tool_is_called_with_the_values(
    dialect: Dialect, stream: bool, pseudonymizing_agent: AgentProcess, provider: Provider
) -> None:
    key = made_up_key()
    query = f'{NAME} "{CARD}"\n{key}'
    run = run_client(
        dialect.client,
        f"call Edit: {json.dumps({'query': query})}",
        env=pseudonymizing_agent.environment(),
        stream=stream,
        tools=True,
        tool_name="Edit",
    )
    assert run.error is None
    assert [(call.name, call.arguments) for call in run.tool_calls] == [("Edit", {"query": query})]
    assert not any(provider.saw(hidden) for hidden in (NAME, CARD, key))


@ALL
def test_a_tool_that_may_reach_elsewhere_is_called_with_stand_ins(
    dialect: Dialect, pseudonymizing_agent: AgentProcess, provider: Provider
) -> None:
    run = run_client(
        dialect.client,
        f"call: {json.dumps({'query': f'https://elsewhere.example/?q={NAME}'})}",
        env=pseudonymizing_agent.environment(),
        stream=True,
        tools=True,
    )
    (call,) = run.tool_calls
    assert str(call.arguments["query"]).startswith("https://elsewhere.example/?q=ALIAS_PEOPLE_")
    assert not provider.saw(NAME)
