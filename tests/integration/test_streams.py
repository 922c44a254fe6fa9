"""What a model streams: inspected while it flows, stopped in order, and told as it is."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.fakes.misbehaviour import Stall, Torn
from tests.fakes.provider import Provider
from tests.integration.agent_process import AgentProcess
from tests.integration.prompts import CHAT, DIALECTS, GEMINI, Dialect, made_up_key
from tests.integration.stage import Dial, dialling

ALL = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)

LAST = {
    "chat": "data: [DONE]",
    "responses": "event: response.failed",
    "messages": "event: ",  # message_stop, or error where the client has not yet seen what the events build upon
    "gemini": '"finishReason":',
}
"""Which event ends a stream that was stopped."""


@ALL
def test_a_stream_that_must_stop_ends_in_its_dialect_with_the_policys_words(
    dialect: Dialect, blocking_agent: AgentProcess, provider: Provider
) -> None:
    secret, begun = made_up_key(), time.time()
    prompt = f"reverse: {f'first {secret} then'[::-1]}"
    with dialling(blocking_agent) as dial:
        answer = dial(dialect.host).ask(
            "POST", dialect.target(stream=True), dialect.body(prompt, stream=True)
        )
    assert (answer.status, answer.whole) == (200, True)
    assert "Not here, please: openai api key in the answer" in answer.text
    assert LAST[dialect.name] in answer.text.strip().rpartition("\n\n")[2]
    assert not any(secret[start : start + 8] in answer.text for start in range(len(secret) - 7))
    assert blocking_agent.outcome(begun) == "blocked"
    assert len(provider.requests) == 1


@ALL
def test_a_stream_without_findings_passes_byte_by_byte(
    dialect: Dialect, dial: Dial, provider: Provider
) -> None:
    target = dialect.target(stream=True)
    body = dialect.body("grüße 👋, nothing to see", stream=True)
    provider.script(target.partition("?")[0], Torn(size=5))
    through = dial(dialect.host).ask("POST", target, body)
    assert through.whole
    assert dialect.streamed(through.body) == "You said: grüße 👋, nothing to see"
    assert through.headers["content-type"].startswith("text/event-stream")
    assert "content-length" not in through.headers


def test_what_a_stream_said_of_itself_is_in_the_trail(
    dial: Dial, agent: AgentProcess, provider: Provider
) -> None:
    begun = time.time()
    body = CHAT.body("count", stream=True).replace(b"{", b'{"stream_options": {"include_usage": true}, ', 1)
    assert dial(CHAT.host).ask("POST", CHAT.target(), body).whole
    assert agent.outcome(begun) == "completed"
    event = agent.event_text(agent.trail.events(kind="exchange", since=begun)[0])
    for fact in (
        '"gen_ai.usage.input_tokens": ',
        '"gen_ai.usage.output_tokens": ',
        '"gen_ai.request.model": "gpt-4.1"',
    ):
        assert fact in event


def test_a_first_piece_arrives_before_the_last_is_made(dial: Dial, provider: Provider) -> None:
    provider.script(CHAT.target(), Stall(after=4000))
    line = dial(CHAT.host)
    line.request("POST", CHAT.target(), CHAT.body("word after word " * 20, stream=True))
    response, seen = line.begin(), b""
    while b"wor" not in seen:
        seen += response.read1(4000)


def test_a_request_that_asks_for_compression_is_answered_without(dial: Dial, provider: Provider) -> None:
    fields = (("Accept-Encoding", "gzip, br"), ("Content-Type", "application/json"))
    answer = dial(CHAT.host).ask("POST", CHAT.target(), CHAT.body("hello"), fields=fields)
    assert answer.status == 200
    assert provider.requests[0].header("accept-encoding") == "identity"


def test_headers_pass_but_for_those_of_one_hop(dial: Dial, provider: Provider) -> None:
    fields = (
        ("Authorization", "Bearer user-key"),
        ("X-Custom", "kept"),
        ("Connection", "X-Private, keep-alive"),
        ("X-Private", "hop"),
        ("Proxy-Authorization", "Basic eDp5"),
        ("TE", "trailers"),
    )
    answer = dial(CHAT.host).ask("POST", CHAT.target(), CHAT.body("hello"), fields=fields)
    assert answer.headers["x-request-id"]
    received = provider.requests[0]
    assert (received.header("authorization"), received.header("x-custom")) == ("Bearer user-key", "kept")
    assert (received.host, received.server_name) == ("api.openai.com", "api.openai.com")
    assert not {"x-private", "proxy-authorization", "te", "connection"} & {
        name for name, _ in received.headers
    }


def test_a_stream_in_one_json_array_is_inspected(dial: Dial, provider: Provider) -> None:
    secret = made_up_key()
    target = GEMINI.target(stream=True).replace("?alt=sse", "")
    answer = dial(GEMINI.host).ask("POST", target, GEMINI.body(f"reverse: {secret[::-1]} tsrif"))
    chunks = json.loads(answer.body)
    assert isinstance(chunks, list)
    text = "".join(part["text"] for one in chunks for part in one["candidates"][0]["content"]["parts"])
    assert text.startswith("first ")
    assert secret not in text


def test_exchanges_side_by_side_do_not_mix(dial: Dial, provider: Provider) -> None:
    secrets = [made_up_key() for _ in range(8)]

    def talk(worker: int) -> list[bool]:
        """Whether each answer was this worker's own: in every dialect, short ones streamed, long ones whole."""
        own = []
        lines = {dialect.host: dial(dialect.host) for dialect in DIALECTS}
        for number in range(12):
            dialect = DIALECTS[(worker + number) % len(DIALECTS)]
            stream = number % 4 != 0
            text = f"{worker}/{number} " + "filler " * (5 if stream else 5000)
            body = dialect.body(text + secrets[worker], stream=stream)
            answer = lines[dialect.host].ask("POST", dialect.target(stream=stream), body)
            said = dialect.streamed(answer.body) if stream else answer.text
            own.append(f"You said: {text}[REDACTED:openai_api_key]" in said)
        return own

    with ThreadPoolExecutor(8) as pool:
        assert [all(own) for own in pool.map(talk, range(8))] == [True] * 8
    bodies = b"".join(provider.bodies())
    assert not any(secret.encode() in bodies for secret in secrets)
