"""The official SDKs through the agent, in the environment that `drawbridge exec` sets: they notice nothing of it, the
provider sees no secret, and neither do they.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from tests.clients.harness import ClientRun, ToolCall, run_client
from tests.fakes.provider import Provider
from tests.integration.agent_process import AgentProcess
from tests.integration.prompts import DIALECTS, RESPONSES, Dialect, made_up_key
from tests.integration.stage import Stage

MARK = "[REDACTED:openai_api_key]"

ALL = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.client)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One call of an SDK; `settings` are the harness's."""

    prompt: str
    settings: dict[str, object]


def asking(prompt: str, **settings: object) -> Ask:
    """A call."""
    return Ask(prompt=prompt, settings=settings)


@pytest.fixture(scope="module")
def exec_environment(agent: AgentProcess) -> dict[str, str]:
    """What `drawbridge exec` adds."""
    return agent.environment()


@pytest.fixture(scope="module")
def blocking_environment(blocking_agent: AgentProcess) -> dict[str, str]:
    """The same before the agent that blocks."""
    return blocking_agent.environment()


@pytest.fixture
def provider(stage: Stage) -> Provider:
    """The echo, without memory of other tests."""
    stage.provider.reset()
    return stage.provider


@pytest.fixture
def run(exec_environment: dict[str, str]) -> Callable[..., list[ClientRun]]:
    """Makes calls side by side: most of their time is the SDKs' import."""

    def call(dialect: Dialect, *asks: Ask) -> list[ClientRun]:
        def one(ask: Ask) -> ClientRun:
            return run_client(dialect.client, ask.prompt, env=exec_environment, strict=True, **ask.settings)

        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(one, asks))

    return call


@ALL
def test_a_secret_neither_leaves_in_a_prompt_nor_arrives_in_a_stream(
    dialect: Dialect, run: Callable[..., list[ClientRun]], provider: Provider
) -> None:
    written, dreamt = made_up_key(), made_up_key()
    prompt, streamed = run(
        dialect,
        asking(f"use {written}, bitte schön"),
        asking(f"reverse: {f'first {dreamt} then'[::-1]}", stream=True),  # in pieces of three characters
    )
    assert prompt == ClientRun(
        text=f"You said: use {MARK}, bitte schön", tool_calls=(), chunks=(), error=None
    )
    assert (streamed.text, streamed.error) == (f"first {MARK} then", None)
    assert len(streamed.chunks) > 3
    assert not any(len(piece) > 4 and piece in dreamt for piece in streamed.chunks)
    assert len(provider.requests) == 2
    assert not provider.saw(written)


@ALL
def test_a_secret_in_a_file_that_a_tool_read_is_replaced_before_it_leaves(
    dialect: Dialect, run: Callable[..., list[ClientRun]], provider: Provider
) -> None:
    plain, nested = made_up_key(), made_up_key()
    file = "".join(f"def function_{n}():\n\treturn 'line {n} of a \"file\"'\n" for n in range(700))
    place = len(file) // 2
    file = f"{file[:place]}\nOPENAI_API_KEY={plain}\n{file[place:]}"
    result = json.dumps({"stdout": file, "env": json.dumps({"key": nested})})
    read, called = run(
        dialect,
        asking("read it", tools=True, tool_result=result),
        asking('call: {"query": "grüße \\"quoted\\"\\n"}', tools=True, stream=True),
    )
    assert read.error is None
    assert read.text == "The tool said: " + result.replace(plain, MARK).replace(nested, MARK)
    assert called.tool_calls == (ToolCall(name="lookup", arguments={"query": 'grüße "quoted"\n'}),)
    assert len(provider.requests) == 2
    assert not provider.saw(plain)
    assert not provider.saw(nested)


@ALL
def test_a_blocked_prompt_shows_the_policys_words_and_is_not_tried_again(
    dialect: Dialect, blocking_environment: dict[str, str], blocking_agent: AgentProcess, provider: Provider
) -> None:
    begun = time.time()
    blocked = run_client(dialect.client, f"use {made_up_key()}", env=blocking_environment, stream=True)
    assert blocked.error is not None
    assert blocked.error.status == 400
    assert "Not here, please: openai api key in the prompt. Ref " in blocked.error.message
    ref = blocked.error.message.partition("Ref ")[2][:8]
    assert provider.requests == ()
    (event,) = blocking_agent.trail.events(kind="exchange", since=begun)  # one call, one event
    assert (event.decision, event.id[-8:].upper()) == ("block", ref)


def test_the_prompt_of_an_sdk_may_be_longer_than_the_event_loop_should_scan(
    run: Callable[..., list[ClientRun]], provider: Provider
) -> None:
    secret = made_up_key()
    prompt = "some words before it, " * 3000 + secret + " and after it" * 2000
    (answered,) = run(RESPONSES, asking(prompt))
    assert answered.text == "You said: " + prompt.replace(secret, MARK)
    assert not provider.saw(secret)
