"""Requests of OpenAI Responses, written."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from agent.model.conversation import (
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
from agent.translation.base import NO_QUIRKS, Losses, Quirks
from agent.translation.openai_responses.writing import write

HI = Turn(speaker=Speaker.USER, parts=(Text(text="hi"),))


def written(*turns: Turn, quirks: Quirks = NO_QUIRKS, **fields: Any) -> tuple[dict[str, Any], list[str]]:
    losses = Losses(target="openai-responses", drop=True)
    conversation = Conversation(model="gpt-5.4", turns=turns or (HI,), **fields)
    request = write(conversation, losses, quirks)
    assert request.operation == "chat"
    return orjson.loads(request.body), losses.dropped


def items(*turns: Turn) -> list[Any]:
    body, lost = written(*turns)
    assert lost == []
    return body["input"]


def by(speaker: Speaker, *parts: Any) -> Turn:
    return Turn(speaker=speaker, parts=parts)


def test_nothing_is_stored_at_the_provider() -> None:
    body, _ = written()
    assert body == {
        "model": "gpt-5.4",
        "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}],
        "store": False,
    }


def test_the_first_system_turn_becomes_instructions_later_ones_stay_in_place() -> None:
    system = by(Speaker.SYSTEM, Text(text="Be brief."))
    body, _ = written(system, HI, system)
    assert body["instructions"] == "Be brief."
    assert [item["role"] for item in body["input"]] == ["user", "developer"]


def test_a_server_that_knows_no_developer_gets_the_system() -> None:
    body, _ = written(HI, by(Speaker.SYSTEM, Text(text="Be brief.")), quirks=Quirks(system_role="system"))
    assert body["input"][1]["role"] == "system"


def test_a_round_of_tools_is_items() -> None:
    assert items(
        by(
            Speaker.ASSISTANT,
            Thinking(text="hm", sealed="gAAA", id="rs_1"),
            Text(text="Looking."),
            Text(text="No.", refusal=True),
            ToolCall(id="call_1", name="w", arguments='{"a":1}'),
        ),
        by(Speaker.USER, ToolResult(call_id="call_1", parts=(Text(text="rain"),)), Text(text="so?")),
    ) == [
        {
            "id": "rs_1",
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "hm"}],
            "encrypted_content": "gAAA",
        },
        {
            "type": "message",
            "role": "assistant",
            "content": [
                {"type": "output_text", "annotations": [], "logprobs": [], "text": "Looking."},
                {"type": "refusal", "refusal": "No."},
            ],
        },
        {"type": "function_call", "call_id": "call_1", "name": "w", "arguments": '{"a":1}'},
        {"type": "function_call_output", "call_id": "call_1", "output": "rain"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "so?"}]},
    ]


@pytest.mark.parametrize(
    "foreign", [Thinking(text="hm", signature="EqQB"), Thinking(sealed="EuY"), Thinking(text="hm")]
)
def test_thoughts_of_other_providers_are_left_out_without_a_word(foreign: Thinking) -> None:
    assert items(HI, by(Speaker.ASSISTANT, foreign)) == items(HI)


@pytest.mark.parametrize(
    ("result", "output"),
    [
        (ToolResult(call_id="c", parts=()), ""),
        (ToolResult(call_id="c", parts=(Text(text="gone"),), error=True), "Error: gone"),
        (
            ToolResult(call_id="c", parts=(Text(text="a"), Text(text="b")), error=True),
            [{"type": "input_text", "text": text} for text in ("Error: ", "a", "b")],
        ),
        (
            ToolResult(call_id="c", parts=(Media(kind=MediaKind.IMAGE, url="https://a/b.png"),)),
            [{"type": "input_image", "detail": "auto", "image_url": "https://a/b.png"}],
        ),
    ],
)
def test_results_say_what_they_hold_and_that_they_failed(result: ToolResult, output: object) -> None:
    (item,) = items(by(Speaker.USER, result))
    assert item["output"] == output


@pytest.mark.parametrize(
    ("media", "part"),
    [
        (
            Media(kind=MediaKind.IMAGE, media_type="image/png", data="AAEC", detail="high"),
            {"type": "input_image", "detail": "high", "image_url": "data:image/png;base64,AAEC"},
        ),
        (
            Media(kind=MediaKind.IMAGE, file_id="file-1"),
            {"type": "input_image", "detail": "auto", "file_id": "file-1"},
        ),
        (
            Media(kind=MediaKind.DOCUMENT, url="https://a/b.pdf"),
            {"type": "input_file", "file_url": "https://a/b.pdf"},
        ),
        (Media(kind=MediaKind.DOCUMENT, file_id="file-1"), {"type": "input_file", "file_id": "file-1"}),
        (
            Media(kind=MediaKind.DOCUMENT, media_type="application/pdf", data="AAEC"),
            {
                "type": "input_file",
                "filename": "document",
                "file_data": "data:application/pdf;base64,AAEC",
            },
        ),
    ],
)
def test_files(media: Media, part: object) -> None:
    (item,) = items(by(Speaker.USER, media))
    assert item["content"] == [part]


@pytest.mark.parametrize(
    ("strict", "written_as"), [(True, True), (False, False), (None, False)]
)  # the format's default is true, and every other format's is false
def test_strictness_is_kept_and_never_gained(strict: bool | None, written_as: bool) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    body, _ = written(tools=(Tool(name="f", parameters=schema, strict=strict),))
    assert body["tools"] == [
        {
            "type": "function",
            "name": "f",
            "parameters": schema,
            "strict": written_as,
        }
    ]


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        ({"tool_choice": ToolChoice(use=ToolUse.REQUIRED)}, {"tool_choice": "required"}),
        (
            {"tool_choice": ToolChoice(use=ToolUse.NAMED, name="f", parallel=False)},
            {"tool_choice": {"type": "function", "name": "f"}, "parallel_tool_calls": False},
        ),
        (
            {"sampling": Sampling(max_tokens=9, temperature=0.5, top_p=0.1)},
            {"max_output_tokens": 9, "temperature": 0.5, "top_p": 0.1},
        ),
        (
            {"sampling": Sampling(logprobs=True, top_logprobs=2)},
            {"include": ["message.output_text.logprobs"], "top_logprobs": 2},
        ),
        (
            {"reasoning": Reasoning(effort=Effort.LOW, summary="auto")},
            {
                "reasoning": {"effort": "low", "summary": "auto"},
                "include": ["reasoning.encrypted_content"],
            },
        ),
        ({"reasoning": Reasoning(effort=Effort.NONE)}, {"reasoning": {"effort": "none"}}),
        ({"reasoning": Reasoning(budget_tokens=-1)}, {}),
        ({"output": OutputFormat(kind=OutputKind.TEXT)}, {}),
        ({"output": OutputFormat(kind=OutputKind.JSON)}, {"text": {"format": {"type": "json_object"}}}),
        (
            {"output": OutputFormat(kind=OutputKind.SCHEMA, schema={"type": "object"}, strict=True)},
            {
                "text": {
                    "format": {
                        "type": "json_schema",
                        "name": "answer",
                        "schema": {"type": "object"},
                        "strict": True,
                    }
                }
            },
        ),
        ({"user": "u1"}, {"user": "u1"}),
        ({"stream": True}, {"stream": True}),
    ],
)
def test_wishes(fields: dict[str, Any], body: dict[str, Any]) -> None:
    plain, _ = written()
    assert written(**fields) == (plain | body, [])


def test_a_budget_becomes_an_effort() -> None:
    body, _ = written(reasoning=Reasoning(budget_tokens=1024))
    assert body["reasoning"]["effort"] in ("minimal", "low")


@pytest.mark.parametrize(
    ("fields", "lost"),
    [
        ({"sampling": Sampling(stop=("a",))}, "sampling.stop"),
        ({"sampling": Sampling(top_k=3)}, "sampling.top_k"),
        ({"sampling": Sampling(seed=0)}, "sampling.seed"),
        ({"sampling": Sampling(frequency_penalty=0.5)}, "sampling.frequency_penalty"),
        ({"sampling": Sampling(choices=2)}, "sampling.choices"),
    ],
)
def test_what_the_format_lacks_is_lost(fields: dict[str, Any], lost: str) -> None:
    plain, _ = written()
    assert written(**fields) == (plain, [lost])


@pytest.mark.parametrize("sampling", [Sampling(frequency_penalty=0.0), Sampling(choices=1)])
def test_what_asks_for_nothing_is_not_lost(sampling: Sampling) -> None:
    assert written(sampling=sampling) == written()


def test_what_the_server_refuses_is_lost() -> None:
    quirks = Quirks(unsupported=frozenset(("sampling.temperature",)))
    body, lost = written(sampling=Sampling(temperature=0.5), quirks=quirks)
    assert ("temperature" in body, lost) == (False, ["sampling.temperature"])


@pytest.mark.parametrize(
    "turn",
    [
        by(Speaker.USER, Media(kind=MediaKind.AUDIO, media_type="audio/wav", data="AAEC")),
        by(Speaker.ASSISTANT, Media(kind=MediaKind.IMAGE, media_type="image/png", data="AAEC")),
    ],
)
def test_files_that_have_no_place_are_lost(turn: Turn) -> None:
    body, lost = written(HI, turn)
    assert (len(body["input"]), lost) == (1, ["turns[1].parts[0]"])


def test_ids_that_are_too_long_for_the_api_are_made_short_and_still_meet() -> None:
    long = "toolu_" + "x" * 64
    call, result = items(
        by(Speaker.ASSISTANT, ToolCall(id=long, name="f")),
        by(Speaker.USER, ToolResult(call_id=long, parts=())),
    )
    assert call["call_id"] == result["call_id"]
    assert len(call["call_id"]) <= 64
