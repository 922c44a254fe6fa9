"""Cohere's own SDK on the other side of the translator: its requests are read, our answers and streams understood."""

from __future__ import annotations

import warnings

import httpx
import orjson
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
    PartStarted,
    Reply,
    Started,
    StreamFailed,
    Text,
    Thinking,
    TokenCount,
    ToolCall,
    ToolUse,
    UsageKnown,
)
from agent.translation.cohere_chat import CohereChat
from tests.fakes.conversations import written

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import cohere

COHERE = CohereChat()
CALL = ToolCall(id="c1", name="weather", arguments='{"town":"Bern"}')
USAGE = TokenCount(input=9, output=4, cache_read=2)


class Provider:
    """Answers with what it is given; keeps the conversation it was asked to go on with."""

    def __init__(self, answer: bytes, content_type: str = "application/json") -> None:
        self._answer = answer
        self._type = content_type
        self.asked: Conversation | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked = COHERE.read_request(request.url.path, "", request.content)
        return httpx.Response(200, headers={"content-type": self._type}, content=self._answer)

    def client(self) -> cohere.ClientV2:
        transport = httpx.Client(transport=httpx.MockTransport(self))
        return cohere.ClientV2(api_key="k", base_url="http://cohere.test", httpx_client=transport)


def test_the_sdk_reads_our_answer_and_we_its_request() -> None:
    parts = (Thinking(text="hm"), Text(text="I ask."), CALL)
    choice = Choice(parts=parts, finish=Finish.TOOL_CALLS)
    provider = Provider(COHERE.write_answer(Reply(id="r1", model="m", choices=(choice,), usage=USAGE)))

    answer = provider.client().chat(
        model="command-a-03-2025",
        messages=[
            cohere.SystemChatMessageV2(content="Be brief."),
            cohere.UserChatMessageV2(content="Weather?"),
        ],
        tools=[
            cohere.ToolV2(
                function=cohere.ToolV2Function(name="weather", description="of a town", parameters={"a": 1})
            )
        ],
        tool_choice="REQUIRED",
        thinking=cohere.Thinking(type="enabled", token_budget=2000),
        k=3,
    )

    assert provider.asked is not None
    assert provider.asked.unread == ()
    assert provider.asked.tools[0].parameters == {"a": 1}
    assert provider.asked.tool_choice is not None
    assert provider.asked.tool_choice.use is ToolUse.REQUIRED
    assert answer.finish_reason == "TOOL_CALL"
    assert answer.message.content[0].thinking == "hm"
    assert answer.message.tool_plan == "I ask."
    assert answer.message.tool_calls[0].function.arguments == CALL.arguments
    assert answer.usage.tokens.input_tokens == 9


@pytest.mark.filterwarnings("ignore")
def test_the_sdk_reads_our_stream() -> None:
    stream = written(
        COHERE.stream_sink(Conversation(model="m", turns=())),
        [
            Started(id="r1"),
            PartStarted(part=0, kind=PartKind.THINKING),
            PartDelta(part=0, text="hm"),
            PartEnded(part=0),
            PartStarted(part=1, kind=PartKind.TEXT),
            PartDelta(part=1, text="I ask."),
            PartEnded(part=1),
            PartStarted(part=2, kind=PartKind.TOOL_CALL, call_id="c1", name="weather"),
            PartDelta(part=2, text=CALL.arguments),
            PartEnded(part=2),
            ChoiceEnded(finish=Finish.TOOL_CALLS),
            UsageKnown(usage=USAGE),
            Ended(),
        ],
    )
    provider = Provider(stream, "text/event-stream")

    events = list(provider.client().chat_stream(model="m", messages=[cohere.UserChatMessageV2(content="hi")]))

    assert provider.asked is not None
    assert provider.asked.stream
    assert [event.type for event in events] == [
        "message-start",
        "content-start",
        "content-delta",
        "content-end",
        "content-start",
        "content-delta",
        "content-end",
        "tool-call-start",
        "tool-call-delta",
        "tool-call-end",
        "message-end",
    ]
    assert events[2].delta.message.content.thinking == "hm"
    assert events[7].delta.message.tool_calls.function.name == "weather"
    assert events[8].delta.message.tool_calls.function.arguments == CALL.arguments
    assert events[-1].delta.finish_reason == "TOOL_CALL"
    assert events[-1].delta.usage.tokens.output_tokens == 4


def test_the_sdk_is_told_of_a_failure() -> None:
    events = [Started(id="r1"), StreamFailed(message="gone", status=503)]
    provider = Provider(
        written(COHERE.stream_sink(Conversation(model="m", turns=())), events), "text/event-stream"
    )
    *_, last = provider.client().chat_stream(model="m", messages=[cohere.UserChatMessageV2(content="hi")])
    assert (last.delta.finish_reason, last.delta.error) == ("ERROR", "gone")


def test_the_sdks_messages_of_earlier_turns_are_read() -> None:
    provider = Provider(
        orjson.dumps({"id": "r", "finish_reason": "COMPLETE", "message": {"role": "assistant"}})
    )
    call = cohere.ToolCallV2(id="c1", function=cohere.ToolCallV2Function(name="weather", arguments="{}"))
    provider.client().chat(
        model="m",
        messages=[
            cohere.UserChatMessageV2(content="Weather?"),
            cohere.AssistantChatMessageV2(tool_calls=[call], tool_plan="I ask."),
            cohere.ToolChatMessageV2(
                tool_call_id="c1",
                content=[cohere.DocumentToolContent(document=cohere.Document(data={"sky": "blue"}, id="1"))],
            ),
        ],
    )
    assert provider.asked is not None
    assert provider.asked.unread == ()
    assert [len(turn.parts) for turn in provider.asked.turns] == [1, 2, 1]
