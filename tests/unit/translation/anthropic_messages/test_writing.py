"""Messages requests, written."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from agent.model.conversation import (
    CacheHint,
    Conversation,
    Media,
    MediaKind,
    OutputFormat,
    OutputKind,
    Part,
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
from agent.translation.anthropic_messages import AnthropicMessages
from agent.translation.base import NO_QUIRKS, Losses, Quirks, Untranslatable


def write(
    *turns: Turn,
    quirks: Quirks = NO_QUIRKS,
    drop: bool = False,
    model: str = "claude-sonnet-4-5",
    **fields: Any,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The body and what was dropped."""
    losses = Losses(target="anthropic-messages", drop=drop)
    conversation = Conversation(model=model, turns=turns, **fields)
    body = orjson.loads(AnthropicMessages().write_request(conversation, losses, quirks).body)
    return body, losses.settle()


def said(speaker: str, *parts: Part | str) -> Turn:
    return Turn(
        speaker=Speaker(speaker),
        parts=tuple(Text(text=part) if isinstance(part, str) else part for part in parts),
    )


def test_system_turns_are_put_together_wherever_they_stand() -> None:
    body, _ = write(said("system", "one"), said("user", "a"), said("system", "two"), said("user", "b"))
    assert body["system"] == [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    assert body["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}
    ]
    body, _ = write(said("system", "one"), said("user", "a"))
    assert body["system"] == "one"
    assert body["messages"] == [{"role": "user", "content": "a"}]


def test_all_results_of_a_turn_are_together_and_come_first() -> None:
    """Results of parallel calls come in a message each from a chat client."""
    calls = (ToolCall(id="1", name="t"), ToolCall(id="2", name="t"))
    body, _ = write(
        said("user", "a"),
        said("assistant", *calls),
        said("user", ToolResult(call_id="1", parts=(Text(text="x"),))),
        said("user", "so?", ToolResult(call_id="2", parts=())),
        tools=(Tool(name="t"),),
    )
    assert body["messages"][-1]["content"] == [
        {"type": "tool_result", "tool_use_id": "1", "content": "x"},
        {"type": "tool_result", "tool_use_id": "2"},
        {"type": "text", "text": "so?"},
    ]


def test_ids_pass_unless_the_api_refuses_them() -> None:
    ids = ["toolu_01A", "call_9-b", "functions.read:0", "functions:read.0", "ü", ""]
    body, _ = write(
        said("assistant", *(ToolCall(id=each, name="t") for each in ids)),
        said("user", *(ToolResult(call_id=each, parts=()) for each in ids)),
        tools=(Tool(name="t"),),
    )
    called = [block["id"] for block in body["messages"][0]["content"]]
    answered = [block["tool_use_id"] for block in body["messages"][1]["content"]]
    assert called == answered
    assert called[:2] == ids[:2]
    assert len(set(called)) == len(ids)
    assert all(each.replace("_", "").replace("-", "").isalnum() and each.isascii() for each in called)


def test_thoughts_go_back_as_they_were_signed_and_others_stay_here() -> None:
    body, dropped = write(
        said(
            "assistant",
            Thinking(text="hm", signature="sig"),
            Thinking(sealed="sealed"),
            Thinking(text="of another model"),
            Thinking(text="of OpenAI's", sealed="x", id="rs_1"),
            "so",
        )
    )
    assert body["messages"][0]["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "redacted_thinking", "data": "sealed"},
        {"type": "text", "text": "so"},
    ]
    assert dropped == ()


def test_blank_texts_are_refused_by_the_api_and_left_out() -> None:
    body, _ = write(said("user", "a", "", " \n"), said("assistant", " "), said("user", "b"))
    assert body["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}
    ]


def test_a_beginning_that_is_to_be_continued_ends_without_space() -> None:
    body, _ = write(said("user", "a"), said("assistant", "Well, "))
    assert body["messages"][-1]["content"] == "Well,"


@pytest.mark.parametrize(
    ("arguments", "written"),
    [
        ('{"a": 1}', {"a": 1}),
        ("{}", {}),
        ("", {}),
        (" ", {}),
        ('{"a": ', {"unparsed_arguments": '{"a": '}),
        ("[1]", {"unparsed_arguments": "[1]"}),
    ],
)
def test_input_is_always_an_object(arguments: str, written: object) -> None:
    call = ToolCall(id="1", name="t", arguments=arguments)
    body, _ = write(said("assistant", call), tools=(Tool(name="t"),))
    assert body["messages"][0]["content"][0]["input"] == written


def test_arguments_keep_every_digit() -> None:
    call = ToolCall(id="1", name="t", arguments='{"id": 123456789012345678901234567890}')
    losses = Losses(target="anthropic-messages")
    conversation = Conversation(model="m", turns=(said("assistant", call),))
    assert b"123456789012345678901234567890" in AnthropicMessages().write_request(conversation, losses).body


@pytest.mark.parametrize(
    ("media", "block"),
    [
        (
            Media(kind=MediaKind.IMAGE, media_type="image/png", data="AAEC"),
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAEC"}},
        ),
        (
            Media(kind=MediaKind.IMAGE, url="https://i.example/a", cache=CacheHint()),
            {
                "type": "image",
                "source": {"type": "url", "url": "https://i.example/a"},
                "cache_control": {"type": "ephemeral"},
            },
        ),
        (
            Media(kind=MediaKind.DOCUMENT, file_id="f", name="a.pdf"),
            {"type": "document", "source": {"type": "file", "file_id": "f"}, "title": "a.pdf"},
        ),
        (
            Media(kind=MediaKind.DOCUMENT, media_type="text/markdown", data="aGk="),
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "hi"}},
        ),
    ],
)
def test_media(media: Media, block: object) -> None:
    body, _ = write(said("user", media))
    assert body["messages"][0]["content"] == [block]
    body, _ = write(said("user", ToolResult(call_id="1", parts=(media,))))
    assert body["messages"][0]["content"][0]["content"] == [block]


@pytest.mark.parametrize(
    "media",
    [
        Media(kind=MediaKind.AUDIO, media_type="audio/wav", data="AAEC"),
        Media(kind=MediaKind.VIDEO, url="https://v.example/a"),
        Media(kind=MediaKind.IMAGE, data="AAEC"),
        Media(kind=MediaKind.DOCUMENT, media_type="application/zip", data="AAEC"),
    ],
)
def test_media_that_the_format_cannot_carry_are_refused_by_name(media: Media) -> None:
    with pytest.raises(Untranslatable, match=r"turns\[0\]\.parts\[1\] cannot be expressed"):
        write(said("user", "look:", media))
    body, dropped = write(said("user", "look:", ToolResult(call_id="1", parts=(media,))), drop=True)
    assert dropped == ("turns[0].parts[1].parts[0]",)
    assert body["messages"]


def test_tools_and_their_choice() -> None:
    schema = {"type": "object", "properties": {"a": {}}}
    body, _ = write(
        said("user", "a"),
        tools=(
            Tool(name="t", description="d", parameters=schema, strict=True, cache=CacheHint(ttl="1h")),
            Tool(name="u", strict=False),
        ),
        tool_choice=ToolChoice(use=ToolUse.NAMED, name="t", parallel=False),
    )
    assert body["tools"] == [
        {
            "name": "t",
            "description": "d",
            "input_schema": schema,
            "strict": True,
            "cache_control": {"type": "ephemeral", "ttl": "1h"},
        },
        {"name": "u", "input_schema": {"type": "object", "properties": {}}},
    ]
    assert body["tool_choice"] == {"type": "tool", "name": "t", "disable_parallel_tool_use": True}


@pytest.mark.parametrize(
    ("choice", "written"),
    [
        (ToolChoice(parallel=False), {"type": "auto", "disable_parallel_tool_use": True}),
        (ToolChoice(use=ToolUse.REQUIRED), {"type": "any"}),
        (ToolChoice(use=ToolUse.NONE, parallel=False), {"type": "none"}),
    ],
)
def test_choices(choice: ToolChoice, written: object) -> None:
    body, _ = write(said("user", "a"), tools=(Tool(name="t"),), tool_choice=choice)
    assert body["tool_choice"] == written


def test_tools_that_were_called_are_defined_though_no_longer_offered() -> None:
    body, _ = write(
        said("user", "a"),
        said("assistant", ToolCall(id="1", name="t")),
        said("user", ToolResult(call_id="1", parts=())),
    )
    assert body["tools"] == [{"name": "t", "input_schema": {"type": "object", "properties": {}}}]
    assert body["tool_choice"] == {"type": "none"}


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(seed=1),
        Sampling(frequency_penalty=0.5),
        Sampling(presence_penalty=0.5),
        Sampling(choices=2),
        Sampling(logprobs=True),
        Sampling(top_logprobs=3),
        Sampling(temperature=1.5),
        Sampling(stop=("x", "\n")),
    ],
)
def test_sampling_that_the_format_does_not_know_is_refused_by_name(sampling: Sampling) -> None:
    with pytest.raises(Untranslatable, match=r"sampling\.\w+ cannot"):
        write(said("user", "a"), sampling=sampling)


def test_sampling_that_asks_for_nothing_is_no_loss() -> None:
    sampling = Sampling(frequency_penalty=0.0, presence_penalty=0.0, choices=1, logprobs=False)
    body, dropped = write(said("user", "a"), sampling=sampling)
    assert dropped == ()
    assert body.keys() == {"model", "max_tokens", "messages"}


def test_structured_output() -> None:
    output = OutputFormat(kind=OutputKind.SCHEMA, name="n", schema={"type": "object"})
    body, _ = write(said("user", "a"), output=output)
    assert body["output_config"] == {"format": {"type": "json_schema", "schema": {"type": "object"}}}
    with pytest.raises(Untranslatable, match="output cannot"):
        write(said("user", "a"), output=OutputFormat(kind=OutputKind.JSON))


def test_the_rest() -> None:
    body, _ = write(said("user", "a"), stream=True, user="u", sampling=Sampling(stop=("x",), top_k=3))
    assert body["stream"] is True
    assert body["metadata"] == {"user_id": "u"}
    assert body["stop_sequences"] == ["x"]
    assert body["top_k"] == 3
