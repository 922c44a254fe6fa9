"""Answers on their way back: judged while they flow, ended in order or visibly cut."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import Iterable

import orjson
import pytest

from agent.dialects import DIALECTS
from agent.gateway.transport.base import FailureKind, Headers, TransportError
from agent.inspection import RuleBook
from agent.model.content import Where
from agent.model.decision import Action
from agent.model.record import Outcome
from agent.policy import load
from tests.fakes.loopback import until
from tests.fakes.rulebooks import BOMB, TOY, route_book, toy_policy
from tests.fakes.streams import TEXTS, ChatText, Voice
from tests.fakes.upstream import SSE, FakeClient
from tests.unit.gateway.conftest import POST_JSON, Gateway, policy

GONE = "[REDACTED:toy]"
ASK = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}'
PLACES = {
    "openai-chat": ("api.openai.com", "/v1/chat/completions"),
    "openai-responses": ("api.openai.com", "/v1/responses"),
    "anthropic-messages": ("api.anthropic.com", "/v1/messages"),
    "gemini-generate-content": (
        "generativelanguage.googleapis.com",
        "/v1beta/models/g:streamGenerateContent",
    ),
}
CUT = TransportError(FailureKind.CLOSED, "the connection ended before the answer did", sent=True)

each_voice = pytest.mark.parametrize("voice", TEXTS, ids=lambda voice: voice.dialect)


def answer(text: str) -> bytes:
    message = {"role": "assistant", "content": text}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    return json.dumps({"model": "m-2", "choices": choices, "usage": {"completion_tokens": 5}}).encode()


def said(client: FakeClient) -> str:
    content = orjson.loads(client.body)["choices"][0]["message"]["content"]
    assert isinstance(content, str)
    return content


async def listen(gateway: Gateway, voice: Voice, client: FakeClient | None = None) -> FakeClient:
    host, path = PLACES[voice.dialect]
    return await gateway.ask(ASK, host=host, path=path, client=client)


def halves(stream: bytes) -> Iterable[bytes]:
    return (stream[at : at + 37] for at in range(0, len(stream), 37))


# Complete answers


async def test_a_clean_answer_passes_as_it_came_with_its_length(gateway: Gateway) -> None:
    headers: Headers = (
        *POST_JSON,
        (b"x-request-id", b"r"),
        (b"alt-svc", b"h3"),
        (b"transfer-encoding", b"chunked"),
    )
    gateway.answers(answer("hello")[:10], answer("hello")[10:], headers=headers)
    client = await gateway.ask(ASK)
    assert client.body == answer("hello")
    assert dict(client.headers) == {
        b"content-type": b"application/json",
        b"x-request-id": b"r",
        b"content-length": b"%d" % len(client.body),
    }


async def test_a_secret_in_an_answer_is_taken_out(gateway: Gateway) -> None:
    response = gateway.answers(answer(f"it is {TOY}."))
    client = await gateway.ask(ASK)
    assert said(client) == f"it is {GONE}."
    assert client.header(b"content-length") == b"%d" % len(client.body)
    assert [hit.where for hit in gateway.event.decision.hits] == [Where.ANSWER]
    assert gateway.event.response_bytes == len(client.body)
    assert response.closed


async def test_a_blocked_answer_is_replaced_by_the_dialects_refusal(gateway: Gateway) -> None:
    gateway.answers(answer(BOMB))
    client = await gateway.ask(ASK)
    expected = DIALECTS["openai-chat"].block(gateway.event.decision.message)
    assert (client.status, client.body) == (expected.status, expected.body)
    assert (gateway.event.outcome, gateway.event.status) == (Outcome.BLOCKED, expected.status)
    assert gateway.event.usage.output_tokens == 5  # it was paid for


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_an_answer_that_is_compressed_unasked_is_read_all_the_same(
    gateway: Gateway, encoding: str
) -> None:
    packed = (gzip.compress if encoding == "gzip" else zlib.compress)(answer(TOY))
    gateway.answers(packed[:20], packed[20:], headers=(*POST_JSON, (b"content-encoding", encoding.encode())))
    client = await gateway.ask(ASK)
    assert said(client) == GONE
    assert client.header(b"content-encoding") is None


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"no gzip", b"gzip"),
        (gzip.compress(b"{}")[:-3], b"gzip"),
        (b"x", b"klingon"),
        (b"x" * 100_001, b"identity"),
    ],
    ids=["corrupt", "cut short", "unknown", "too large"],
)
async def test_an_answer_that_cannot_be_read_is_the_providers_failure(
    gateway: Gateway, body: bytes, encoding: bytes
) -> None:
    response = gateway.answers(body, headers=(*POST_JSON, (b"content-encoding", encoding)))
    client = await gateway.ask(ASK)
    assert client.status == 502
    assert gateway.event.outcome is Outcome.UPSTREAM_FAILED
    assert "cannot be read" in gateway.event.error
    assert response.closed


async def test_an_answer_that_breaks_off_before_anything_was_sent_is_an_error_answer(
    gateway: Gateway,
) -> None:
    gateway.answers(answer("half")[:9], CUT)
    client = await gateway.ask(ASK)
    assert client.status == 502
    assert client.finished
    assert gateway.event.outcome is Outcome.UPSTREAM_FAILED


@pytest.mark.parametrize("status", [401, 429, 500])
async def test_an_error_of_the_provider_passes_as_it_came(gateway: Gateway, status: int) -> None:
    body = b'{"error":{"message":"slow down"}}'
    gateway.answers(body, status=status, headers=(*POST_JSON, (b"retry-after", b"7")))
    client = await gateway.ask(ASK)
    assert (client.status, client.body, client.header(b"retry-after")) == (status, body, b"7")
    assert (gateway.event.status, gateway.event.outcome) == (status, Outcome.COMPLETED)


async def test_what_is_neither_json_nor_text_passes_as_it_came(gateway: Gateway) -> None:
    gateway.answers(b"RIFF", f"{TOY}".encode(), headers=((b"content-type", b"audio/wav"),))
    assert (await gateway.ask(ASK)).body == f"RIFF{TOY}".encode()


@pytest.mark.parametrize("kind", [b"text/html", b"text/plain; charset=utf-8", b"application/json"])
async def test_an_answer_that_is_not_its_dialect_is_judged_as_text(gateway: Gateway, kind: bytes) -> None:
    gateway.answers(b"<html>", f"{TOY}".encode(), headers=((b"content-type", kind),))
    client = await gateway.ask(ASK)
    assert client.body == b"<html>[REDACTED:toy]"
    assert client.header(b"content-length") == str(len(client.body)).encode()


# Streams


@each_voice
async def test_a_stream_passes_piece_by_piece(gateway: Gateway, voice: Voice) -> None:
    stream = b"".join(voice.events(["hello ", "there, ", "all ", "of ", "you."]))
    gateway.answers(*halves(stream), headers=SSE)
    client = await listen(gateway, voice)
    assert client.body == stream
    assert len(client.pieces) > 3
    assert client.finished
    assert gateway.whole
    assert (gateway.event.outcome, gateway.event.usage.output_tokens) == (Outcome.COMPLETED, 5)
    assert gateway.event.response_bytes == len(stream)


@each_voice
async def test_a_secret_in_a_stream_never_leaves(gateway: Gateway, voice: Voice) -> None:
    stream = b"".join(voice.events(["it is ", TOY[:5], TOY[5:], ", keep it"]))
    gateway.answers(*halves(stream), headers=SSE)
    client = await listen(gateway, voice)
    assert voice.heard(client.body) == f"it is {GONE}, keep it"
    assert TOY.encode() not in client.body
    assert gateway.event.decision.action is Action.REDACT


@each_voice
async def test_a_block_ends_the_stream_in_order_and_hangs_up_on_the_provider(
    gateway: Gateway, voice: Voice
) -> None:
    never = asyncio.Event()
    stream = b"".join(voice.events(["fine ", f" {BOMB} ", "more", "and more"])[:-1])
    response = gateway.answers(stream, never, headers=SSE)
    client = await listen(gateway, voice)
    assert client.finished
    assert gateway.whole
    assert response.closed
    assert BOMB.encode() not in client.body
    assert gateway.event.decision.message in client.body.decode()
    assert gateway.event.outcome is Outcome.BLOCKED


async def test_a_stream_that_breaks_off_is_visibly_cut(gateway: Gateway) -> None:
    voice = ChatText()
    response = gateway.answers(voice.piece("one "), voice.piece("TOY-1"), CUT, headers=SSE)
    client = await listen(gateway, voice)
    assert voice.heard(client.body) == "one TOY-1"  # what was held is no secret after all
    assert not client.finished
    assert gateway.whole is False
    assert (gateway.event.outcome, gateway.event.error) == (Outcome.UPSTREAM_FAILED, str(CUT))
    assert response.closed


async def test_a_stream_that_cannot_be_read_is_visibly_cut(gateway: Gateway) -> None:
    headers = (*SSE, (b"content-encoding", b"gzip"))
    gateway.answers(gzip.compress(ChatText().piece("hi"))[:-8] + b"garbage!", headers=headers)
    client = await listen(gateway, ChatText())
    assert not client.finished
    assert gateway.whole is False
    assert "cannot be read" in gateway.event.error


async def test_a_compressed_stream_is_read_as_it_comes(gateway: Gateway) -> None:
    voice = ChatText()
    packer = zlib.compressobj(wbits=31)
    pieces = [
        packer.compress(event) + packer.flush(zlib.Z_SYNC_FLUSH) for event in voice.events(["a", TOY, "b"])
    ]
    gateway.answers(*pieces, packer.flush(), headers=(*SSE, (b"content-encoding", b"gzip")))
    client = await listen(gateway, voice)
    assert voice.heard(client.body) == f"a{GONE}b"
    assert client.header(b"content-encoding") is None


async def test_the_stream_of_a_download_that_breaks_off_is_cut_as_well(gateway: Gateway) -> None:
    gateway.answers(b"half", CUT)
    client = await gateway.ask(method="GET", path="/v1/files/1")
    assert client.body == b"half"
    assert not client.finished
    assert gateway.whole is False
    assert gateway.event.outcome is Outcome.UPSTREAM_FAILED


async def test_a_client_that_leaves_within_a_stream_hangs_up_on_the_provider(gateway: Gateway) -> None:
    voice = ChatText()
    early = voice.piece("one"), voice.piece("and two and three and four")
    response = gateway.answers(*early, asyncio.Event(), headers=SSE)
    client = FakeClient(ASK)
    listening = asyncio.create_task(listen(gateway, voice, client))
    await until(lambda: bool(client.pieces))
    listening.cancel()
    await listening
    assert response.closed
    assert gateway.event.outcome is Outcome.CLIENT_CLOSED
    assert gateway.whole is False


@policy("mode: observe")
async def test_observing_passes_a_stream_untouched(gateway: Gateway) -> None:
    stream = b"".join(ChatText().events([TOY, BOMB]))
    gateway.answers(*halves(stream), headers=SSE)
    client = await listen(gateway, ChatText())
    assert client.body == stream
    assert (gateway.event.decision.action, gateway.event.decision.applied) == (Action.BLOCK, False)


async def test_the_record_of_a_stream_is_durable_before_its_end_leaves(gateway: Gateway) -> None:
    gateway.audit.gate = asyncio.Event()
    gateway.answers(*ChatText().events(["hi"]), headers=SSE)
    client = FakeClient(ASK)
    listening = asyncio.create_task(listen(gateway, ChatText(), client))
    await asyncio.sleep(0.03)
    assert client.pieces  # what is judged flows meanwhile
    assert not client.finished
    gateway.audit.gate.set()
    await listening
    assert client.finished


# What is kept


@pytest.mark.parametrize(
    ("rules", "kept"),
    [("capture: full", f"say {TOY}"), ("capture: redacted", f"say {GONE}")],
    indirect=["rules"],
    ids=["full", "redacted"],
)
@pytest.mark.parametrize("streamed", [True, False])
async def test_an_answer_is_kept_as_policy_says(gateway: Gateway, kept: str, streamed: bool) -> None:
    if streamed:
        gateway.answers(*ChatText().events(["say ", TOY[:3], TOY[3:]]), headers=SSE)
    else:
        gateway.answers(answer(f"say {TOY}"))
    await listen(gateway, ChatText())
    assert gateway.event.answer == kept


@policy("capture: redacted")
async def test_of_a_blocked_answer_nothing_is_kept(gateway: Gateway) -> None:
    gateway.answers(answer(BOMB))
    await gateway.ask(ASK)
    assert gateway.event.answer == ""


@policy("capture: redacted")
async def test_of_a_blocked_stream_only_what_went_out_is_kept(gateway: Gateway) -> None:
    gateway.answers(*ChatText().events(["All well ", "until ", f" {BOMB} ", "after"]), headers=SSE)
    await listen(gateway, ChatText())
    assert gateway.event.answer == "All well until "


# Crashes


class CrashingScanner:
    """A scanner with a bug that only answers bring out."""

    rules = ()

    def scan(self, text: str) -> object:
        if "hello" in text:
            raise ZeroDivisionError
        return ()

    def stream(self) -> CrashingScanner:
        return self

    findings = ()
    cleared = 0

    def feed(self, text: str) -> None:
        self.scan(text)

    finish = staticmethod(lambda: None)


@pytest.fixture
def crashing(request: pytest.FixtureRequest) -> RuleBook:
    """A rule book of its own whose scanner crashes on answers."""
    made = RuleBook(load(toy_policy(request.param), source="p"))
    route_book(made)  # reads files: not in the loop
    made.scanner = CrashingScanner()  # type: ignore[assignment]
    return made


@pytest.mark.parametrize("crashing", ["on_error: block"], indirect=True, ids=[""])
@pytest.mark.parametrize("streamed", [True, False])
async def test_a_check_that_crashes_blocks_where_policy_says_so(
    gateway: Gateway, crashing: RuleBook, streamed: bool
) -> None:
    gateway.policy.rules = crashing
    if streamed:
        gateway.answers(*ChatText().events(["well ", "hello ", "you"]), headers=SSE)
    else:
        gateway.answers(answer("hello"))
    client = await listen(gateway, ChatText())
    assert client.finished
    assert b"hello" not in client.body
    assert "the check itself failed" in client.body.decode()
    assert gateway.event.outcome is Outcome.BLOCKED
    assert gateway.event.decision.rule_ids == ("on_error",)


@pytest.mark.parametrize("crashing", ["on_error: allow"], indirect=True, ids=[""])
@pytest.mark.parametrize("streamed", [True, False])
async def test_a_check_that_crashes_lets_pass_where_policy_says_so(
    gateway: Gateway, crashing: RuleBook, streamed: bool
) -> None:
    gateway.policy.rules = crashing
    body = b"".join(ChatText().events(["well ", "hello ", "you"])) if streamed else answer("hello")
    gateway.answers(*halves(body), headers=SSE if streamed else POST_JSON)
    client = await listen(gateway, ChatText())
    assert client.body == body
    assert client.finished
    assert gateway.event.outcome is Outcome.COMPLETED
    assert "the check itself failed" in gateway.event.decision.reason
