"""A provider's answer in the client's format."""

from __future__ import annotations

from itertools import pairwise

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.dialects import DIALECTS
from agent.errors import UpstreamError
from agent.gateway.unified.translated import Languages, TranslatedAnswer, provider_message
from agent.model.conversation import Conversation
from agent.translation.base import Translator
from agent.translation.registry import translator
from tests.fakes.upstream import JSON, SSE, FakeResponse

WHOLE = orjson.dumps(
    {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [{"type": "text", "text": "Hello."}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 7, "output_tokens": 2},
    }
)


def event(kind: str, **fields: object) -> bytes:
    return f"event: {kind}\ndata: ".encode() + orjson.dumps({"type": kind, **fields}) + b"\n\n"


BEGUN = event("message_start", message={"id": "m", "model": "claude", "usage": {"input_tokens": 7}})
TEXT = event("content_block_start", index=0, content_block={"type": "text", "text": ""}) + event(
    "content_block_delta", index=0, delta={"type": "text_delta", "text": "Hel"}
)
MORE = event("content_block_delta", index=0, delta={"type": "text_delta", "text": "lo."}) + event(
    "content_block_stop", index=0
)
OVER = event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 2}) + event(
    "message_stop"
)


def known(dialect: str) -> Translator:
    found = translator(dialect)
    assert found is not None
    return found


def languages(client: str = "openai-chat", *, stream: bool = False, array: bool = False) -> Languages:
    path = f"/v1beta/models/m:{'streamGenerateContent' if stream else 'generateContent'}"
    body = orjson.dumps({"contents": [{"parts": [{"text": "hi"}]}]})
    if client == "openai-chat":
        path, body = "", orjson.dumps({"model": "m", "messages": [], "stream": stream})
    conversation: Conversation = known(client).read_request(path, "", body)
    return Languages(
        client=known(client),
        provider=known("anthropic-messages"),
        conversation=conversation,
        voice=DIALECTS[client],
        array=array,
    )


async def read(answer: TranslatedAnswer) -> bytes:
    return b"".join([chunk async for chunk in answer.chunks()])


def kind(answer: TranslatedAnswer) -> bytes:
    return dict(answer.headers)[b"content-type"]


async def test_a_whole_answer_is_written_anew_and_the_lengths_of_the_old_one_are_gone() -> None:
    fields = (*JSON, (b"content-length", b"999"), (b"x-kept", b"1"))
    answer = TranslatedAnswer(FakeResponse(WHOLE, headers=fields), languages(), limit=10_000)
    assert answer.headers == ((b"x-kept", b"1"), (b"content-type", b"application/json"))
    assert orjson.loads(await read(answer))["choices"][0]["message"]["content"] == "Hello."


@given(st.lists(st.integers(0, len(BEGUN + TEXT + MORE + OVER)), max_size=5))
async def test_a_stream_is_translated_wherever_it_is_cut(cuts: list[int]) -> None:
    stream = BEGUN + TEXT + MORE + OVER
    edges = [0, *sorted(cuts), len(stream)]
    pieces = [stream[a:b] for a, b in pairwise(edges) if a < b]
    answer = TranslatedAnswer(FakeResponse(*pieces, headers=SSE), languages(stream=True), limit=10_000)
    made = await read(answer)
    assert kind(answer) == b"text/event-stream"
    assert made.endswith(b"data: [DONE]\n\n")
    said = [orjson.loads(line[6:]) for line in made.split(b"\n\n") if line.startswith(b"data: {")]
    text = "".join(each["delta"].get("content") or "" for chunk in said for each in chunk["choices"])
    assert text == "Hello."


async def test_who_asked_for_a_stream_gets_one_of_a_whole_answer() -> None:
    answer = TranslatedAnswer(FakeResponse(WHOLE), languages(stream=True), limit=10_000)
    assert kind(answer) == b"text/event-stream"
    assert (await read(answer)).endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize(
    "response", [FakeResponse(BEGUN + TEXT, MORE, OVER, headers=SSE), FakeResponse(WHOLE)]
)
async def test_events_can_stand_in_one_array(response: FakeResponse) -> None:
    asked = languages("gemini-generate-content", stream=True, array=True)
    answer = TranslatedAnswer(response, asked, limit=10_000)
    assert kind(answer) == b"application/json"
    found = orjson.loads(await read(answer))
    parts = [part for each in found for part in each["candidates"][0].get("content", {}).get("parts", ())]
    assert "".join(part.get("text", "") for part in parts) == "Hello."


@pytest.mark.parametrize("pieces", [(BEGUN, TEXT), (b"",), (b"no stream at all",)])
async def test_a_stream_that_breaks_off_is_no_answer(pieces: tuple[bytes, ...]) -> None:
    answer = TranslatedAnswer(FakeResponse(*pieces, headers=SSE), languages(stream=True), limit=10_000)
    with pytest.raises(UpstreamError):
        await read(answer)


async def test_what_is_no_answer_or_too_long_is_an_error_of_the_provider() -> None:
    for body in (b"<html>", b"[]", WHOLE * 20):
        with pytest.raises(UpstreamError):
            await read(TranslatedAnswer(FakeResponse(body), languages(), limit=1000))


async def test_an_error_is_told_in_the_clients_dialect() -> None:
    problem = orjson.dumps({"type": "error", "error": {"type": "x", "message": "too long"}})
    answer = TranslatedAnswer(FakeResponse(problem, status=400), languages(stream=True), limit=1000)
    assert kind(answer) == b"application/json"
    assert orjson.loads(await read(answer))["error"]["message"] == "too long"


async def test_an_error_names_in_the_clients_words_what_it_is_about() -> None:
    for status, said, code in (
        (400, "prompt is too long: 210000 tokens > 200000 maximum", "context_length_exceeded"),
        (404, "model: claude-none", "model_not_found"),
        (429, "slow down", "rate_limit_exceeded"),
        (400, "messages: must not be empty", None),
    ):
        problem = orjson.dumps({"type": "error", "error": {"type": "x", "message": said}})
        answer = TranslatedAnswer(FakeResponse(problem, status=status), languages(), limit=1000)
        error = orjson.loads(await read(answer))["error"]
        assert (error["message"], error["code"]) == (said, code)


async def test_what_is_given_up_is_closed() -> None:
    response = FakeResponse(WHOLE)
    await TranslatedAnswer(response, languages(), limit=1000).aclose()
    assert response.closed


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"error":{"message":"a"}}', "a"),
        (b'[{"error":{"message":"a"}}]', "a"),
        (b'{"error":"a"}', "a"),
        (b'{"message":"a"}', "a"),
        (b'{"Message":"a"}', "a"),
        (b'{"detail":"a"}', "a"),
        (b"<html>", "the provider answered with HTTP status 400"),
        (b'{"error":{"message":7}}', "the provider answered with HTTP status 400"),
    ],
)
def test_a_providers_words_are_found_where_they_usually_stand(body: bytes, message: str) -> None:
    assert provider_message(body, 400) == message


def test_a_providers_words_are_bounded() -> None:
    assert len(provider_message(orjson.dumps({"error": "x" * 10_000}), 400)) == 2000
