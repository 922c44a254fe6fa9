"""What the translators write, read by the official SDKs of the formats."""

from __future__ import annotations

import anthropic
import httpx2
import openai
import pytest

from agent.model.conversation import (
    Choice,
    ChoiceEnded,
    Conversation,
    Ended,
    Finish,
    PartDelta,
    PartEnded,
    PartKind,
    PartSigned,
    PartStarted,
    Reply,
    Started,
    StreamEvent,
    StreamFailed,
    Text,
    Thinking,
    TokenCount,
    ToolCall,
    UsageKnown,
)
from agent.translation.anthropic_messages import AnthropicMessages
from agent.translation.openai_chat import OpenAIChat
from tests.fakes.conversations import written

ASKED = Conversation(model="m", turns=())
COUNT = TokenCount(input=30, output=9, cache_read=10, cache_write=5, reasoning=4)
REPLY = Reply(
    id="answer_1",
    model="m",
    created=7,
    choices=(
        Choice(
            parts=(
                Thinking(text="hm", signature="sig"),
                Text(text="so"),
                ToolCall(id="call_1", name="t", arguments='{"a":1}'),
            ),
            finish=Finish.TOOL_CALLS,
        ),
    ),
    usage=COUNT,
)
STARTED = Started(id="answer_1", model="m", created=7)
EVENTS: tuple[StreamEvent, ...] = (
    STARTED,
    PartStarted(part=0, kind=PartKind.THINKING),
    PartDelta(part=0, text="hm"),
    PartSigned(part=0, signature="sig"),
    PartEnded(part=0),
    PartStarted(part=1, kind=PartKind.TEXT),
    PartDelta(part=1, text="s"),
    PartDelta(part=1, text="o"),
    PartEnded(part=1),
    PartStarted(part=2, kind=PartKind.TOOL_CALL, call_id="call_1", name="t"),
    PartDelta(part=2, text='{"a"'),
    PartDelta(part=2, text=":1}"),
    PartEnded(part=2),
    ChoiceEnded(finish=Finish.TOOL_CALLS),
    UsageKnown(usage=COUNT),
    Ended(),
)


def transport(body: bytes, kind: str = "application/json") -> httpx2.Client:
    answer = httpx2.Response(200, headers={"content-type": kind}, content=body)
    return httpx2.Client(transport=httpx2.MockTransport(lambda request: answer))


def claude(body: bytes, kind: str = "application/json") -> anthropic.Anthropic:
    return anthropic.Anthropic(api_key="none", http_client=transport(body, kind), max_retries=0)


def gpt(body: bytes, kind: str = "application/json") -> openai.OpenAI:
    return openai.OpenAI(api_key="none", http_client=transport(body, kind), max_retries=0)


def check_message(message: anthropic.types.Message) -> None:
    assert [block.type for block in message.content] == ["thinking", "text", "tool_use"]
    thought, text, call = message.content
    assert (thought.thinking, thought.signature) == ("hm", "sig")
    assert text.text == "so"
    assert (call.id, call.name, call.input) == ("call_1", "t", {"a": 1})
    assert message.stop_reason == "tool_use"
    usage = message.usage
    assert (usage.input_tokens, usage.output_tokens) == (15, 9)
    assert (usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (10, 5)


def test_a_message() -> None:
    client = claude(AnthropicMessages().write_answer(REPLY))
    check_message(
        client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "a"}])
    )


def test_a_stream_of_messages_events() -> None:
    stream = written(AnthropicMessages().stream_sink(ASKED), EVENTS)
    with claude(stream, "text/event-stream").messages.stream(
        model="m", max_tokens=9, messages=[{"role": "user", "content": "a"}]
    ) as told:
        check_message(told.get_final_message())


def test_a_stream_of_messages_events_that_fails() -> None:
    stream = written(
        AnthropicMessages().stream_sink(ASKED), [STARTED, StreamFailed(message="busy", status=529)]
    )
    client = claude(stream, "text/event-stream")
    with (
        pytest.raises(anthropic.APIStatusError, match="busy"),
        client.messages.stream(model="m", max_tokens=9, messages=[{"role": "user", "content": "a"}]) as told,
    ):
        told.get_final_message()


def test_a_chat_completion() -> None:
    client = gpt(OpenAIChat().write_answer(REPLY))
    told = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "a"}])
    (choice,) = told.choices
    assert choice.message.content == "so"
    assert choice.message.tool_calls
    (call,) = choice.message.tool_calls
    assert (call.id, call.function.name, call.function.arguments) == ("call_1", "t", '{"a":1}')
    assert choice.finish_reason == "tool_calls"
    assert told.usage
    assert (told.usage.prompt_tokens, told.usage.completion_tokens, told.usage.total_tokens) == (30, 9, 39)
    assert told.usage.prompt_tokens_details
    assert told.usage.prompt_tokens_details.cached_tokens == 10


def test_a_stream_of_chunks() -> None:
    stream = written(OpenAIChat().stream_sink(ASKED), EVENTS)
    client = gpt(stream, "text/event-stream")
    with client.chat.completions.stream(model="m", messages=[{"role": "user", "content": "a"}]) as told:
        for _ in told:
            pass
        final = told.get_final_completion()
    (choice,) = final.choices
    assert choice.message.content == "so"
    assert choice.message.tool_calls
    assert choice.message.tool_calls[0].function.arguments == '{"a":1}'
    assert choice.finish_reason == "tool_calls"
    assert final.usage
    assert final.usage.prompt_tokens == 30


def test_a_stream_of_chunks_that_fails() -> None:
    stream = written(OpenAIChat().stream_sink(ASKED), [STARTED, StreamFailed(message="busy", status=529)])
    client = gpt(stream, "text/event-stream")
    told = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "a"}], stream=True)
    with pytest.raises(openai.APIError, match="busy"):
        list(told)
