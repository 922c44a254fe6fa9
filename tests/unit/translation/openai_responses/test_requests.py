"""Requests of OpenAI Responses, read. The vectors follow the API reference."""

from __future__ import annotations

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
from agent.translation import seals
from agent.translation.openai_responses.requests import read
from agent.translation.seals import Seal


def conversation(**fields: object) -> Conversation:
    return read(orjson.dumps({"model": "gpt-5.4", "input": "hi", **fields}))


def turns(*items: object) -> tuple[Turn, ...]:
    read = conversation(input=list(items))
    assert read.unread == ()
    return read.turns


def user(*parts: object) -> Turn:
    return Turn(speaker=Speaker.USER, parts=parts)  # type: ignore[arg-type]


def content(*parts: object) -> tuple[object, ...]:
    (turn,) = turns({"role": "user", "content": list(parts)})
    return turn.parts


def test_a_text_is_a_user_s_turn_and_instructions_are_the_system_s() -> None:
    read = conversation(instructions="Be brief.", stream=True, user="u1")
    assert read == Conversation(
        model="gpt-5.4",
        turns=(Turn(speaker=Speaker.SYSTEM, parts=(Text(text="Be brief."),)), user(Text(text="hi"))),
        stream=True,
        user="u1",
    )


@pytest.mark.parametrize(
    ("role", "speaker"),
    [
        ("user", Speaker.USER),
        ("assistant", Speaker.ASSISTANT),
        ("system", Speaker.SYSTEM),
        ("developer", Speaker.SYSTEM),
    ],
)
def test_every_role_is_a_speaker(role: str, speaker: Speaker) -> None:
    assert turns({"role": role, "content": "a"}) == (Turn(speaker=speaker, parts=(Text(text="a"),)),)


@pytest.mark.parametrize(
    ("part", "read"),
    [
        ({"type": "input_text", "text": "a"}, Text(text="a")),
        (
            {"type": "input_text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit"}},
            Text(text="a", cache=CacheHint()),
        ),
        ({"type": "output_text", "text": "a", "annotations": []}, Text(text="a")),
        ({"type": "refusal", "refusal": "no"}, Text(text="no", refusal=True)),
        (
            {"type": "input_image", "image_url": "https://a/b.png", "detail": "low"},
            Media(kind=MediaKind.IMAGE, url="https://a/b.png", detail="low"),
        ),
        (
            {"type": "input_image", "image_url": "data:image/png;base64,AAEC"},
            Media(kind=MediaKind.IMAGE, media_type="image/png", data="AAEC"),
        ),
        ({"type": "input_image", "file_id": "file-1"}, Media(kind=MediaKind.IMAGE, file_id="file-1")),
        (
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AAEC"},
            Media(kind=MediaKind.DOCUMENT, media_type="application/pdf", data="AAEC", name="a.pdf"),
        ),
        (
            {"type": "input_file", "filename": "a.pdf", "file_data": "AA\nEC"},
            Media(kind=MediaKind.DOCUMENT, data="AAEC", name="a.pdf"),
        ),
        (
            {"type": "input_file", "file_url": "https://a/b.pdf"},
            Media(kind=MediaKind.DOCUMENT, url="https://a/b.pdf"),
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "AAEC", "format": "mp3"}},
            Media(kind=MediaKind.AUDIO, media_type="audio/mp3", data="AAEC"),
        ),
    ],
)
def test_a_part_of_a_message_is_read(part: object, read: object) -> None:
    assert content(part) == (read,)


def test_a_round_of_tools_is_two_turns() -> None:
    """The shape that the function calling guide gives, with two calls at once."""
    assert turns(
        {"role": "user", "content": "weather?"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Looking."}]},
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "w", "arguments": '{"a":1}'},
        {"type": "function_call", "id": "fc_2", "call_id": "call_2", "name": "w", "arguments": ""},
        {"type": "function_call_output", "call_id": "call_1", "output": "rain"},
        {
            "type": "function_call_output",
            "call_id": "call_2",
            "output": [
                {"type": "input_text", "text": "sun"},
                {"type": "input_image", "image_url": "https://a/b.png"},
            ],
        },
    ) == (
        user(Text(text="weather?")),
        Turn(
            speaker=Speaker.ASSISTANT,
            parts=(
                Thinking(sealed="gAAA", id="rs_1"),
                Text(text="Looking."),
                ToolCall(id="call_1", name="w", arguments='{"a":1}'),
                ToolCall(id="call_2", name="w", arguments="{}"),
            ),
        ),
        user(
            ToolResult(call_id="call_1", name="w", parts=(Text(text="rain"),)),
            ToolResult(
                call_id="call_2",
                name="w",
                parts=(Text(text="sun"), Media(kind=MediaKind.IMAGE, url="https://a/b.png")),
            ),
        ),
    )


def test_two_messages_of_one_speaker_stay_two_turns() -> None:
    assert len(turns({"role": "user", "content": "a"}, {"role": "user", "content": "b"})) == 2


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"summary": [{"type": "summary_text", "text": t} for t in ("a", "b")]}, "a\n\nb"),
        ({"summary": [], "content": [{"type": "reasoning_text", "text": "raw"}]}, "raw"),
    ],
)
def test_a_thought_says_its_text_or_its_summary(fields: dict[str, object], text: str) -> None:
    item = {"type": "reasoning", "id": "rs_1", **fields}
    assert turns(item) == (Turn(speaker=Speaker.ASSISTANT, parts=(Thinking(text=text, id="rs_1"),)),)


def test_a_thought_that_only_the_provider_keeps_says_nothing() -> None:
    assert turns({"type": "reasoning", "id": "rs_1", "summary": []}) == ()


def test_another_provider_s_seals_are_taken_off() -> None:
    sealed = seals.written(Seal(signature="EqQB"))
    signed = seals.written(Seal(call="call_1", signature="Cs0D"))
    assert turns(
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": sealed},
        {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"},
        {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": signed},
    ) == (
        Turn(
            speaker=Speaker.ASSISTANT,
            parts=(Thinking(signature="EqQB"), ToolCall(id="call_1", name="f", signature="Cs0D")),
        ),
    )


def test_tools_are_read_with_their_strictness() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    read = conversation(
        tools=[
            {"type": "function", "name": "f", "description": "d", "parameters": schema, "strict": True},
            {"type": "function", "name": "g", "parameters": None},
        ]
    )
    assert read.tools == (Tool(name="f", description="d", parameters=schema, strict=True), Tool(name="g"))
    assert read.unread == ()


@pytest.mark.parametrize(
    ("fields", "choice"),
    [
        ({}, None),
        ({"tool_choice": "auto"}, ToolChoice(use=ToolUse.AUTO)),
        ({"tool_choice": "none"}, ToolChoice(use=ToolUse.NONE)),
        ({"tool_choice": "required"}, ToolChoice(use=ToolUse.REQUIRED)),
        ({"tool_choice": {"type": "function", "name": "f"}}, ToolChoice(use=ToolUse.NAMED, name="f")),
        ({"parallel_tool_calls": False}, ToolChoice(parallel=False)),
    ],
)
def test_how_tools_are_to_be_used(fields: dict[str, object], choice: ToolChoice | None) -> None:
    assert conversation(**fields).tool_choice == choice


@pytest.mark.parametrize(
    ("fields", "sampling"),
    [
        ({"max_output_tokens": 100}, Sampling(max_tokens=100)),
        ({"temperature": 0.2, "top_p": 1}, Sampling(temperature=0.2, top_p=1)),
        ({"top_logprobs": 3}, Sampling(logprobs=True, top_logprobs=3)),
        ({"include": ["message.output_text.logprobs"]}, Sampling(logprobs=True)),
        ({"include": ["reasoning.encrypted_content"]}, Sampling()),
    ],
)
def test_sampling(fields: dict[str, object], sampling: Sampling) -> None:
    assert conversation(**fields).sampling == sampling


@pytest.mark.parametrize(
    ("value", "reasoning"),
    [
        ({"effort": "minimal"}, Reasoning(effort=Effort.MINIMAL)),
        ({"effort": "max"}, Reasoning(effort=Effort.XHIGH)),
        ({"effort": "none", "summary": "detailed"}, Reasoning(effort=Effort.NONE, summary="detailed")),
        ({"generate_summary": "auto"}, Reasoning(summary="auto")),
        ({"effort": None, "summary": None}, None),
    ],
)
def test_reasoning(value: object, reasoning: Reasoning | None) -> None:
    assert conversation(reasoning=value).reasoning == reasoning


@pytest.mark.parametrize(
    ("value", "output"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, OutputFormat(kind=OutputKind.JSON)),
        (
            {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True},
            OutputFormat(kind=OutputKind.SCHEMA, name="n", schema={"type": "object"}, strict=True),
        ),
    ],
)
def test_the_form_of_the_answer(value: object, output: OutputFormat | None) -> None:
    read = conversation(text={"format": value, "verbosity": "medium"})
    assert (read.output, read.unread) == (output, ())


@pytest.mark.parametrize(
    ("fields", "unread"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"background": True}, "background"),
        ({"store": True}, "store"),
        ({"prompt": {"id": "p"}}, "prompt"),
        ({"truncation": "auto"}, "truncation"),
        ({"metadata": {"a": "b"}}, "metadata"),
        ({"service_tier": "flex"}, "service_tier"),
        ({"colour": "red"}, "colour"),
        ({"text": {"verbosity": "low"}}, "text.verbosity"),
        ({"text": {"format": {"type": "grammar"}}}, "text.format.type=grammar"),
        ({"reasoning": {"mode": "pro"}}, "reasoning.mode"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type=web_search"),
        ({"tools": [{"type": "custom", "name": "patch"}]}, "tools[0].type=custom"),
        (
            {"tools": [{"type": "function", "name": "f", "defer_loading": True}]},
            "tools[0].defer_loading",
        ),
        ({"tool_choice": {"type": "allowed_tools"}}, "tool_choice.type=allowed_tools"),
        ({"tool_choice": {"type": "function", "name": "f", "new": 1}}, "tool_choice.new"),
        ({"text": {"format": {"type": "json_object", "new": 1}}}, "text.format.new"),
        ({"input": [{"role": "user", "content": "a", "new": 1}]}, "input[0].new"),
        ({"input": [{"type": "function_call", "name": "f", "namespace": "n"}]}, "input[0].namespace"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_text", "text": "a", "new": 1}]}]},
            "input[0].content[0].new",
        ),
        ({"input": [{"type": "item_reference", "id": "m"}]}, "input[0].type=item_reference"),
        ({"input": [{"type": "custom_tool_call", "input": "x"}]}, "input[0].type=custom_tool_call"),
        (
            {"input": [{"role": "user", "content": [{"type": "computer_screenshot"}]}]},
            "input[0].content[0].type=computer_screenshot",
        ),
    ],
)
def test_what_no_other_format_has_is_named(fields: dict[str, object], unread: str) -> None:
    assert conversation(**fields).unread == (unread,)


@pytest.mark.parametrize(
    "fields",
    [
        {"store": False},
        {"background": False},
        {"metadata": {}},
        {"service_tier": "auto"},
        {"truncation": "disabled"},
        {"prompt_cache_key": "k"},
        {"stream_options": {"include_obfuscation": False}},
        {"previous_response_id": None},
        {"reasoning": {"mode": "standard", "context": None}},
    ],
)
def test_what_asks_for_nothing_is_not_named(fields: dict[str, object]) -> None:
    assert conversation(**fields).unread == ()


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"input": 1}, "input must be an array"),
        ({"input": ["a"]}, r"input\[0\] must be an object"),
        ({"input": [{"role": "robot", "content": "a"}]}, r"input\[0\]\.role"),
        ({"input": [{"type": "function_call", "call_id": "c"}]}, r"input\[0\]\.name"),
        ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, r"input\[0\]\.content\[0\]"),
        ({"temperature": "hot"}, "temperature must be a number"),
        ({"max_output_tokens": "10"}, "max_output_tokens"),
        ({"tools": [{"type": "function", "parameters": []}]}, r"tools\[0\]\.parameters"),
        ({"tool_choice": 1}, "tool_choice"),
        ({"reasoning": {"effort": "maximal"}}, r"reasoning\.effort"),
    ],
)
def test_what_breaks_the_format_is_an_error_that_names_the_field(
    fields: dict[str, object], named: str
) -> None:
    with pytest.raises(ContentError, match=named):
        conversation(**fields)
