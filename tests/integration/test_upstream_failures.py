"""Providers that answer badly or not at all: the client never takes what it got for a whole answer."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Callable, Iterator

import pytest

from tests.fakes.misbehaviour import Behaviour, Canned, Compressed, Cut, Stall, Torn, broken_events
from tests.fakes.provider import Provider
from tests.fakes.raw_provider import RawScript, raw_answer, read_request
from tests.integration.agent_process import AgentProcess, wait_until
from tests.integration.line import Answer
from tests.integration.prompts import CHAT, DIALECTS, MESSAGES, Dialect, made_up_key
from tests.integration.stage import CLOSED, IMPOSTOR, RAW, Dial, Stage

type Outcome = Callable[[], str]

EVENTS = (b"content-type", b"text/event-stream")


@pytest.fixture(autouse=True)
def lives(agent: AgentProcess, dial: Dial, provider: Provider) -> Iterator[None]:
    """After whatever came, the same agent serves the next request."""
    pid = agent.pid
    yield
    provider.reset()
    answer = dial("api.openai.com").ask("POST", CHAT.target(), CHAT.body("still there?"))
    assert (answer.status, agent.status()["pid"]) == (200, pid)


def asked(
    dial: Dial, text: str = "hello", *, dialect: Dialect = CHAT, host: str = "", stream: bool = False
) -> Answer:
    """The answer to a prompt."""
    return dial(host or dialect.host).ask(
        "POST", dialect.target(stream=stream), dialect.body(text, stream=stream)
    )


@pytest.fixture
def outcome(agent: AgentProcess) -> Outcome:
    """Says how the test's first exchange ended, as the trail has it."""
    begun = time.time()
    return lambda: agent.outcome(begun)


# No answer.


def test_a_provider_that_refuses_connections_is_a_502(dial: Dial, outcome: Outcome) -> None:
    answer = asked(dial, host=CLOSED)
    assert answer.status == 502
    assert "no connection to api.x.ai" in CHAT.error_message(answer.document)
    assert outcome() == "upstream_failed"


def test_a_provider_whose_certificate_nobody_trusts_is_a_502(dial: Dial) -> None:
    answer = asked(dial, host=IMPOSTOR)
    assert answer.status == 502
    assert "not trusted" in CHAT.error_message(answer.document)


@pytest.mark.parametrize(
    "script",
    [
        raw_answer(),
        raw_answer(reset=True),
        raw_answer(b"SSH-2.0-OpenSSH_9.9\r\n"),
        raw_answer(b"\x00\xff" * 500),
        raw_answer(b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n"),
        raw_answer(b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 400_000),
        raw_answer(b"HTTP/1.1 200 OK\r\nContent-Le"),
        raw_answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n12345"),
    ],
    ids=[
        "nothing",
        "reset",
        "another protocol",
        "garbage",
        "bad length",
        "no end",
        "half a head",
        "two framings",
    ],
)
def test_a_provider_that_speaks_no_http_is_a_502(
    script: RawScript, dial: Dial, stage: Stage, outcome: Outcome
) -> None:
    stage.switch.script = script
    answer = asked(dial, host=RAW)
    assert answer.status == 502
    assert CHAT.error_message(answer.document)
    assert outcome() == "upstream_failed"


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_broken_coding_is_a_502_in_the_clients_dialect(
    dialect: Dialect, dial: Dial, provider: Provider
) -> None:
    headers = ((b"content-type", b"application/json"), (b"content-encoding", b"gzip"))
    provider.script(dialect.target(), Canned(headers=headers, body=b"no gzip"))
    answer = asked(dial, dialect=dialect)
    assert answer.status == 502
    assert dialect.error_message(answer.document)


# Half an answer.

STREAMS: tuple[tuple[str, Behaviour], ...] = (
    ("ended", Cut(after=700)),
    ("reset", Cut(after=700, reset=True)),
)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
@pytest.mark.parametrize(("how", "behaviour"), STREAMS)
def test_a_stream_that_breaks_off_never_ends_in_order(
    how: str, behaviour: Behaviour, dialect: Dialect, dial: Dial, outcome: Outcome, provider: Provider
) -> None:
    provider.script(dialect.target(stream=True).partition("?")[0], behaviour)
    answer = asked(dial, "a sentence that is long enough to be cut", dialect=dialect, stream=True)
    assert not answer.whole
    assert outcome() == "upstream_failed"


def test_a_whole_answer_that_breaks_off_is_a_502(dial: Dial, provider: Provider) -> None:
    provider.script(CHAT.target(), Cut(after=20))
    assert asked(dial).status == 502


def test_a_passed_answer_that_breaks_off_never_ends_in_order(dial: Dial, provider: Provider) -> None:
    provider.script("/v1/files/x/content", Cut(after=5))
    answer = dial("api.openai.com").ask("GET", "/v1/files/x/content")
    assert (answer.status, answer.whole) == (404, False)


def test_an_answer_that_only_the_end_of_the_connection_ends_is_whole(dial: Dial, stage: Stage) -> None:
    events = b'data: {"choices": [{"index": 0, "delta": {"content": "hi"}}]}\n\ndata: [DONE]\n\n'
    stage.switch.script = raw_answer(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + events)
    answer = asked(dial, host=RAW, stream=True)
    assert (answer.whole, answer.body) == (True, events)


# Odd answers.


def test_a_stream_that_is_none_passes_as_it_came(dial: Dial, provider: Provider) -> None:
    events = broken_events()
    provider.script(CHAT.target(), events)
    answer = asked(dial, stream=True)
    assert (answer.status, answer.whole) == (200, True)
    assert answer.body == b"".join(events.body)


def test_a_secret_between_broken_events_is_found(dial: Dial, provider: Provider) -> None:
    secret = made_up_key()
    chunk = b'data: {"choices": [{"index": 0, "delta": {"content": "%s"}}]}\n\n'
    half = len(secret) // 2
    parts = (
        b"data: {broken\n\n",
        chunk % secret[:half].encode(),
        b": hm\n\n",
        chunk % secret[half:].encode(),
    )
    provider.script(CHAT.target(), Canned(headers=(EVENTS,), body=parts))
    answer = asked(dial, stream=True)
    assert answer.whole
    assert "[REDACTED:openai_api_key]" in answer.text
    assert secret[half:] not in answer.text


def test_an_event_without_end_is_cut_off(dial: Dial, provider: Provider, outcome: Outcome) -> None:
    parts = (b"data: {", *(b"x" * 2**20 for _ in range(17)))
    provider.script(CHAT.target(), Canned(headers=(EVENTS,), body=parts))
    answer = asked(dial, stream=True)
    assert not answer.whole
    assert outcome() == "upstream_failed"


@pytest.mark.parametrize("kind", ["text/plain", "text/html; charset=utf-8", ""])
def test_an_answer_of_another_kind_is_judged_as_text(kind: str, dial: Dial, provider: Provider) -> None:
    secret = made_up_key()
    headers = ((b"content-type", kind.encode()),) if kind else ()
    provider.script(CHAT.target(), Canned(headers=headers, body=f"use {secret}, then".encode()))
    assert asked(dial).text == "use [REDACTED:openai_api_key], then"


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_a_stream_compressed_against_our_wish_is_inspected(
    coding: str, dial: Dial, provider: Provider
) -> None:
    secret = made_up_key()
    provider.script(CHAT.target(), Compressed(coding=coding))
    answer = asked(dial, f"reverse: {secret[::-1]}", stream=True)
    assert answer.whole
    assert "[REDACTED:openai_api_key]" in answer.text
    assert "content-encoding" not in answer.headers


def test_a_stream_cut_between_any_two_bytes_is_inspected(dial: Dial, provider: Provider) -> None:
    secret = made_up_key()
    provider.script(MESSAGES.target(), Torn(size=7))
    answer = asked(
        dial, f"reverse: grüße, {secret}"[::-1].replace(" :esrever", ""), dialect=MESSAGES, stream=True
    )
    assert answer.whole
    provider.reset()
    provider.script(MESSAGES.target(), Torn(size=7))
    answer = asked(dial, f"reverse: {secret[::-1]} eßürg", dialect=MESSAGES, stream=True)
    assert answer.whole
    assert "[REDACTED:openai_api_key]" in answer.text


def test_a_compressed_stream_that_is_cut_never_ends_in_order(dial: Dial, provider: Provider) -> None:
    packed = zlib.compressobj(wbits=31)
    half = packed.compress(b"data: {}\n\n") + packed.flush(zlib.Z_SYNC_FLUSH)
    provider.script(CHAT.target(), Canned(headers=(EVENTS, (b"content-encoding", b"gzip")), body=half))
    assert not asked(dial, stream=True).whole


def test_errors_of_the_provider_pass_as_they_came(dial: Dial, provider: Provider) -> None:
    body = b'{"error": {"message": "slow down", "type": "rate_limit"}}'
    headers = ((b"content-type", b"application/json"), (b"retry-after", b"7"))
    provider.script(CHAT.target(), Canned(status=429, headers=headers, body=body))
    answer = asked(dial)
    assert (answer.status, answer.body, answer.headers["retry-after"]) == (429, body, "7")


@pytest.mark.parametrize(
    "head", [b"204 No Content", b"304 Not Modified\r\nContent-Length: 512", b"205 Reset Content"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_answer_without_body_passes(head: bytes, method: str, dial: Dial, stage: Stage) -> None:
    stage.switch.script = raw_answer(
        b"HTTP/1.1 " + head + b"\r\nConnection: close\r\nContent-Type: application/json\r\n\r\n"
    )
    line = dial(RAW)
    answer = line.ask(method, CHAT.target(), CHAT.body("hello") if method == "POST" else None)
    assert (answer.status, answer.body, answer.whole) == (int(head[:3]), b"", True)
    stage.switch.script = raw_answer(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
    assert line.ask("GET", "/").body == b"ok"  # and nothing of it is taken for the next one


def test_the_head_alone_passes(dial: Dial, stage: Stage) -> None:
    stage.switch.script = raw_answer(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 512\r\n\r\n")
    line = dial(RAW)
    answer = line.ask("HEAD", "/v1/files/x")
    assert (answer.status, answer.headers["content-length"], answer.whole) == (200, "512", True)
    stage.switch.script = raw_answer(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
    assert line.ask("GET", "/").body == b"ok"


def test_an_offer_of_http_3_is_not_passed_on(dial: Dial, provider: Provider) -> None:
    provider.script("/v1/models", Canned(headers=((b"alt-svc", b'h3=":443"'),), body=b"{}"))
    assert "alt-svc" not in dial("api.openai.com").ask("GET", "/v1/models").headers


def test_hints_before_the_answer_are_skipped(dial: Dial, stage: Stage) -> None:
    stage.switch.script = raw_answer(
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    )
    assert asked(dial, host=RAW).body == b"{}"


# Clients that leave.


def test_a_client_that_leaves_before_the_answer_frees_the_provider(
    dial: Dial, stage: Stage, outcome: Outcome
) -> None:
    left: list[float] = []

    async def thinking(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        request = await read_request(reader)
        begun.append(time.monotonic())
        await reader.read()
        left.append(time.monotonic())
        return request

    begun: list[float] = []
    stage.switch.script = thinking
    line = dial(RAW)
    line.request("POST", CHAT.target(), CHAT.body("think hard"))
    wait_until(lambda: bool(begun), "the request to reach the provider")
    hung_up = time.monotonic()
    line.close()
    wait_until(lambda: bool(left), "the provider to be left")
    assert left[0] - hung_up < 1
    assert outcome() == "client_closed"


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_client_that_leaves_its_stream_frees_the_provider(
    dialect: Dialect, dial: Dial, provider: Provider, outcome: Outcome
) -> None:
    target = dialect.target(stream=True)
    provider.script(target.partition("?")[0], Stall(after=3000))
    line = dial(dialect.host)
    line.request("POST", target, dialect.body("a long answer, please " * 10, stream=True))
    assert line.begin().read1(99)
    line.close()
    provider.wait_for_disconnect(1)
    assert outcome() == "client_closed"
