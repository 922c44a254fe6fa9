"""Gemini generateContent as a whole: there and back, and with the official SDK as the client.

The cases named after a bug are those that peers had in this format.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest
from google import genai
from google.genai import types
from hypothesis import given, settings
from hypothesis import strategies as st
from llm_rosetta.converters.google_generate.converter import GoogleGenerateConverter

from agent.errors import ContentError
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
    Tool,
    ToolCall,
    ToolChoice,
    ToolUse,
    Turn,
    UsageKnown,
)
from agent.translation.base import Losses, Translator
from agent.translation.gemini_generate import GeminiGenerate
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
from tests.fakes.response_events import events_of

FORMAT: Translator = GeminiGenerate()
ASKED = Conversation(model="gemini-3-pro", turns=())


def there_and_back(conversation: Conversation) -> tuple[Conversation, tuple[str, ...]]:
    losses = Losses(target=FORMAT.name, drop=True)
    request = FORMAT.write_request(conversation, losses)
    method = "streamGenerateContent" if request.operation == "chat_stream" else "generateContent"
    path = f"/v1beta/models/{conversation.model}:{method}"
    return FORMAT.read_request(path, "alt=sse", request.body), losses.settle()


def carried(conversation: Conversation) -> Conversation:
    """What of the conversation this format carries."""
    thread = merged(conversation)
    turns = tuple(replace(turn, parts=tuple(_carried(turn))) for turn in thread.turns)
    strict = any(tool.strict for tool in thread.tools)
    choice = thread.tool_choice
    validated = strict and (choice is None or choice.use is ToolUse.AUTO)
    if validated:
        choice = ToolChoice(use=ToolUse.AUTO)
    return replace(
        thread,
        turns=tuple(turn for turn in turns if turn.parts),
        tools=tuple(_carried_tool(tool, validated) for tool in thread.tools),
        tool_choice=replace(choice, parallel=None) if choice else None,
        output=replace(thread.output, name="", strict=None) if thread.output else None,
        user="",
    )


def _carried_tool(tool: Tool, validated: bool) -> Tool:
    parameters = tool.parameters if tool.parameters.get("properties") else {}
    return replace(tool, cache=None, strict=True if validated else None, parameters=parameters)


def _carried(turn: Turn) -> Iterable[Any]:
    for part in turn.parts:
        match part:
            case Thinking():
                pass  # none of these is this provider's
            case Media():
                media_type = "image/png" if part.url else part.media_type
                yield replace(part, cache=None, name="", media_type=media_type)
            case _:
                yield replace(part, cache=None)


@given(conversations())
@settings(max_examples=15, deadline=None)
def test_a_conversation_comes_back_as_it_went(conversation: Conversation) -> None:
    back, lost = there_and_back(conversation)
    assert merged(back) == merged(carried(conversation))
    parallel = conversation.tool_choice is not None and conversation.tool_choice.parallel is False
    assert lost == (("tool_choice.parallel",) if parallel else ())


def expected(reply: Reply) -> Reply:
    return replace(reply, created=0, usage=replace(reply.usage, cache_write=None, cache_write_1h=None))


@given(replies(most=3))
@settings(max_examples=15, deadline=None)
def test_an_answer_comes_back_as_it_went(reply: Reply) -> None:
    assert FORMAT.read_answer(FORMAT.write_answer(reply)) == expected(reply)


@given(streams(), st.data())
@settings(max_examples=15, deadline=None)
def test_a_stream_comes_back_as_it_went_however_it_is_cut(
    stream: tuple[StreamEvent, ...], data: st.DataObject
) -> None:
    """Calls come whole, whatever pieces they came in."""
    sent = written(FORMAT.stream_sink(ASKED), stream)
    back = read(FORMAT.stream_source(), data.draw(chunkings(sent)))
    assert folded(back) == expected(folded(stream))
    assert _pieces(back) == _pieces(stream)


def _pieces(stream: Iterable[StreamEvent]) -> list[PartDelta]:
    calls: set[int] = set()
    pieces: list[PartDelta] = []
    for event in stream:
        if isinstance(event, PartStarted) and event.kind is PartKind.TOOL_CALL:
            calls.add(event.part)
        elif isinstance(event, PartDelta) and event.part not in calls:
            pieces.append(event)
    return pieces


@given(streams(), st.data())
@settings(max_examples=15, deadline=None)
def test_a_stream_in_one_array_says_the_same(stream: tuple[StreamEvent, ...], data: st.DataObject) -> None:
    sent = written(FORMAT.stream_sink(ASKED), stream)
    array = b"[" + b",\r\n".join(orjson.dumps(document) for document in events_of(sent)) + b"\n]"
    chunks = data.draw(chunkings(array))
    assert read(FORMAT.stream_source(), chunks) == read(FORMAT.stream_source(), [sent])


class Answering(httpx.BaseTransport):
    """Answers every request with `body`, and keeps the request."""

    def __init__(self) -> None:
        self.body = b""
        self.media_type = "application/json"
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(200, headers={"content-type": self.media_type}, content=self.body)


@pytest.fixture(scope="module")
def provider() -> Answering:
    return Answering()


@pytest.fixture(scope="module")
def sdk(provider: Answering) -> genai.Client:
    options = types.HttpOptions(base_url="http://gateway.test", httpx_client=httpx.Client(transport=provider))
    return genai.Client(api_key="k", http_options=options)


@given(streams())
@settings(max_examples=10, deadline=None)
def test_the_official_sdk_reads_the_stream(
    provider: Answering, sdk: genai.Client, stream: tuple[StreamEvent, ...]
) -> None:
    (choice,) = folded(stream).choices
    provider.body, provider.media_type = written(FORMAT.stream_sink(ASKED), stream), "text/event-stream"
    received = list(sdk.models.generate_content_stream(model="m", contents="hi"))
    parts = [part for one in received for part in one.candidates[0].content.parts]
    _assert_read(parts, choice)
    assert received[-1].candidates[0].finish_reason is not None
    assert received[-1].usage_metadata.prompt_token_count is not None


@given(replies())
@settings(max_examples=10, deadline=None)
def test_the_official_sdk_reads_the_answer(provider: Answering, sdk: genai.Client, reply: Reply) -> None:
    provider.body, provider.media_type = FORMAT.write_answer(reply), "application/json"
    answer = sdk.models.generate_content(model="m", contents="hi")
    _assert_read(answer.candidates[0].content.parts, reply.choices[0])
    assert (answer.response_id, answer.model_version) == (reply.id, reply.model)


def _assert_read(parts: list[Any], choice: Choice) -> None:
    said = "".join(part.text for part in parts if part.text and not part.thought)
    assert said == "".join(part.text for part in choice.parts if isinstance(part, Text))
    calls = [part.function_call for part in parts if part.function_call]
    assert [(call.id, call.name, call.args) for call in calls] == [
        (part.id, part.name, orjson.loads(part.arguments))
        for part in choice.parts
        if isinstance(part, ToolCall)
    ]


@given(conversations(media=False, thinking=False, cache=False))
@settings(max_examples=10, deadline=None)
def test_another_converter_reads_the_same_words_and_calls_in_the_request(
    conversation: Conversation,
) -> None:
    """Where that one is right: texts and calls."""
    request = FORMAT.write_request(conversation, Losses(target=FORMAT.name, drop=True))
    understood = GoogleGenerateConverter().request_from_provider(
        {"model": conversation.model, **orjson.loads(request.body)}
    )
    parts = [(message["role"], part) for message in understood["messages"] for part in message["content"]]
    called = [part.name for turn in conversation.turns for part in turn.parts if isinstance(part, ToolCall)]
    assert [part["tool_name"] for _, part in parts if part["type"] == "tool_call"] == called
    texts = [
        part.text
        for turn in conversation.turns
        if turn.speaker is not Speaker.SYSTEM
        for part in turn.parts
        if isinstance(part, Text)
    ]
    spoken = [part["text"] for role, part in parts if part["type"] == "text" and role != "system"]
    assert spoken == texts


def test_what_the_official_sdk_writes_is_read(provider: Answering, sdk: genai.Client) -> None:
    """It sends bytes in the other alphabet of base64, and fields in both spellings."""
    provider.body, provider.media_type = b'{"candidates": []}', "application/json"
    sdk.models.generate_content(
        model="gemini-3-pro",
        contents=[
            types.Part.from_bytes(data=b"\xff\xef\xfe", mime_type="image/png"),
            types.Part.from_uri(file_uri="https://a/b.png", mime_type="image/png"),
            "What is it?",
        ],
        config=types.GenerateContentConfig(
            system_instruction="Be brief.",
            max_output_tokens=9,
            thinking_config=types.ThinkingConfig(thinking_budget=100, include_thoughts=True),
            tools=[
                types.Tool(
                    function_declarations=[
                        types.FunctionDeclaration(
                            name="f",
                            parameters=types.Schema(
                                type=types.Type.OBJECT,
                                properties={"a": types.Schema(type=types.Type.STRING, nullable=True)},
                            ),
                        )
                    ]
                )
            ],
        ),
    )
    request = provider.requests[-1]
    read = FORMAT.read_request(request.url.path, request.url.query.decode(), request.content)
    assert (read.model, read.stream, read.unread) == ("gemini-3-pro", False, ())
    assert read.sampling.max_tokens == 9
    assert read.reasoning is not None
    assert (read.reasoning.budget_tokens, read.reasoning.summary) == (100, "auto")
    assert read.tools[0].parameters == {
        "type": "object",
        "properties": {"a": {"type": ["string", "null"]}},
    }
    (_, user) = read.turns
    assert [getattr(part, "data", "") for part in user.parts] == ["/+/+", "", ""]


def test_intermediate_objects_never_say_stop() -> None:
    """A client of a peer stopped reading at the first of them."""
    stream = (
        Started(id="r", model="m"),
        PartStarted(part=0, kind=PartKind.TEXT),
        PartDelta(part=0, text="a"),
        PartDelta(part=0, text="b"),
        PartEnded(part=0),
        ChoiceEnded(),
        Ended(),
    )
    documents = events_of(written(FORMAT.stream_sink(ASKED), stream))
    assert ["finishReason" in document["candidates"][0] for document in documents] == [False, False, True]


def test_a_malformed_call_is_no_empty_stop() -> None:
    body = b'data: {"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL"}],"responseId":"r"}\n\n'
    assert ChoiceEnded(finish=Finish.FAILED) in read(FORMAT.stream_source(), [body])


def test_a_seal_of_another_provider_comes_back_from_the_client() -> None:
    thoughts = (
        Thinking(text="hm", signature="EqQBCkYIBxgC"),
        Thinking(sealed="EuYBCkQYAiJA"),
        Thinking(sealed="gAAA", id="rs_1"),
    )
    answer = FORMAT.write_answer(Reply(id="r", model="m", choices=(Choice(parts=thoughts),)))
    content = orjson.loads(answer)["candidates"][0]["content"]
    handed_back = FORMAT.read_request(
        "/v1/models/m:generateContent", "", orjson.dumps({"contents": [content]})
    )
    assert handed_back.turns == (Turn(speaker=Speaker.ASSISTANT, parts=thoughts),)


def test_thoughts_are_part_of_the_output_and_what_was_cached_of_the_input() -> None:
    usage = TokenCount(input=1025, output=60, cache_read=1000, reasoning=40)
    body = FORMAT.write_answer(Reply(id="r", model="m", choices=(), usage=usage))
    counts = orjson.loads(body)["usageMetadata"]
    assert (counts["promptTokenCount"], counts["cachedContentTokenCount"]) == (1025, 1000)
    assert (counts["candidatesTokenCount"], counts["thoughtsTokenCount"]) == (20, 40)
    assert FORMAT.read_answer(body).usage == usage


def test_a_stream_that_was_cancelled_has_been_counted() -> None:
    body = (
        b'data: {"candidates":[{"content":{"parts":[{"text":"a"}]}}],'
        b'"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":1}}\n\n'
    )
    assert UsageKnown(usage=TokenCount(input=9, output=1)) in FORMAT.stream_source().feed(body)


def test_a_call_s_signature_comes_back() -> None:
    stream = (
        Started(id="r1", model="m"),
        PartStarted(part=0, kind=PartKind.TOOL_CALL, call_id="c1", name="f"),
        PartDelta(part=0, text="{}"),
        PartSigned(part=0, signature="Cs0D"),
        PartEnded(part=0),
        ChoiceEnded(finish=Finish.TOOL_CALLS),
        Ended(),
    )
    assert read(FORMAT.stream_source(), [written(FORMAT.stream_sink(ASKED), stream)]) == stream


@pytest.mark.parametrize("first", [b"\xef\xbb\xbf", b""])
def test_a_byte_order_mark_is_no_content(first: bytes) -> None:
    body = first + b'data: {"candidates":[{"finishReason":"STOP"}]}\n\n'
    assert read(FORMAT.stream_source(), [body])[-1] == Ended()


def test_it_says_what_it_is() -> None:
    assert (FORMAT.name, FORMAT.stream_type) == ("gemini-generate-content", b"text/event-stream")


DEEP = '{"a":' * 300 + "1" + "}" * 300


def test_arguments_that_nest_without_end_are_no_crash() -> None:
    """The JSON library reads deeper than it writes."""
    called = ToolCall(id="c", name="f", arguments=DEEP)
    reply = Reply(id="r", model="m", choices=(Choice(parts=(called,), finish=Finish.TOOL_CALLS),))
    answer = FORMAT.read_answer(FORMAT.write_answer(reply))
    assert answer.choices == (Choice(parts=(), finish=Finish.FAILED),)
    stream = f'data: {{"candidates":[{{"content":{{"parts":[{{"functionCall":{{"name":"f","args":{DEEP}}}}}]}}}}]}}\n\n'
    with pytest.raises(ContentError):
        FORMAT.stream_source().feed(stream.encode())
