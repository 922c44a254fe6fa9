"""Chat Completions requests, written."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

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
from agent.translation.base import NO_QUIRKS, Losses, Quirks, Untranslatable
from agent.translation.openai_chat import OpenAIChat


def write(
    *turns: Turn, quirks: Quirks = NO_QUIRKS, drop: bool = False, **fields: Any
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The body and what was dropped."""
    losses = Losses(target="openai-chat", drop=drop)
    conversation = Conversation(model="gpt-5", turns=turns, **fields)
    body = orjson.loads(OpenAIChat().write_request(conversation, losses, quirks).body)
    return body, losses.settle()


def messages(*turns: Turn, quirks: Quirks = NO_QUIRKS) -> list[dict[str, Any]]:
    body, dropped = write(*turns, quirks=quirks)
    assert dropped == ()
    return list(body["messages"])


def said(speaker: str, *parts: Part | str) -> Turn:
    return Turn(
        speaker=Speaker(speaker),
        parts=tuple(Text(text=part) if isinstance(part, str) else part for part in parts),
    )


def test_one_text_is_a_string() -> None:
    assert messages(said("system", "a"), said("user", "b"), said("assistant", "c")) == [
        {"role": "system", "content": "a"},
        {"role": "user", "content": "b"},
        {"role": "assistant", "content": "c"},
    ]


def test_the_system_role_is_what_the_server_knows() -> None:
    (message,) = messages(said("system", "a"), quirks=Quirks(system_role="developer"))
    assert message["role"] == "developer"


def test_results_come_before_words_each_in_a_message() -> None:
    turn = said(
        "user",
        "what I meant:",
        ToolResult(call_id="1", parts=(Text(text="x"),)),
        ToolResult(call_id="2", parts=(Text(text="y"), Text(text="z"))),
    )
    assert messages(turn) == [
        {"role": "tool", "tool_call_id": "1", "content": "x"},
        {
            "role": "tool",
            "tool_call_id": "2",
            "content": [{"type": "text", "text": "y"}, {"type": "text", "text": "z"}],
        },
        {"role": "user", "content": "what I meant:"},
    ]


def test_what_a_tool_shows_follows_in_a_user_message() -> None:
    image = Media(kind=MediaKind.IMAGE, media_type="image/png", data="AAEC")
    result, shown = messages(said("user", ToolResult(call_id="1", parts=(image,))))
    assert result["role"] == "tool"
    assert result["content"]
    assert shown == {
        "role": "user",
        "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAEC"}}],
    }


@pytest.mark.parametrize(
    ("parts", "content"),
    [
        ((Text(text="not found"),), "Error: not found"),
        ((Text(text="Error: gone"),), "Error: gone"),
        ((), "Error"),
    ],
)
def test_a_failed_tool_says_so(parts: tuple[Text, ...], content: str) -> None:
    (message,) = messages(said("user", ToolResult(call_id="1", parts=parts, error=True)))
    assert message["content"] == content


def test_an_empty_result_is_an_empty_string() -> None:
    (message,) = messages(said("user", ToolResult(call_id="1", parts=())))
    assert message["content"] == ""


def test_calls() -> None:
    call = ToolCall(id="toolu_1", name="t", arguments='{"a": 1}')
    assert messages(said("assistant", call), said("assistant", "so", call)) == [
        {
            "role": "assistant",
            "content": content,
            "tool_calls": [
                {"id": "toolu_1", "type": "function", "function": {"name": "t", "arguments": '{"a": 1}'}}
            ],
        }
        for content in (None, "so")
    ]


def test_thoughts_go_only_to_servers_that_take_them() -> None:
    turn = said("assistant", Thinking(text="hm", signature="s"), "so")
    assert messages(turn) == [{"role": "assistant", "content": "so"}]
    deepseek = Quirks(accepts=frozenset({"reasoning_content"}))
    assert messages(turn, quirks=deepseek) == [
        {"role": "assistant", "content": "so", "reasoning_content": "hm"}
    ]
    openrouter = Quirks(accepts=frozenset({"reasoning_details"}))
    assert messages(turn, quirks=openrouter) == [
        {
            "role": "assistant",
            "content": "so",
            "reasoning_details": [{"type": "reasoning.text", "text": "hm", "signature": "s", "index": 0}],
        }
    ]


def test_hints_and_signatures_go_only_to_servers_that_take_them() -> None:
    text = Text(text="a", cache=CacheHint(ttl="1h"))
    call = ToolCall(id="c", name="t", signature="sig")
    plain = messages(said("user", text), said("assistant", call))
    assert plain[0]["content"] == "a"
    assert "extra_content" not in plain[1]["tool_calls"][0]
    quirks = Quirks(accepts=frozenset({"cache_control", "extra_content"}))
    kept = messages(said("user", text), said("assistant", call), quirks=quirks)
    assert kept[0]["content"][0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert kept[1]["tool_calls"][0]["extra_content"] == {"google": {"thought_signature": "sig"}}


def test_a_turn_without_words_is_left_out() -> None:
    assert messages(said("assistant", Thinking(text="hm")), said("user")) == []


@pytest.mark.parametrize(
    ("media", "part"),
    [
        (
            Media(kind=MediaKind.AUDIO, media_type="audio/mpeg", data="AAEC"),
            {"type": "input_audio", "input_audio": {"data": "AAEC", "format": "mp3"}},
        ),
        (
            Media(kind=MediaKind.AUDIO, media_type="audio/x-wav", data="AAEC"),
            {"type": "input_audio", "input_audio": {"data": "AAEC", "format": "wav"}},
        ),
        (
            Media(kind=MediaKind.DOCUMENT, media_type="application/pdf", data="AAEC"),
            {
                "type": "file",
                "file": {"filename": "document.pdf", "file_data": "data:application/pdf;base64,AAEC"},
            },
        ),
        (Media(kind=MediaKind.DOCUMENT, file_id="f"), {"type": "file", "file": {"file_id": "f"}}),
        (
            Media(kind=MediaKind.IMAGE, url="https://i.example/a", detail="high"),
            {"type": "image_url", "image_url": {"url": "https://i.example/a", "detail": "high"}},
        ),
    ],
)
def test_media(media: Media, part: object) -> None:
    (message,) = messages(said("user", media))
    assert message["content"] == [part]


@pytest.mark.parametrize(
    "media",
    [
        Media(kind=MediaKind.IMAGE, file_id="f"),
        Media(kind=MediaKind.DOCUMENT, url="https://f.example/a.pdf"),
        Media(kind=MediaKind.AUDIO, url="https://f.example/a.wav"),
        Media(kind=MediaKind.VIDEO, url="https://v.example/a.mp4"),
    ],
)
def test_media_that_the_format_cannot_carry_are_refused_by_name(media: Media) -> None:
    with pytest.raises(Untranslatable, match=r"turns\[0\]\.parts\[1\] cannot be expressed in openai-chat"):
        write(said("user", "look:", media))
    body, dropped = write(said("user", "look:", media), drop=True)
    assert dropped == ("turns[0].parts[1]",)
    assert body["messages"][0]["content"] == [{"type": "text", "text": "look:"}]


def test_media_within_a_result_are_named_by_their_own_path() -> None:
    video = Media(kind=MediaKind.VIDEO, url="https://v.example/a.mp4")
    _, dropped = write(said("user", ToolResult(call_id="1", parts=(Text(text="a"), video))), drop=True)
    assert dropped == ("turns[0].parts[0].parts[1]",)


def test_tools_and_their_choice() -> None:
    body, _ = write(
        tools=(Tool(name="t", description="d", parameters={"type": "object"}, strict=True), Tool(name="u")),
        tool_choice=ToolChoice(use=ToolUse.NAMED, name="t", parallel=False),
    )
    assert body["tools"] == [
        {
            "type": "function",
            "function": {"name": "t", "description": "d", "parameters": {"type": "object"}, "strict": True},
        },
        {"type": "function", "function": {"name": "u"}},
    ]
    assert body["tool_choice"] == {"type": "function", "function": {"name": "t"}}
    assert body["parallel_tool_calls"] is False


def test_a_choice_among_no_tools_is_left_out() -> None:
    body, _ = write(tool_choice=ToolChoice(use=ToolUse.NONE))
    assert "tool_choice" not in body


@pytest.mark.parametrize("field", ["max_completion_tokens", "max_tokens"])
def test_the_limit_has_the_name_that_the_server_knows(field: str) -> None:
    """A limit under the wrong name is dropped by Ollama without a word."""
    quirks = Quirks(max_tokens_field=field if field == "max_tokens" else "")
    body, _ = write(quirks=quirks, sampling=Sampling(max_tokens=7))
    assert {name: value for name, value in body.items() if "tokens" in name} == {field: 7}


def test_all_sampling() -> None:
    sampling = Sampling(
        temperature=0.5,
        top_p=0.9,
        stop=("x", "y"),
        seed=1,
        frequency_penalty=0.1,
        presence_penalty=0.2,
        choices=2,
        logprobs=True,
        top_logprobs=3,
    )
    body, _ = write(sampling=sampling)
    del body["model"], body["messages"]
    assert body == {
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["x", "y"],
        "seed": 1,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.2,
        "n": 2,
        "logprobs": True,
        "top_logprobs": 3,
    }


def test_top_k_goes_only_to_servers_that_take_it() -> None:
    with pytest.raises(Untranslatable, match=r"sampling\.top_k"):
        write(sampling=Sampling(top_k=5))
    body, _ = write(sampling=Sampling(top_k=5), quirks=Quirks(accepts=frozenset({"top_k"})))
    assert body["top_k"] == 5


@pytest.mark.parametrize(
    ("reasoning", "effort"),
    [
        (Reasoning(effort=Effort.XHIGH), "xhigh"),
        (Reasoning(effort=Effort.NONE), "none"),
        (Reasoning(budget_tokens=0), "none"),
        (Reasoning(budget_tokens=4_000), "low"),
        (Reasoning(budget_tokens=31_999), "xhigh"),
        (Reasoning(budget_tokens=-1), None),
    ],
)
def test_reasoning_is_an_effort(reasoning: Reasoning, effort: str | None) -> None:
    body, _ = write(reasoning=reasoning)
    assert body.get("reasoning_effort") == effort


@pytest.mark.parametrize(
    ("output", "written"),
    [
        (OutputFormat(), None),
        (OutputFormat(kind=OutputKind.JSON), {"type": "json_object"}),
        (
            OutputFormat(kind=OutputKind.SCHEMA, schema={"type": "object"}, strict=True),
            {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": True},
            },
        ),
    ],
)
def test_structured_output(output: OutputFormat, written: object) -> None:
    body, _ = write(output=output)
    assert body.get("response_format") == written


def test_usage_is_always_asked_for_in_a_stream() -> None:
    body, _ = write(stream=True, usage_in_stream=False)
    assert body["stream_options"] == {"include_usage": True}
    body, _ = write(stream=True, quirks=Quirks(unsupported=frozenset({"usage_in_stream"})))
    assert "stream_options" not in body


def test_a_server_that_knows_strings_only() -> None:
    turns = (
        said("system", "a", "b"),
        said("user", ToolResult(call_id="1", parts=(Text(text="c"), Text(text="d")))),
        said("user", "look:", Media(kind=MediaKind.IMAGE, url="https://i.example/a")),
    )
    found = messages(*turns, quirks=Quirks(unsupported=frozenset({"content.parts"})))
    assert [message["content"] for message in found[:2]] == ["a\n\nb", "c\n\nd"]
    assert len(found[2]["content"]) == 2


def test_a_long_name_of_the_user_is_shortened_the_same_way_each_time() -> None:
    """Claude Code's has more than a hundred characters; OpenAI takes 64."""
    short, _ = write(user="u" * 64)
    assert short["user"] == "u" * 64
    long, other = (write(user=name)[0]["user"] for name in ("u" * 130, "v" * 130))
    assert len(long) == 64
    assert long != other
    assert long == write(user="u" * 130)[0]["user"]
