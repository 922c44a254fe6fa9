"""The official SDKs accept what the echo answers, and the harness reports what they see. No proxy is involved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.clients.harness import CLIENTS, ClientRun, ToolCall, run_client
from tests.fakes.misbehaviour import Canned, Compressed, Cut
from tests.fakes.provider import Provider

type Ask = Callable[..., ClientRun]

PATHS = {
    "openai_chat": "/v1/chat/completions",
    "openai_responses": "/v1/responses",
    "anthropic_messages": "/v1/messages",
    "gemini_generate": "/v1/models/gemini-2.5-flash:generateContent",
}


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with Provider(tmp_path_factory.mktemp("provider")) as running:
        yield running


@pytest.fixture
def ask(provider: Provider) -> Ask:
    provider.reset()
    env = {"SSL_CERT_FILE": str(provider.ca_file)}

    def call(client: str, prompt: str, **settings: object) -> ClientRun:
        return run_client(client, prompt, env=env, origin=provider.url, strict=True, **settings)

    return call


def together(*calls: Callable[[], ClientRun]) -> list[ClientRun]:
    """Run the calls side by side; most of their time is the SDKs' import."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda call: call(), calls))


@pytest.mark.parametrize("client", CLIENTS)
def test_an_sdk_reads_the_same_text_streamed_or_not(client: str, ask: Ask) -> None:
    whole, streamed = together(
        lambda: ask(client, "grüße"),
        lambda: ask(client, "reverse: streamed", stream=True),
    )
    assert whole == ClientRun(text="You said: grüße", tool_calls=(), chunks=(), error=None)
    assert (streamed.text, streamed.error) == ("demaerts", None)
    assert streamed.chunks == ("dem", "aer", "ts")


@pytest.mark.parametrize("client", CLIENTS)
def test_an_sdk_receives_the_tool_call_that_the_prompt_dictates(client: str, ask: Ask) -> None:
    prompt = 'call: {"query": "weather"}'
    runs = together(
        lambda: ask(client, prompt, tools=True), lambda: ask(client, prompt, tools=True, stream=True)
    )
    expected = ToolCall(name="lookup", arguments={"query": "weather"})
    assert [(run.tool_calls, run.text, run.error) for run in runs] == [((expected,), "", None)] * 2


@pytest.mark.parametrize("client", CLIENTS)
def test_an_sdk_sends_a_tool_result_and_does_not_retry_a_refusal(
    client: str, ask: Ask, provider: Provider, tmp_path: Path
) -> None:
    with Provider(tmp_path) as refusing:
        refusing.script(PATHS[client], Canned(status=400, body=b'{"error": {"message": "refused"}}'))
        env = {"SSL_CERT_FILE": str(refusing.ca_file)}
        result, refused = together(
            lambda: ask(client, "look it up", tools=True, tool_result="sunny"),
            lambda: run_client(client, "hello", env=env, origin=refusing.url),
        )
    assert (result.text, result.error) == ("The tool said: sunny", None)
    assert provider.saw("sunny")
    assert refused.error is not None
    assert refused.error.status == 400
    assert "refused" in refused.error.message
    assert len(refusing.requests) == 1


def test_the_default_retries_of_an_sdk_are_left_alone(ask: Ask, provider: Provider) -> None:
    provider.script(PATHS["openai_chat"], Canned(status=503))
    assert ask("openai_chat", "hello").error is not None
    assert len(provider.requests) == 3


def test_what_came_before_a_broken_stream_is_reported(ask: Ask, provider: Provider) -> None:
    provider.script(PATHS["openai_chat"], Cut(after=1200))
    run = ask("openai_chat", "a longer sentence, to be cut", stream=True)
    assert run.error is not None
    assert run.text
    assert "You said: a longer sentence, to be cut".startswith(run.text)


def test_a_compressed_answer_is_read(ask: Ask, provider: Provider) -> None:
    provider.script(PATHS["anthropic_messages"], Compressed(coding="gzip"))
    run = ask("anthropic_messages", "packed", stream=True)
    assert (run.text, run.error) == ("You said: packed", None)


def test_a_client_trusts_only_what_its_environment_names(provider: Provider) -> None:
    provider.reset()
    run = run_client("openai_chat", "hello", env={}, origin=provider.url)
    assert run.error is not None
    assert run.error.type == "APIConnectionError"
    assert provider.requests == ()
