"""Requests of Gemini generateContent, read. The vectors follow the API reference."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from agent.errors import ContentError
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
from agent.translation import seals
from agent.translation.gemini_generate.requests import read
from agent.translation.seals import Seal

PATH = "/v1beta/models/gemini-3-pro:generateContent"
HI = {"role": "user", "parts": [{"text": "hi"}]}


def conversation(path: str = PATH, query: str = "", **fields: Any) -> Conversation:
    return read(path, query, orjson.dumps({"contents": [HI], **fields}))


def turns(*contents: Any) -> tuple[Turn, ...]:
    read = conversation(contents=list(contents))
    assert read.unread == ()
    return read.turns


def parts(*given: Any, role: str = "user") -> tuple[Any, ...]:
    (turn,) = turns({"role": role, "parts": list(given)})
    return turn.parts


def test_a_request_in_both_spellings() -> None:
    expected = Conversation(
        model="gemini-3-pro",
        turns=(
            Turn(speaker=Speaker.SYSTEM, parts=(Text(text="Be brief."),)),
            Turn(speaker=Speaker.USER, parts=(Text(text="hi"),)),
        ),
        sampling=Sampling(max_tokens=5),
    )
    system = {"parts": [{"text": "Be brief."}]}
    assert conversation(systemInstruction=system, generationConfig={"maxOutputTokens": 5}) == expected
    assert conversation(system_instruction=system, generation_config={"max_output_tokens": 5}) == expected


def test_the_path_says_whether_it_streams_and_the_query_how() -> None:
    path = "/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-flash:streamGenerateContent"
    streamed = conversation(path, "alt=sse")
    assert (streamed.model, streamed.stream, streamed.unread) == ("gemini-2.5-flash", True, ())
    assert conversation(path).unread == ("alt=json",)
    assert not conversation().stream


@pytest.mark.parametrize(
    ("role", "speaker"),
    [("user", Speaker.USER), ("model", Speaker.ASSISTANT), ("function", Speaker.USER), ("", Speaker.USER)],
)
def test_roles(role: str, speaker: Speaker) -> None:
    assert turns({"role": role, "parts": [{"text": "a"}]})[0].speaker is speaker


def test_short_forms_of_contents() -> None:
    assert conversation(contents="hi").turns == conversation().turns
    assert conversation(contents=HI).turns == conversation().turns
    assert conversation(contents={"parts": {"text": "hi"}}).turns == conversation().turns
    assert conversation(contents=[{"parts": ["hi"]}], systemInstruction="s").turns[1:] == conversation().turns


@pytest.mark.parametrize(
    ("part", "read"),
    [
        ({"text": "a"}, Text(text="a")),
        ({"text": "a", "thought": True}, Thinking(text="a")),
        (
            {"text": "a", "thought": True, "thoughtSignature": "Cs0D"},
            Thinking(text="a", signature="gemini:Cs0D"),
        ),
        (
            {"text": "", "thought": True, "thoughtSignature": seals.written64(Seal(signature="EqQB"))},
            Thinking(signature="EqQB"),
        ),
        (
            {"inlineData": {"mimeType": "image/png", "data": "_-8"}},  # the SDK's alphabet
            Media(kind=MediaKind.IMAGE, media_type="image/png", data="/+8="),
        ),
        (
            {"inline_data": {"mime_type": "application/pdf", "data": "AAEC", "display_name": "a.pdf"}},
            Media(kind=MediaKind.DOCUMENT, media_type="application/pdf", data="AAEC", name="a.pdf"),
        ),
        (
            {"fileData": {"mimeType": "audio/mpeg", "fileUri": "https://a/b.mp3"}},
            Media(kind=MediaKind.AUDIO, media_type="audio/mpeg", url="https://a/b.mp3"),
        ),
        (
            {"fileData": {"fileUri": "gs://bucket/a.mp4", "mimeType": "video/mp4"}},
            Media(kind=MediaKind.VIDEO, media_type="video/mp4", url="gs://bucket/a.mp4"),
        ),
        (
            {"fileData": {"fileUri": "https://www.youtube.com/watch?v=1"}},
            Media(kind=MediaKind.VIDEO, url="https://www.youtube.com/watch?v=1"),
        ),
        (
            {"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/a"}},
            Media(
                kind=MediaKind.DOCUMENT, file_id="https://generativelanguage.googleapis.com/v1beta/files/a"
            ),
        ),
    ],
)
def test_parts(part: object, read: object) -> None:
    assert parts(part) == (read,)


def test_the_pieces_of_a_thought_are_one_thought() -> None:
    """What a client collects of a stream: the signature comes last, and chats keep a content for each piece."""
    pieces = [
        {"text": "let me ", "thought": True},
        {"text": "see", "thought": True},
        {"text": "", "thought": True, "thoughtSignature": seals.written64(Seal(signature="s"))},
    ]
    after = [{"text": "next", "thought": True}, {"text": "so"}]
    whole = (Thinking(text="let me see", signature="s"), Thinking(text="next"), Text(text="so"))
    assert parts(*pieces, *after, role="model") == whole
    found = turns(HI, *({"role": "model", "parts": [part]} for part in (*pieces, *after)), HI)
    assert [part for turn in found[1:-1] for part in turn.parts] == list(whole)
    apart = turns({"role": "model", "parts": pieces[:1]}, HI, {"role": "model", "parts": pieces[1:]})
    assert [len(turn.parts) for turn in apart] == [1, 1, 1]


def test_a_round_of_tools_with_ids() -> None:
    assert turns(
        HI,
        {
            "role": "model",
            "parts": [
                {
                    "functionCall": {"id": "c1", "name": "f", "args": {"a_b": 1}},
                    "thoughtSignature": "Cs0D",
                },
                {"function_call": {"id": "c2", "name": "f"}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"id": "c2", "name": "f", "response": {"output": "rain"}}},
                {"functionResponse": {"id": "c1", "name": "f", "response": {"error": "no such place"}}},
            ],
        },
    )[1:] == (
        Turn(
            speaker=Speaker.ASSISTANT,
            parts=(
                ToolCall(id="c1", name="f", arguments='{"a_b":1}', signature="Cs0D"),
                ToolCall(id="c2", name="f", arguments="{}"),
            ),
        ),
        Turn(
            speaker=Speaker.USER,
            parts=(
                ToolResult(call_id="c2", name="f", parts=(Text(text="rain"),)),
                ToolResult(call_id="c1", name="f", parts=(Text(text="no such place"),), error=True),
            ),
        ),
    )


def test_results_without_ids_answer_the_calls_of_their_function_in_order() -> None:
    read = turns(
        {
            "role": "model",
            "parts": [{"functionCall": {"name": name, "args": {}}} for name in ("f", "g", "f")],
        },
        {
            "role": "function",
            "parts": [
                {"functionResponse": {"name": name, "response": {"result": str(place)}}}
                for place, name in enumerate(("f", "f", "g", "h"))
            ],
        },
    )
    f1, g, f2 = (part.id for part in read[0].parts)
    assert len({f1, g, f2}) == 3
    results = [part.call_id for part in read[1].parts]
    assert results[:3] == [f1, f2, g]
    assert results[3] not in {f1, f2, g}


@pytest.mark.parametrize(
    ("response", "said"),
    [
        ({"output": "a"}, (Text(text="a"),)),
        ({"result": "a"}, (Text(text="a"),)),
        ({"output": ""}, ()),
        ({}, ()),
        ({"output": {"t": 1}}, (Text(text='{"output":{"t":1}}'),)),
        ({"temperature": 20, "unit": "C"}, (Text(text='{"temperature":20,"unit":"C"}'),)),
    ],
)
def test_what_a_function_gave(response: object, said: object) -> None:
    (result,) = parts({"functionResponse": {"id": "c", "name": "f", "response": response}})
    assert (result.parts, result.error) == (said, False)


def test_a_function_may_give_files() -> None:
    (result,) = parts(
        {
            "functionResponse": {
                "id": "c",
                "name": "f",
                "response": {"output": "see"},
                "parts": [{"inlineData": {"mimeType": "image/png", "data": "AAEC"}}],
            }
        }
    )
    assert result.parts == (
        Text(text="see"),
        Media(kind=MediaKind.IMAGE, media_type="image/png", data="AAEC"),
    )


def test_tools_are_read_from_either_kind_of_schema() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": ["string", "null"]}},
        "additionalProperties": False,
    }
    read = conversation(
        tools=[
            {
                "functionDeclarations": [
                    {"name": "f", "description": "d", "parametersJsonSchema": schema},
                    {
                        "name": "g",
                        "parameters": {
                            "type": "OBJECT",
                            "properties": {"a": {"type": "STRING", "nullable": True}},
                        },
                    },
                    {"name": "h"},
                ]
            }
        ]
    )
    assert read.tools == (
        Tool(name="f", description="d", parameters=schema),
        Tool(name="g", parameters={"type": "object", "properties": {"a": {"type": ["string", "null"]}}}),
        Tool(name="h"),
    )
    assert read.unread == ()


TOOLS = [{"functionDeclarations": [{"name": "f"}, {"name": "g"}]}]


@pytest.mark.parametrize(
    ("config", "choice"),
    [
        ({}, None),
        ({"mode": "AUTO"}, ToolChoice(use=ToolUse.AUTO)),
        ({"mode": "NONE"}, ToolChoice(use=ToolUse.NONE)),
        ({"mode": "ANY"}, ToolChoice(use=ToolUse.REQUIRED)),
        ({"mode": "any", "allowed_function_names": ["f"]}, ToolChoice(use=ToolUse.NAMED, name="f")),
        ({"mode": "ANY", "allowedFunctionNames": ["f", "g"]}, ToolChoice(use=ToolUse.REQUIRED)),
        ({"mode": "MODE_UNSPECIFIED"}, None),
    ],
)
def test_how_tools_are_to_be_used(config: object, choice: ToolChoice | None) -> None:
    read = conversation(tools=TOOLS, toolConfig={"functionCallingConfig": config})
    assert (read.tool_choice, read.unread) == (choice, ())


def test_validated_calls_are_strict_ones() -> None:
    read = conversation(tools=TOOLS, tool_config={"function_calling_config": {"mode": "VALIDATED"}})
    assert read.tool_choice == ToolChoice(use=ToolUse.AUTO)
    assert [tool.strict for tool in read.tools] == [True, True]


@pytest.mark.parametrize(
    ("fields", "unread"),
    [
        ({"safetySettings": [{"category": "c"}]}, "safetySettings"),
        ({"cached_content": "cachedContents/1"}, "cached_content"),
        ({"labels": {"team": "a"}}, "labels"),
        ({"tools": [{"googleSearch": {}}]}, "tools[0].googleSearch"),
        ({"tools": [{"code_execution": {}}]}, "tools[0].code_execution"),
        (
            {"tools": [{"functionDeclarations": [{"name": "f", "response": {"type": "STRING"}}]}]},
            "tools[0].functionDeclarations[0].response",
        ),
        ({"toolConfig": {"retrievalConfig": {"languageCode": "de"}}}, "toolConfig.retrievalConfig"),
        (
            {
                "tools": [{"functionDeclarations": [{"name": n} for n in "abc"]}],
                "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["a", "b"]}},
            },
            "toolConfig.functionCallingConfig.allowedFunctionNames",
        ),
        ({"generationConfig": {"speechConfig": {"a": 1}}}, "generationConfig.speechConfig"),
        (
            {"generationConfig": {"responseModalities": ["IMAGE"]}},
            "generationConfig.responseModalities",
        ),
        (
            {"generationConfig": {"responseMimeType": "text/x.enum"}},
            "generationConfig.responseMimeType=text/x.enum",
        ),
        ({"generationConfig": {"thinkingConfig": {"new": 1}}}, "generationConfig.thinkingConfig.new"),
        ({"contents": [{"parts": [{"text": "a"}], "new": 1}]}, "contents[0].new"),
        (
            {"contents": [{"parts": [{"functionCall": {"name": "f", "new": 1}}]}]},
            "contents[0].parts[0].functionCall.new",
        ),
        (
            {"contents": [{"parts": [{"functionResponse": {"name": "f", "new": 1}}]}]},
            "contents[0].parts[0].functionResponse.new",
        ),
        (
            {"contents": [{"parts": [{"inlineData": {"mimeType": "image/png", "new": 1}}]}]},
            "contents[0].parts[0].inlineData.new",
        ),
        (
            {"contents": [{"parts": [{"executableCode": {"code": "1"}}]}]},
            "contents[0].parts[0].executableCode",
        ),
        (
            {"contents": [{"parts": [{"text": "a", "video_metadata": {"fps": 1}}]}]},
            "contents[0].parts[0].video_metadata",
        ),
    ],
)
def test_what_no_other_format_has_is_named(fields: dict[str, Any], unread: str) -> None:
    assert conversation(**fields).unread == (unread,)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"contents": 1}, "contents must be an object"),
        ({"contents": [{"role": "robot", "parts": []}]}, r"contents\[0\]\.role"),
        ({"contents": [{"parts": [1]}]}, r"contents\[0\]\.parts\[0\]"),
        (
            {"contents": [{"parts": [{"functionCall": {"args": {}}}]}]},
            r"contents\[0\]\.parts\[0\]\.functionCall\.name",
        ),
        ({"tools": 1}, "tools must be an array"),
        ({"generationConfig": {"temperature": "hot"}}, r"generationConfig\.temperature"),
        ({"generationConfig": {"topK": 1.5}}, r"generationConfig\.topK"),
    ],
)
def test_what_breaks_the_format_is_an_error_that_names_the_field(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(ContentError, match=named):
        conversation(**fields)


@pytest.mark.parametrize(
    ("config", "fields"),
    [
        (
            {
                "temperature": 0.5,
                "topP": 0.9,
                "topK": 40.0,
                "candidateCount": 2,
                "stopSequences": ["END"],
                "seed": 7,
                "presencePenalty": 0.1,
                "frequencyPenalty": 0.2,
                "responseLogprobs": True,
                "logprobs": 3,
                "responseModalities": ["TEXT"],
            },
            {
                "sampling": Sampling(
                    temperature=0.5,
                    top_p=0.9,
                    top_k=40,
                    choices=2,
                    stop=("END",),
                    seed=7,
                    presence_penalty=0.1,
                    frequency_penalty=0.2,
                    logprobs=True,
                    top_logprobs=3,
                )
            },
        ),
        ({"thinkingConfig": {"thinkingBudget": 0}}, {"reasoning": Reasoning(budget_tokens=0)}),
        (
            {"thinking_config": {"thinking_level": "low", "include_thoughts": True}},
            {"reasoning": Reasoning(effort=Effort.LOW, summary="auto")},
        ),
        ({"thinkingConfig": {"includeThoughts": False}}, {}),
        ({"responseMimeType": "application/json"}, {"output": OutputFormat(kind=OutputKind.JSON)}),
        ({"responseMimeType": "text/plain"}, {}),
        (
            {"responseMimeType": "application/json", "responseSchema": {"type": "STRING"}},
            {"output": OutputFormat(kind=OutputKind.SCHEMA, schema={"type": "string"})},
        ),
        (
            {"responseMimeType": "application/json", "responseJsonSchema": {"$ref": "#/a"}},
            {"output": OutputFormat(kind=OutputKind.SCHEMA, schema={"$ref": "#/a"})},
        ),
    ],
)
def test_generation_config(config: object, fields: dict[str, Any]) -> None:
    expected = Conversation(model="gemini-3-pro", turns=conversation().turns, **fields)
    assert conversation(generationConfig=config) == expected
