"""OpenAI Responses as a whole: there and back, and with the official SDK as the client.

The cases named after a bug are those that peers had in this format.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import httpx
import openai
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llm_rosetta.converters.openai_responses.converter import OpenAIResponsesConverter

from agent.model.conversation import (
    Choice,
    ChoiceEnded,
    Conversation,
    Ended,
    Finish,
    Media,
    PartDelta,
    PartEnded,
    PartKind,
    PartSigned,
    PartStarted,
    Reply,
    Speaker,
    Started,
    StreamEvent,
    Text,
    Thinking,
    TokenCount,
    ToolCall,
    ToolResult,
    Turn,
    UsageKnown,
)
from agent.translation.base import Losses, Translator
from agent.translation.openai_responses import OpenAIResponses
from agent.translation.openai_responses.writing import call_id
from tests.fakes.conversations import (
    chunkings,
    conversations,
    folded,
    merged,
    read,
    replies,
    streams,
    written,
)

FORMAT: Translator = OpenAIResponses()
ASKED = Conversation(model="gpt-5.4", turns=())


def there_and_back(conversation: Conversation) -> tuple[Conversation, tuple[str, ...]]:
    losses = Losses(target=FORMAT.name, drop=True)
    request = FORMAT.write_request(conversation, losses)
    return FORMAT.read_request("/v1/responses", "", request.body), losses.settle()


def carried(conversation: Conversation) -> Conversation:
    """What of the conversation this format carries."""
    thread = merged(conversation)
    turns = tuple(replace(turn, parts=tuple(_carried(turn))) for turn in thread.turns)
    return replace(
        thread,
        turns=tuple(turn for turn in turns if turn.parts),
        tools=tuple(
            replace(
                tool,
                cache=None,
                strict=bool(tool.strict),
                parameters=tool.parameters or {"type": "object", "properties": {}},
            )
            for tool in thread.tools
        ),
        sampling=replace(thread.sampling, stop=()),
    )


def _carried(turn: Turn) -> Iterable[Any]:
    for part in turn.parts:
        match part:
            case Thinking():
                if part.sealed and part.id:
                    yield part
            case Media():
                yield replace(
                    part, cache=None, detail=part.detail or ("auto" if part.kind == "image" else "")
                )
            case ToolCall():
                yield replace(part, cache=None, id=call_id(part.id))
            case ToolResult():
                yield replace(part, cache=None, call_id=call_id(part.call_id))
            case _:
                yield replace(part, cache=None)


@given(conversations())
@settings(max_examples=15, deadline=None)
def test_a_conversation_comes_back_as_it_went(conversation: Conversation) -> None:
    back, lost = there_and_back(conversation)
    assert merged(back) == merged(carried(conversation))
    assert lost == (("sampling.stop",) if conversation.sampling.stop else ())


@given(replies())
@settings(max_examples=15, deadline=None)
def test_an_answer_comes_back_as_it_went(reply: Reply) -> None:
    back = FORMAT.read_answer(FORMAT.write_answer(reply))
    assert replace(back, usage=reply.usage) == reply
    assert back.usage == replace(reply.usage, cache_write_1h=None)


@given(streams(overlapping=True), st.data())
@settings(max_examples=15, deadline=None)
def test_a_stream_comes_back_as_it_went_however_it_is_cut(
    stream: tuple[StreamEvent, ...], data: st.DataObject
) -> None:
    sent = written(FORMAT.stream_sink(ASKED), stream)
    back = read(FORMAT.stream_source(), data.draw(chunkings(sent)))
    assert _comparable(back) == _comparable(stream)


def _comparable(stream: Iterable[StreamEvent]) -> list[StreamEvent]:
    """Without what has its own place in this format: usage, which comes with the end, and counts it lacks."""
    return [event for event in stream if not isinstance(event, UsageKnown)]


@given(streams())
@settings(max_examples=15, deadline=None)
def test_a_stream_says_what_the_whole_answer_says(stream: tuple[StreamEvent, ...]) -> None:
    whole = folded(stream)
    final = _final(written(FORMAT.stream_sink(ASKED), stream))
    assert final == orjson.loads(FORMAT.write_answer(whole))


def _final(stream: bytes) -> dict[str, Any]:
    last = stream.rstrip().rpartition(b"\n")[2].removeprefix(b"data: ")
    response: dict[str, Any] = orjson.loads(last)["response"]
    return response


class Answering(httpx.BaseTransport):
    """Answers every request with `body`."""

    def __init__(self) -> None:
        self.body = b""
        self.media_type = "application/json"

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": self.media_type}, content=self.body)


@pytest.fixture(scope="module")
def provider() -> Answering:
    return Answering()


@pytest.fixture(scope="module")
def sdk(provider: Answering) -> openai.OpenAI:
    return openai.OpenAI(
        api_key="k", base_url="http://gateway.test/v1", http_client=httpx.Client(transport=provider)
    )


@given(streams(overlapping=True))
@settings(max_examples=10, deadline=None)
def test_the_official_sdk_reads_the_stream(
    provider: Answering, sdk: openai.OpenAI, stream: tuple[StreamEvent, ...]
) -> None:
    reply = folded(stream)
    (choice,) = reply.choices
    provider.body, provider.media_type = written(FORMAT.stream_sink(ASKED), stream), "text/event-stream"
    with sdk.responses.stream(model="m", input="hi") as responses:
        received = list(responses)
        if choice.finish in (Finish.STOP, Finish.TOOL_CALLS):
            _assert_read(responses.get_final_response(), choice)
    assert received[-1].type in ("response.completed", "response.incomplete")


@given(replies())
@settings(max_examples=10, deadline=None)
def test_the_official_sdk_reads_the_answer(provider: Answering, sdk: openai.OpenAI, reply: Reply) -> None:
    provider.body, provider.media_type = FORMAT.write_answer(reply), "application/json"
    _assert_read(sdk.responses.create(model="m", input="hi"), reply.choices[0])


def _assert_read(response: Any, choice: Choice) -> None:
    assert response.output_text == "".join(part.text for part in choice.parts if isinstance(part, Text))
    assert [
        (item.call_id, item.name, item.arguments) for item in response.output if item.type == "function_call"
    ] == [(part.id, part.name, part.arguments) for part in choice.parts if isinstance(part, ToolCall)]
    type(response).model_validate_json(response.model_dump_json())  # strictly, which the client is not


@given(conversations(media=False, thinking=False, cache=False))
@settings(max_examples=10, deadline=None)
def test_another_converter_reads_the_same_words_and_calls_in_the_request(
    conversation: Conversation,
) -> None:
    """Where that one is right: texts, calls and results. It loses strictness and more besides."""
    request = FORMAT.write_request(conversation, Losses(target=FORMAT.name, drop=True))
    understood = OpenAIResponsesConverter().request_from_provider(orjson.loads(request.body))
    parts = [part for message in understood["messages"] for part in message["content"]]
    called = [
        (call_id(part.id), part.name)
        for turn in conversation.turns
        for part in turn.parts
        if isinstance(part, ToolCall)
    ]
    assert [(p["tool_call_id"], p["tool_name"]) for p in parts if p["type"] == "tool_call"] == called
    texts = [
        part.text
        for turn in conversation.turns
        if turn.speaker is not Speaker.SYSTEM
        for part in turn.parts
        if isinstance(part, Text)
    ]
    spoken = [
        p["text"]
        for message in understood["messages"]
        if message["role"] in ("user", "assistant")
        for p in message["content"]
        if p["type"] == "text"
    ]
    assert spoken == texts


def test_a_signed_thought_of_another_provider_travels_as_a_reasoning_item() -> None:
    """Peers lost it, and the provider refused the next round."""
    thought = Thinking(text="hm", signature="EqQBCkYIBxgC")
    sealed = Thinking(sealed="EuYBCkQYAiJA")
    called = ToolCall(id="toolu_1", name="f", signature="Cs0DAdHtim8")
    answer = FORMAT.write_answer(
        Reply(id="msg_1", model="m", choices=(Choice(parts=(thought, sealed, called)),))
    )
    handed_back = [
        *orjson.loads(answer)["output"],
        {"type": "function_call_output", "call_id": "toolu_1", "output": "ok"},
    ]
    body = orjson.dumps({"model": "m", "input": handed_back})
    assert FORMAT.read_request("/v1/responses", "", body).turns == (
        Turn(speaker=Speaker.ASSISTANT, parts=(thought, sealed, called)),
        Turn(
            speaker=Speaker.USER,
            parts=(ToolResult(call_id="toolu_1", name="f", parts=(Text(text="ok"),)),),
        ),
    )


def test_a_call_s_signature_streams_beside_the_call() -> None:
    stream = (
        Started(id="r1", model="m", created=1),
        PartStarted(part=0, kind=PartKind.TOOL_CALL, call_id="c1", name="f"),
        PartDelta(part=0, text="{}"),
        PartSigned(part=0, signature="Cs0D"),
        PartEnded(part=0),
        ChoiceEnded(finish=Finish.TOOL_CALLS),
        Ended(),
    )
    assert read(FORMAT.stream_source(), [written(FORMAT.stream_sink(ASKED), stream)]) == stream


def test_cached_tokens_are_part_of_the_input_and_thoughts_of_the_output() -> None:
    usage = TokenCount(input=1025, output=60, cache_read=1000, reasoning=40)
    answer = orjson.loads(FORMAT.write_answer(Reply(id="r", model="m", choices=(), usage=usage)))["usage"]
    assert (answer["input_tokens"], answer["input_tokens_details"]["cached_tokens"]) == (1025, 1000)
    assert (answer["output_tokens"], answer["output_tokens_details"]["reasoning_tokens"]) == (60, 40)
    assert answer["total_tokens"] == 1085


def test_parallel_results_are_one_turn() -> None:
    items = [{"type": "function_call_output", "call_id": call, "output": "ok"} for call in ("a", "b")]
    (turn,) = FORMAT.read_request("", "", orjson.dumps({"model": "m", "input": items})).turns
    assert len(turn.parts) == 2


def test_it_says_what_it_is() -> None:
    assert (FORMAT.name, FORMAT.stream_type) == ("openai-responses", b"text/event-stream")


@pytest.mark.parametrize("whole", [b"event: response.created\ndata: {}\n\n"])
def test_a_source_can_be_fed_byte_by_byte(whole: bytes) -> None:
    one = FORMAT.stream_source()
    assert [event for at in range(len(whole)) for event in one.feed(whole[at : at + 1])] == [Started()]
