"""Chat Completions requests, read. The bodies are shaped as in the OpenAI API reference, "Create chat completion"."""

from __future__ import annotations

import base64

import orjson
import pytest

from agent.errors import ContentError
from agent.model.conversation import (
    CacheHint,
    Conversation,
    Effort,
    Media,
    MediaKind,
    OutputFormat,
    OutputKind,
    Part,
    Reasoning,
    Sampling,
    Speaker,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    ToolUse,
    Turn,
)
from agent.translation.openai_chat import OpenAIChat

HELLO = {"role": "user", "content": "hello"}


def read(*messages: object, path: str = "/v1/chat/completions", **fields: object) -> Conversation:
    """The request with these messages and fields."""
    body = {"model": "gpt-5", "messages": messages or (HELLO,), **fields}
    return OpenAIChat().read_request(path, "", orjson.dumps(body))


def turn(speaker: str, *parts: Part) -> Turn:
    return Turn(speaker=Speaker(speaker), parts=parts)


def test_the_smallest_request() -> None:
    assert read() == Conversation(
        model="gpt-5", turns=(turn("user", Text(text="hello")),), usage_in_stream=False
    )


def test_system_prompts_may_stand_anywhere() -> None:
    found = read(
        {"role": "system", "content": "one"},
        HELLO,
        {"role": "developer", "content": [{"type": "text", "text": "two"}]},
    )
    assert found.turns == (
        turn("system", Text(text="one")),
        turn("user", Text(text="hello")),
        turn("system", Text(text="two")),
    )


@pytest.mark.parametrize(
    ("part", "read_as"),
    [
        ({"type": "text", "text": "a"}, Text(text="a")),
        (
            {"type": "image_url", "image_url": {"url": "https://i.example/a.png", "detail": "low"}},
            Media(kind=MediaKind.IMAGE, url="https://i.example/a.png", detail="low"),
        ),
        (
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAEC"}},
            Media(kind=MediaKind.IMAGE, media_type="image/png", data="AAEC"),
        ),
        (
            {"type": "image_url", "image_url": "https://i.example/a.png"},
            Media(kind=MediaKind.IMAGE, url="https://i.example/a.png"),
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "AAEC", "format": "wav"}},
            Media(kind=MediaKind.AUDIO, media_type="audio/wav", data="AAEC"),
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "AAEC", "format": "mp3"}},
            Media(kind=MediaKind.AUDIO, media_type="audio/mpeg", data="AAEC"),
        ),
        (
            {"type": "file", "file": {"file_id": "file-1"}},
            Media(kind=MediaKind.DOCUMENT, file_id="file-1"),
        ),
        (
            {
                "type": "file",
                "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AAEC"},
            },
            Media(kind=MediaKind.DOCUMENT, media_type="application/pdf", data="AAEC", name="a.pdf"),
        ),
        (
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "AAEC"}},
            Media(kind=MediaKind.DOCUMENT, media_type="application/pdf", data="AAEC", name="a.pdf"),
        ),
        (
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "https://f.example/a.pdf"}},
            Media(kind=MediaKind.DOCUMENT, url="https://f.example/a.pdf", name="a.pdf"),
        ),
        (
            {"type": "video_url", "video_url": {"url": "https://v.example/a.mp4"}},
            Media(kind=MediaKind.VIDEO, url="https://v.example/a.mp4"),
        ),
        (
            {"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
            Text(text="a", cache=CacheHint(ttl="1h")),
        ),
        (
            {"type": "text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit"}},
            Text(text="a", cache=CacheHint()),
        ),
    ],
)
def test_parts_of_content(part: object, read_as: Part) -> None:
    found = read({"role": "user", "content": [part]})
    assert found.turns == (turn("user", read_as),)
    assert found.unread == ()


def test_a_hint_on_a_message_is_one_on_its_text() -> None:
    found = read({"role": "system", "content": "a", "cache_control": {"type": "ephemeral"}})
    assert found.turns == (turn("system", Text(text="a", cache=CacheHint())),)


CALLS = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"in": "Bern"}'}},
        {"id": "call_2", "type": "function", "function": {"name": "time", "arguments": ""}},
    ],
}


def test_calls_and_their_results() -> None:
    found = read(
        HELLO,
        CALLS,
        {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
        {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": "noon"}]},
        {"role": "user", "content": "and?"},
    )
    assert found.turns[1:] == (
        turn(
            "assistant",
            ToolCall(id="call_1", name="weather", arguments='{"in": "Bern"}'),
            ToolCall(id="call_2", name="time", arguments="{}"),
        ),
        turn(
            "user",
            ToolResult(call_id="call_1", name="weather", parts=(Text(text="rain"),)),
            ToolResult(call_id="call_2", name="time", parts=(Text(text="noon"),)),
        ),
        turn("user", Text(text="and?")),
    )


def test_the_old_functions() -> None:
    found = read(
        HELLO,
        {"role": "assistant", "content": None, "function_call": {"name": "time", "arguments": "{}"}},
        {"role": "function", "name": "time", "content": "noon"},
        functions=[{"name": "time", "parameters": {"type": "object"}}],
        function_call={"name": "time"},
    )
    call_id = "call_1_0"
    assert found.turns[1:] == (
        turn("assistant", ToolCall(id=call_id, name="time")),
        turn("user", ToolResult(call_id=call_id, name="time", parts=(Text(text="noon"),))),
    )
    assert found.tools == (Tool(name="time", parameters={"type": "object"}),)
    assert found.tool_choice == ToolChoice(use=ToolUse.NAMED, name="time")
    assert found.unread == ()


def test_calls_without_ids_are_paired_in_their_order() -> None:
    """As Ollama's clients send them."""
    call = {"function": {"name": "time", "arguments": {"zone": "CET"}}}
    found = read(
        {"role": "assistant", "content": "", "tool_calls": [call, call]},
        {"role": "tool", "content": "noon"},
        {"role": "tool", "content": "one"},
    )
    calls, results = (item.parts for item in found.turns)
    assert [part.id for part in calls if isinstance(part, ToolCall)] == ["call_0_0", "call_0_1"]
    assert [part.call_id for part in results if isinstance(part, ToolResult)] == ["call_0_0", "call_0_1"]
    assert isinstance(calls[0], ToolCall)
    assert calls[0].arguments == '{"zone":"CET"}'


def test_a_result_without_a_call_is_an_error() -> None:
    with pytest.raises(ContentError, match=r"`messages\[0\]` answers no call"):
        read({"role": "tool", "content": "noon"})


@pytest.mark.parametrize(
    ("message", "thoughts"),
    [
        ({"reasoning_content": "hm"}, [Thinking(text="hm")]),
        ({"reasoning": "hm"}, [Thinking(text="hm")]),
        ({"reasoning_text": "hm"}, [Thinking(text="hm")]),
        (
            {
                "reasoning": "hm",
                "reasoning_details": [{"type": "reasoning.text", "text": "hm", "signature": "s"}],
            },
            [Thinking(text="hm", signature="s")],
        ),
        (  # as a client collects them from a stream
            {
                "reasoning_details": [
                    {"type": "reasoning.text", "text": "h", "index": 0},
                    {"type": "reasoning.text", "text": "m", "index": 0},
                    {"type": "reasoning.text", "signature": "s", "index": 0},
                    {"type": "reasoning.encrypted", "data": "x", "index": 1},
                ]
            },
            [Thinking(text="hm", signature="s"), Thinking(sealed="x")],
        ),
        (
            {
                "reasoning_details": [
                    {"type": "reasoning.summary", "summary": "hm", "index": 0},
                    {"type": "reasoning.encrypted", "data": "x", "id": "rs_1", "index": 0},
                ]
            },
            [Thinking(text="hm", sealed="x", id="rs_1")],
        ),
        ({"reasoning_content": None, "reasoning_details": []}, []),
    ],
)
def test_thoughts_come_before_the_words(message: dict[str, object], thoughts: list[Thinking]) -> None:
    found = read({"role": "assistant", "content": "so", **message})
    assert found.turns == (turn("assistant", *thoughts, Text(text="so")),)
    assert found.unread == ()


def test_an_answer_may_come_back_with_the_notes_that_a_client_made_on_it() -> None:
    notes = {"annotations": [], "provider_specific_fields": {"reasoning_content": "hm", "refusal": None}}
    found = read({"role": "assistant", "content": "so", **notes})
    assert found.turns == (turn("assistant", Text(text="so")),)
    assert found.unread == ()


def test_a_message_of_thoughts_alone() -> None:
    assert read({"role": "assistant", "reasoning_content": "hm"}).turns == (
        turn("assistant", Thinking(text="hm")),
    )


def test_a_refusal() -> None:
    expected = (turn("assistant", Text(text="no", refusal=True)),)
    assert read({"role": "assistant", "content": None, "refusal": "no"}).turns == expected
    parts = [{"type": "refusal", "refusal": "no"}]
    assert read({"role": "assistant", "content": parts}).turns == expected


def test_geminis_signature_on_a_call() -> None:
    call = {
        "id": "c",
        "type": "function",
        "function": {"name": "t", "arguments": "{}"},
        "extra_content": {"google": {"thought_signature": "sig"}},
    }
    found = read({"role": "assistant", "tool_calls": [call]})
    assert found.turns == (turn("assistant", ToolCall(id="c", name="t", signature="sig")),)


def test_all_sampling() -> None:
    found = read(
        max_completion_tokens=5,
        max_tokens=9,
        temperature=0,
        top_p=0.5,
        top_k=3,
        stop="x",
        seed=1,
        frequency_penalty=0.1,
        presence_penalty=0.2,
        n=2,
        logprobs=True,
        top_logprobs=4,
    )
    assert found.sampling == Sampling(
        max_tokens=5,
        temperature=0.0,
        top_p=0.5,
        top_k=3,
        stop=("x",),
        seed=1,
        frequency_penalty=0.1,
        presence_penalty=0.2,
        choices=2,
        logprobs=True,
        top_logprobs=4,
    )
    assert found.unread == ()


TOOL = {
    "type": "function",
    "function": {"name": "t", "description": "d", "parameters": {"type": "object"}, "strict": True},
    "cache_control": {"type": "ephemeral"},
}


def test_tools() -> None:
    assert read(tools=[TOOL]).tools == (
        Tool(name="t", description="d", parameters={"type": "object"}, strict=True, cache=CacheHint()),
    )


@pytest.mark.parametrize(
    ("fields", "choice"),
    [
        ({}, None),
        ({"tool_choice": "auto"}, ToolChoice(use=ToolUse.AUTO)),
        ({"tool_choice": "none"}, ToolChoice(use=ToolUse.NONE)),
        ({"tool_choice": "required"}, ToolChoice(use=ToolUse.REQUIRED)),
        ({"tool_choice": "any"}, ToolChoice(use=ToolUse.REQUIRED)),  # Mistral
        (
            {"tool_choice": {"type": "function", "function": {"name": "t"}}},
            ToolChoice(use=ToolUse.NAMED, name="t"),
        ),
        ({"parallel_tool_calls": False}, ToolChoice(parallel=False)),
        (
            {"tool_choice": "required", "parallel_tool_calls": True},
            ToolChoice(use=ToolUse.REQUIRED, parallel=True),
        ),
        ({"function_call": "none"}, ToolChoice(use=ToolUse.NONE)),
    ],
)
def test_tool_choice(fields: dict[str, object], choice: ToolChoice | None) -> None:
    assert read(tools=[TOOL], **fields).tool_choice == choice


@pytest.mark.parametrize(
    ("fields", "reasoning"),
    [
        ({}, None),
        ({"reasoning_effort": "high"}, Reasoning(effort=Effort.HIGH)),
        ({"reasoning_effort": "none"}, Reasoning(effort=Effort.NONE)),
        ({"reasoning_effort": "max"}, Reasoning(effort=Effort.XHIGH)),
        ({"reasoning": {"effort": "low"}}, Reasoning(effort=Effort.LOW)),
        ({"reasoning": {"max_tokens": 2000}}, Reasoning(budget_tokens=2000)),
        ({"reasoning": {"enabled": True}}, Reasoning(effort=Effort.MEDIUM)),
        ({"reasoning": {"enabled": False}}, Reasoning(effort=Effort.NONE)),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 2000}},
            Reasoning(budget_tokens=2000, summary="auto"),
        ),
        ({"thinking": {"type": "enabled"}}, Reasoning(budget_tokens=-1, summary="auto")),  # DeepSeek
        ({"thinking": {"type": "disabled"}}, Reasoning(effort=Effort.NONE)),
    ],
)
def test_reasoning(fields: dict[str, object], reasoning: Reasoning | None) -> None:
    found = read(**fields)
    assert found.reasoning == reasoning
    assert found.unread == ()


@pytest.mark.parametrize(
    ("wanted", "output"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, OutputFormat(kind=OutputKind.JSON)),
        (
            {
                "type": "json_schema",
                "json_schema": {
                    "name": "n",
                    "description": "d",
                    "schema": {"type": "object"},
                    "strict": True,
                },
            },
            OutputFormat(
                kind=OutputKind.SCHEMA, name="n", description="d", schema={"type": "object"}, strict=True
            ),
        ),
    ],
)
def test_structured_output(wanted: object, output: OutputFormat | None) -> None:
    assert read(response_format=wanted).output == output


@pytest.mark.parametrize(
    ("fields", "streams", "usage"),
    [
        ({}, False, False),
        ({"stream": True}, True, False),
        ({"stream": True, "stream_options": {"include_usage": True}}, True, True),
        ({"stream": True, "stream_options": {"include_obfuscation": False}}, True, False),
    ],
)
def test_streams_and_usage_in_them(fields: dict[str, object], streams: bool, usage: bool) -> None:
    found = read(**fields)
    assert (found.stream, found.usage_in_stream, found.unread) == (streams, usage, ())


def test_who_the_end_user_is() -> None:
    assert read(user="u").user == "u"
    assert read(safety_identifier="s").user == "s"


def test_azure_names_the_model_in_the_path() -> None:
    body = orjson.dumps({"messages": [HELLO]})
    found = OpenAIChat().read_request("/openai/deployments/my-gpt/chat/completions", "", body)
    assert found.model == "my-gpt"


@pytest.mark.parametrize(
    ("fields", "unread"),
    [
        ({"logit_bias": {"50256": -100}}, "logit_bias"),
        ({"store": True}, "store"),
        ({"service_tier": "flex"}, "service_tier"),
        ({"metadata": {"a": "b"}}, "metadata"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"prediction": {"type": "content", "content": "x"}}, "prediction"),
        ({"web_search_options": {"search_context_size": "low"}}, "web_search_options"),
        ({"verbosity": "high"}, "verbosity"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type=web_search"),
        ({"tools": [TOOL, {"type": "custom", "custom": {"name": "c"}}]}, "tools[1].type=custom"),
        ({"response_format": {"type": "grammar"}}, "response_format.type=grammar"),
        (
            {"tool_choice": {"type": "allowed_tools", "allowed_tools": {}}},
            "tool_choice.type=allowed_tools",
        ),
        ({"invented": 1}, "invented"),
    ],
)
def test_what_has_no_place_is_named(fields: dict[str, object], unread: str) -> None:
    assert read(**fields).unread == (unread,)


@pytest.mark.parametrize(
    ("message", "unread"),
    [
        ({"role": "user", "content": "a", "name": "bob"}, "messages[0].name"),
        ({"role": "user", "content": [{"type": "hologram"}]}, "messages[0].content[0].type=hologram"),
        ({"role": "assistant", "content": "a", "audio": {"id": "audio_1"}}, "messages[0].audio"),
        (
            {"role": "assistant", "tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "t"}}]},
            "messages[0].tool_calls[0].type=custom",
        ),
    ],
)
def test_what_has_no_place_in_a_message_is_named(message: object, unread: str) -> None:
    assert read(message).unread == (unread,)


@pytest.mark.parametrize(
    "fields",
    [
        {"store": False},
        {"service_tier": "auto"},
        {"modalities": ["text"]},
        {"logit_bias": {}},
        {"logit_bias": None},
        {"prompt_cache_key": "k"},
    ],
)
def test_what_asks_for_nothing_is_not_named(fields: dict[str, object]) -> None:
    assert read(**fields).unread == ()


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"messages": "hello"}, "`messages` must be an array"),
        ({"messages": ["hello"]}, r"`messages\[0\]` must be an object"),
        ({"messages": [{"role": "king", "content": "a"}]}, r"`messages\[0\]\.role`"),
        ({"messages": [{"role": "user", "content": 1}]}, r"`messages\[0\]\.content`"),
        ({"messages": [{"role": "user", "content": [1]}]}, r"`messages\[0\]\.content\[0\]`"),
        ({"temperature": "hot"}, "`temperature` must be a number"),
        ({"max_tokens": "many"}, "`max_tokens` must be a whole number"),
        ({"reasoning_effort": "huge"}, "`reasoning_effort`"),
        ({"tools": [{"type": "function", "function": {}}]}, r"`tools\[0\]\.function\.name`"),
        ({"response_format": {"type": "json_schema"}}, "schema"),
        ({"tool_choice": "maybe"}, "`tool_choice`"),
    ],
)
def test_what_is_not_the_format_is_an_error_that_names_the_field(
    fields: dict[str, object], named: str
) -> None:
    body = {"model": "m", "messages": [HELLO], **fields}
    with pytest.raises(ContentError, match=named):
        OpenAIChat().read_request("", "", orjson.dumps(body))


def test_a_text_file_is_a_document() -> None:
    data = base64.b64encode(b"hello").decode()
    part = {"type": "file", "file": {"filename": "a.txt", "file_data": f"data:text/plain;base64,{data}"}}
    found = read({"role": "user", "content": [part]})
    assert found.turns == (
        turn("user", Media(kind=MediaKind.DOCUMENT, media_type="text/plain", data=data, name="a.txt")),
    )
