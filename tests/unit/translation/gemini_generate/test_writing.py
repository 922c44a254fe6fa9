"""Requests of Gemini generateContent, written."""

from __future__ import annotations

from typing import Any

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
from agent.translation.base import NO_QUIRKS, Losses, Quirks
from agent.translation.gemini_generate.writing import write

HI = Turn(speaker=Speaker.USER, parts=(Text(text="hi"),))
SCHEMA = {
    "type": "object",
    "properties": {"a": {"$ref": "#/$defs/b"}},
    "additionalProperties": False,
    "$defs": {"b": {"type": ["string", "null"]}},
}


def written(
    *turns: Turn, model: str = "gemini-2.5-pro", quirks: Quirks = NO_QUIRKS, **fields: Any
) -> tuple[dict[str, Any], list[str]]:
    losses = Losses(target="gemini-generate-content", drop=True)
    request = write(Conversation(model=model, turns=turns or (HI,), **fields), losses, quirks)
    return orjson.loads(request.body), losses.dropped


def contents(*turns: Turn, model: str = "gemini-2.5-pro") -> list[Any]:
    body, lost = written(*turns, model=model)
    assert lost == []
    return body["contents"]


def by(speaker: Speaker, *parts: Any) -> Turn:
    return Turn(speaker=speaker, parts=parts)


def test_the_model_and_streaming_go_into_the_path() -> None:
    losses = Losses(target="gemini-generate-content")
    for stream, operation in ((False, "chat"), (True, "chat_stream")):
        conversation = Conversation(model="m", turns=(HI,), stream=stream)
        request = write(conversation, losses, NO_QUIRKS)
        assert request.operation == operation
        assert orjson.loads(request.body) == {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}


def test_all_that_the_system_says_stands_in_one_place() -> None:
    system = by(Speaker.SYSTEM, Text(text="Be brief."))
    body, lost = written(system, HI, system)
    assert body["systemInstruction"] == {"parts": [{"text": "Be brief."}, {"text": "Be brief."}]}
    assert (len(body["contents"]), lost) == (1, [])


def test_roles_alternate() -> None:
    answer = by(Speaker.ASSISTANT, Text(text="a"))
    assert [content["role"] for content in contents(HI, HI, answer, answer, HI)] == ["user", "model", "user"]


def test_a_conversation_without_a_question_makes_no_sense() -> None:
    with pytest.raises(ContentError, match="asks nothing"):
        written(by(Speaker.SYSTEM, Text(text="Be brief.")))


CALLS = by(
    Speaker.ASSISTANT,
    ToolCall(id="c1", name="f", arguments='{"a":1}'),
    ToolCall(id="c2", name="g", arguments="{}"),
)


def test_results_of_parallel_calls_are_merged_into_one_turn_and_named_by_their_calls() -> None:
    (_, calls, results) = contents(
        HI,
        CALLS,
        by(Speaker.USER, ToolResult(call_id="c1", parts=(Text(text="rain"),))),
        by(Speaker.USER, ToolResult(call_id="c2", parts=(Text(text="no"),), error=True)),
    )
    assert calls == {
        "role": "model",
        "parts": [
            {"functionCall": {"id": "c1", "name": "f", "args": {"a": 1}}},
            {"functionCall": {"id": "c2", "name": "g", "args": {}}},
        ],
    }
    assert results == {
        "role": "user",
        "parts": [
            {"functionResponse": {"id": "c1", "name": "f", "response": {"output": "rain"}}},
            {"functionResponse": {"id": "c2", "name": "g", "response": {"error": "no"}}},
        ],
    }


def test_a_result_without_its_call_makes_no_sense() -> None:
    with pytest.raises(ContentError, match=r"turns\[0\]\.parts\[0\]"):
        written(by(Speaker.USER, ToolResult(call_id="c1", parts=())))


def test_a_call_that_was_cut_off_is_lost_in_part() -> None:
    body, lost = written(HI, by(Speaker.ASSISTANT, ToolCall(id="c", name="f", arguments='{"a')))
    assert lost == ["turns[1].parts[0].arguments"]
    assert body["contents"][1]["parts"][0]["functionCall"]["args"] == {}


def test_models_that_demand_signatures_get_one_with_the_first_call_of_a_turn() -> None:
    """The documented stand-in, for histories that the model did not make."""
    (_, calls) = contents(HI, CALLS, model="gemini-3-pro")
    first, second = calls["parts"]
    assert first["thoughtSignature"] == "skip_thought_signature_validator"
    assert "thoughtSignature" not in second
    signed = by(Speaker.ASSISTANT, ToolCall(id="c", name="f", signature="Cs0D"))
    (_, calls) = contents(HI, signed, model="gemini-3-pro")
    assert calls["parts"][0]["thoughtSignature"] == "Cs0D"


def test_only_thoughts_that_this_provider_signed_go_back_to_it() -> None:
    (_, said) = contents(
        HI,
        by(
            Speaker.ASSISTANT,
            Thinking(text="mine", signature="gemini:Cs0D"),
            Thinking(text="Claude's", signature="EqQB"),
            Thinking(sealed="gAAA", id="rs_1"),
            Thinking(text="unsigned"),
            Text(text="a"),
        ),
    )
    assert said["parts"] == [
        {"text": "mine", "thought": True, "thoughtSignature": "Cs0D"},
        {"text": "a"},
    ]


FILES = "https://generativelanguage.googleapis.com/v1beta/files/a"


@pytest.mark.parametrize(
    ("media", "part"),
    [
        (
            Media(kind=MediaKind.IMAGE, media_type="image/png", data="AAEC", detail="high"),
            {"inlineData": {"mimeType": "image/png", "data": "AAEC"}},
        ),
        (
            Media(kind=MediaKind.DOCUMENT, data="AAEC", name="a.pdf"),
            {"inlineData": {"mimeType": "application/pdf", "data": "AAEC"}},
        ),
        (
            Media(kind=MediaKind.IMAGE, url="https://a/b.JPG?size=1"),
            {"fileData": {"fileUri": "https://a/b.JPG?size=1", "mimeType": "image/jpeg"}},
        ),
        (
            Media(kind=MediaKind.VIDEO, media_type="video/mp4", url="gs://bucket/a"),
            {"fileData": {"fileUri": "gs://bucket/a", "mimeType": "video/mp4"}},
        ),
        (
            Media(kind=MediaKind.VIDEO, url="https://youtu.be/1"),
            {"fileData": {"fileUri": "https://youtu.be/1"}},
        ),
        (Media(kind=MediaKind.DOCUMENT, file_id=FILES), {"fileData": {"fileUri": FILES}}),
    ],
)
def test_files_are_never_fetched_but_named(media: Media, part: object) -> None:
    """A peer downloads image URLs while it converts."""
    assert contents(by(Speaker.USER, media))[0]["parts"] == [part]


@pytest.mark.parametrize(
    ("media", "lost"),
    [
        (Media(kind=MediaKind.IMAGE, url="https://a/b"), "turns[0].parts[0].media_type"),
        (Media(kind=MediaKind.DOCUMENT, data="AAEC"), "turns[0].parts[0].media_type"),
        (Media(kind=MediaKind.IMAGE, file_id="file-1"), "turns[0].parts[0].file_id"),
    ],
)
def test_files_that_the_provider_cannot_have_are_lost(media: Media, lost: str) -> None:
    body, told = written(by(Speaker.USER, media, Text(text="hi")))
    assert (body["contents"][0]["parts"], told) == ([{"text": "hi"}], [lost])


@pytest.mark.parametrize(("model", "inside"), [("gemini-3-pro", True), ("gemini-2.5-pro", False)])
def test_files_that_a_tool_gave_stand_in_its_result_or_beside_it(model: str, inside: bool) -> None:
    picture = Media(kind=MediaKind.IMAGE, media_type="image/png", data="AAEC")
    result = ToolResult(call_id="c1", parts=(Text(text="see"), picture))
    parts = contents(HI, CALLS, by(Speaker.USER, result), model=model)[-1]["parts"]
    blob = {"inlineData": {"mimeType": "image/png", "data": "AAEC"}}
    assert (parts[0]["functionResponse"].get("parts") == [blob]) is inside
    assert (parts[1:] == [blob]) is not inside


def test_a_schema_goes_whole() -> None:
    """A subset of OpenAPI would refuse `$ref`, `additionalProperties` and lists of types."""
    body, lost = written(
        tools=(
            Tool(name="f", description="d", parameters=SCHEMA),
            Tool(name="g"),
            Tool(name="h", parameters={"type": "object", "properties": {}}),
        )
    )
    assert body["tools"] == [
        {
            "functionDeclarations": [
                {"name": "f", "description": "d", "parametersJsonSchema": SCHEMA},
                {"name": "g"},
                {"name": "h"},
            ]
        }
    ]
    assert ("toolConfig" in body, lost) == (False, [])


@pytest.mark.parametrize(
    ("choice", "strict", "config"),
    [
        (ToolChoice(use=ToolUse.AUTO), None, {"mode": "AUTO"}),
        (ToolChoice(use=ToolUse.AUTO), True, {"mode": "VALIDATED"}),
        (None, True, {"mode": "VALIDATED"}),
        (ToolChoice(use=ToolUse.NONE), True, {"mode": "NONE"}),
        (ToolChoice(use=ToolUse.REQUIRED, parallel=True), None, {"mode": "ANY"}),
        (
            ToolChoice(use=ToolUse.NAMED, name="f"),
            True,
            {"mode": "ANY", "allowedFunctionNames": ["f"]},
        ),
    ],
)
def test_how_tools_are_to_be_used(choice: ToolChoice | None, strict: bool | None, config: object) -> None:
    body, lost = written(tools=(Tool(name="f", strict=strict),), tool_choice=choice)
    assert (body["toolConfig"], lost) == ({"functionCallingConfig": config}, [])


def test_one_call_at_a_time_cannot_be_asked_for() -> None:
    _, lost = written(tools=(Tool(name="f"),), tool_choice=ToolChoice(parallel=False))
    assert lost == ["tool_choice.parallel"]


@pytest.mark.parametrize(
    ("model", "fields", "config"),
    [
        (
            "gemini-2.5-pro",
            {
                "sampling": Sampling(
                    max_tokens=9,
                    temperature=0.0,
                    top_p=0.5,
                    top_k=3,
                    stop=("a",),
                    seed=0,
                    frequency_penalty=0.1,
                    presence_penalty=0.2,
                    choices=2,
                    logprobs=True,
                    top_logprobs=2,
                )
            },
            {
                "maxOutputTokens": 9,
                "temperature": 0.0,
                "topP": 0.5,
                "topK": 3,
                "stopSequences": ["a"],
                "seed": 0,
                "frequencyPenalty": 0.1,
                "presencePenalty": 0.2,
                "candidateCount": 2,
                "responseLogprobs": True,
                "logprobs": 2,
            },
        ),
        (
            "gemini-3-flash",
            {"reasoning": Reasoning(effort=Effort.MINIMAL, summary="auto")},
            {"thinkingConfig": {"thinkingLevel": "MINIMAL", "includeThoughts": True}},
        ),
        (  # it knows no MINIMAL, and cannot stop thinking
            "gemini-3-pro",
            {"reasoning": Reasoning(effort=Effort.NONE)},
            {"thinkingConfig": {"thinkingLevel": "LOW"}},
        ),
        (
            "gemini-3-pro",
            {"reasoning": Reasoning(effort=Effort.XHIGH)},
            {"thinkingConfig": {"thinkingLevel": "HIGH"}},
        ),
        (
            "gemini-2.5-flash",
            {"reasoning": Reasoning(effort=Effort.NONE)},
            {"thinkingConfig": {"thinkingBudget": 0}},
        ),
        (
            "gemini-3-pro",
            {"reasoning": Reasoning(budget_tokens=2000)},
            {"thinkingConfig": {"thinkingBudget": 2000}},
        ),
        (
            "gemini-2.5-pro",
            {"reasoning": Reasoning(budget_tokens=-1)},
            {"thinkingConfig": {"thinkingBudget": -1}},
        ),
        (
            "gemini-2.5-pro",
            {"output": OutputFormat(kind=OutputKind.JSON)},
            {"responseMimeType": "application/json"},
        ),
        (
            "gemini-2.5-pro",
            {"output": OutputFormat(kind=OutputKind.SCHEMA, schema=SCHEMA)},
            {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA},
        ),
    ],
)
def test_generation_config(model: str, fields: dict[str, Any], config: object) -> None:
    body, lost = written(model=model, **fields)
    assert (body["generationConfig"], lost) == (config, [])


@pytest.mark.parametrize("wanted", [Reasoning(effort=Effort.HIGH), Reasoning(budget_tokens=10_000)])
def test_thoughts_leave_room_for_the_answer(wanted: Reasoning) -> None:
    body, _ = written(reasoning=wanted, sampling=Sampling(max_tokens=4096))
    config = body["generationConfig"]
    assert 0 < config["thinkingConfig"]["thinkingBudget"] < config["maxOutputTokens"]


def test_hints_are_left_out_without_a_word() -> None:
    cached = by(Speaker.USER, Text(text="hi", cache=CacheHint()))
    assert written(cached, user="u1") == written()


def test_what_the_server_refuses_is_lost() -> None:
    quirks = Quirks(unsupported=frozenset(("sampling.seed", "tools")))
    body, lost = written(sampling=Sampling(seed=1), tools=(Tool(name="f"),), quirks=quirks)
    assert (body, sorted(lost)) == (written()[0], ["sampling.seed", "tools"])
