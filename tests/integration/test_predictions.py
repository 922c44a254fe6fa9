"""Replicate behind the gateway: SDKs of OpenAI and Anthropic ask, predictions are made, and none is left running."""

from __future__ import annotations

from collections.abc import Iterator

import anthropic
import openai
import pytest

from tests.fakes.provider import Provider
from tests.fakes.replicate import TOKEN, Replicate
from tests.integration.agent_process import AgentProcess, wait_until
from tests.integration.prompts import made_up_key
from tests.integration.stage import Stage

POLICY = """\
schema_version: 1
id: predictions
providers:
  replicate: {{key: "env:HOUSE_REPLICATE", base_url: "http://127.0.0.1:{port}"}}
  openai: {{key: "env:HOUSE_OPENAI", base_url: "http://127.0.0.1:{echo}"}}
models:
  dependable: [replicate/meta/llama, openai/gpt-5]
guardrails:
  - {{id: secrets, detect: [secret], action: redact}}
"""
MODEL = "replicate/meta/llama"


@pytest.fixture(scope="module")
def replicate() -> Replicate:
    """The provider's own view."""
    return Replicate()


@pytest.fixture(scope="module")
def agent(
    stage: Stage, replicate: Replicate, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AgentProcess]:
    """An agent whose policy has it, and another provider."""
    directory = tmp_path_factory.mktemp("predictions")
    with (
        Provider(directory, app=replicate, tls=False) as provider,
        Provider(directory, tls=False) as echo,
    ):
        policy = POLICY.format(port=provider.port, echo=echo.port)
        environ = {"HOUSE_REPLICATE": TOKEN, "HOUSE_OPENAI": "echo"}
        with stage.agent(directory, policy=policy, environ=environ) as agent:
            yield agent


@pytest.fixture
def client(agent: AgentProcess) -> Iterator[openai.OpenAI]:
    """OpenAI's client at the gateway."""
    url = f"http://127.0.0.1:{agent.gateway_port}/v1"
    with openai.OpenAI(api_key="none", base_url=url, max_retries=0) as client:
        yield client


def asked(client: openai.OpenAI, text: str, model: str = MODEL) -> openai.types.chat.ChatCompletion:
    return client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": text}], max_tokens=50
    )


def test_an_answer_is_waited_for(client: openai.OpenAI) -> None:
    answer = asked(client, "hello")
    assert answer.choices[0].message.content == "You said: hello"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (11, 4)


def test_a_version_is_asked_too(client: openai.OpenAI) -> None:
    assert asked(client, "hi", f"{MODEL}:5c7d").choices[0].message.content == "You said: hi"


def test_a_prediction_has_a_deadline(client: openai.OpenAI, replicate: Replicate) -> None:
    asked(client, "hello")
    assert replicate.deadlines[-1] == "10m"


def test_an_answer_is_streamed(client: openai.OpenAI, replicate: Replicate) -> None:
    before = len(replicate.cancelled)
    stream = client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "two\nlines"}], stream=True
    )
    pieces = [chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices]
    assert "".join(pieces) == "You said: two\nlines"
    assert len(replicate.cancelled) == before


def test_a_model_that_cannot_stream_is_streamed_all_the_same(
    client: openai.OpenAI, replicate: Replicate
) -> None:
    replicate.streams = False
    try:
        stream = client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "hello"}], stream=True
        )
        pieces = [chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices]
    finally:
        replicate.streams = True
    assert "".join(pieces) == "You said: hello"


def test_another_format_asks_it_too(agent: AgentProcess) -> None:
    url = f"http://127.0.0.1:{agent.gateway_port}"
    with anthropic.Anthropic(api_key="none", base_url=url, max_retries=0) as client:
        answer = client.messages.create(
            model=MODEL, max_tokens=50, system="Be kind.", messages=[{"role": "user", "content": "hello"}]
        )
    assert [block.text for block in answer.content if block.type == "text"] == ["You said: hello"]


def test_what_is_secret_stays_here(client: openai.OpenAI, replicate: Replicate) -> None:
    key = made_up_key()
    answer = asked(client, f"my key is {key}")
    assert key not in str(replicate.predictions)
    assert "[REDACTED:openai_api_key]" in (answer.choices[0].message.content or "")


@pytest.mark.parametrize("stream", [False, True])
def test_a_prediction_that_fails_leads_elsewhere(client: openai.OpenAI, *, stream: bool) -> None:
    answer = client.chat.completions.create(  # type: ignore[call-overload]
        model="dependable", messages=[{"role": "user", "content": "fail"}], stream=stream
    )
    if stream:
        text = "".join(chunk.choices[0].delta.content or "" for chunk in answer if chunk.choices)
    else:
        text = answer.choices[0].message.content or ""
    assert text == "You said: fail"  # as the other provider does


def test_a_prediction_that_fails_everywhere_is_one_honest_error(client: openai.OpenAI) -> None:
    with pytest.raises(openai.APIStatusError) as failed:
        asked(client, "fail")
    assert failed.value.status_code == 502


def test_what_it_cannot_do_is_refused_by_its_name(client: openai.OpenAI, replicate: Replicate) -> None:
    before = len(replicate.predictions)
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    with pytest.raises(openai.BadRequestError, match="tools"):
        client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": "hello"}],
            tools=[tool],  # type: ignore[list-item]
        )
    assert len(replicate.predictions) == before


@pytest.mark.parametrize("stream", [False, True])
def test_nothing_runs_on_that_nobody_waits_for(
    client: openai.OpenAI, replicate: Replicate, *, stream: bool
) -> None:
    before = len(replicate.cancelled)
    if stream:
        begun = client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "slow"}], stream=True
        )
        next(iter(begun))
        begun.close()
    else:
        with pytest.raises(openai.APITimeoutError):
            asked(client.with_options(timeout=1.0), "slow")
    wait_until(lambda: len(replicate.cancelled) == before + 1, "the prediction to be cancelled")
