"""Converse, both ways, with botocore as the other side."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import ContentError
from agent.model.conversation import (
    CacheHint,
    Choice,
    Conversation,
    Effort,
    Finish,
    Media,
    MediaKind,
    OutputFormat,
    OutputKind,
    Part,
    Reasoning,
    Reply,
    Sampling,
    Speaker,
    Text,
    Thinking,
    TokenCount,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    ToolUse,
    Turn,
)
from agent.translation.base import Losses, Quirks, Untranslatable
from agent.translation.bedrock_converse import BedrockConverse
from agent.translation.bedrock_converse.media import document_name
from agent.translation.bedrock_converse.messages import fit_id
from tests.fakes import bedrock
from tests.fakes.conversations import conversations, merged, replies

CONVERSE = BedrockConverse()
CLAUDE = Quirks(family="claude-3.7")
PNG = b64encode(b"\x89PNG").decode()
WEATHER = Tool(name="weather", description="of a town", parameters={"type": "object"})


def user(*parts: Part) -> Turn:
    return Turn(speaker=Speaker.USER, parts=parts)


def assistant(*parts: Part) -> Turn:
    return Turn(speaker=Speaker.ASSISTANT, parts=parts)


def asking(*turns: Turn, **others: object) -> Conversation:
    return Conversation(model="m", turns=turns or (user(Text(text="hi")),), **others)  # type: ignore[arg-type]


def written(
    conversation: Conversation, quirks: Quirks = CLAUDE, *, lost: tuple[str, ...] = ()
) -> dict[str, object]:
    """The body, which the service would take, written with exactly these losses."""
    losses = Losses(target="Bedrock", drop=True)
    body = CONVERSE.write_request(conversation, losses, quirks).body
    assert losses.settle() == lost
    assert bedrock.complaints(body) == []
    document: dict[str, object] = orjson.loads(body)
    return document


def content(conversation: Conversation, message: int = 0) -> object:
    return written(conversation)["messages"][message]["content"]  # type: ignore[index]


def reread(conversation: Conversation, quirks: Quirks = CLAUDE) -> Conversation:
    request = CONVERSE.write_request(conversation, Losses(target="Bedrock", drop=True), quirks)
    assert bedrock.complaints(request.body) == []
    path = "converse-stream" if request.operation == "chat_stream" else "converse"
    return CONVERSE.read_request(f"/model/{conversation.model}/{path}", "", request.body)


def fitted(turn: Turn) -> Turn:
    """With ids as Converse takes them."""
    parts: list[Part] = []
    for part in turn.parts:
        match part:
            case ToolCall():
                parts.append(replace(part, id=fit_id(part.id)))
            case ToolResult():
                parts.append(replace(part, call_id=fit_id(part.call_id)))
            case _:
                parts.append(part)
    return replace(turn, parts=tuple(parts))


def expected(conversation: Conversation) -> Conversation:
    """What comes back of a conversation of words and calls: all, but a ban on tools that stand in the history."""
    conversation = replace(conversation, turns=tuple(fitted(turn) for turn in conversation.turns))
    called = any(isinstance(part, ToolCall) for turn in conversation.turns for part in turn.parts)
    choice = conversation.tool_choice
    if choice is None or choice.use is not ToolUse.NONE:
        return merged(conversation)
    if not called:
        return merged(replace(conversation, tools=(), tool_choice=None))
    parallel = ToolChoice(parallel=False) if choice.parallel is False else None
    return merged(replace(conversation, tool_choice=parallel))


@settings(max_examples=20)
@given(conversations(media=False, thinking=False), st.booleans())
def test_words_calls_and_wishes_come_back_as_they_went(conversation: Conversation, stream: bool) -> None:
    conversation = replace(conversation, stream=stream)
    assert reread(conversation) == expected(conversation)


@settings(max_examples=15)
@given(conversations())
def test_what_was_read_is_written_the_same_again(conversation: Conversation) -> None:
    once = reread(conversation)
    assert reread(once) == once
    assert not once.unread


@settings(max_examples=20)
@given(replies())
def test_an_answer_comes_back_as_it_went(reply: Reply) -> None:
    body = CONVERSE.write_answer(reply)
    assert bedrock.heard(body)["stopReason"]
    assert CONVERSE.read_answer(body) == Reply(
        id="", model="", choices=reply.choices, usage=replace(reply.usage, reasoning=None)
    )


def test_a_clients_request_is_read() -> None:
    path, body = bedrock.asked(
        modelId="us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        system=[{"text": "Be brief."}, {"cachePoint": {"type": "default", "ttl": "1h"}}],
        messages=[
            {
                "role": "user",
                "content": [
                    {"text": "Look"},
                    {"image": {"format": "png", "source": {"bytes": b"\x89PNG"}}},
                    {"document": {"format": "txt", "name": "note", "source": {"text": "hello"}}},
                    {"video": {"format": "mp4", "source": {"s3Location": {"uri": "s3://bucket/film.mp4"}}}},
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}},
                    {"reasoningContent": {"redactedContent": b"sealed"}},
                    {"toolUse": {"toolUseId": "t1", "name": "weather", "input": {"town": "Bern"}}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "toolResult": {
                            "toolUseId": "t1",
                            "content": [{"json": {"sun": True}}, {"text": "warm"}],
                            "status": "error",
                        }
                    },
                ],
            },
        ],
        toolConfig={
            "tools": [
                {
                    "toolSpec": {
                        "name": "weather",
                        "inputSchema": {"json": {"type": "object"}},
                        "strict": True,
                    }
                },
                {"cachePoint": {"type": "default"}},
            ],
            "toolChoice": {"tool": {"name": "weather"}},
        },
        inferenceConfig={"maxTokens": 9, "temperature": 0.5, "topP": 0.75, "stopSequences": ["x"]},
        additionalModelRequestFields={"top_k": 5, "thinking": {"type": "enabled", "budget_tokens": 2000}},
        outputConfig={
            "textFormat": {
                "type": "json_schema",
                "structure": {"jsonSchema": {"schema": '{"type":"object"}', "name": "n"}},
            }
        },
        requestMetadata={"user": "ada"},
    )
    assert CONVERSE.read_request(path, "", body) == Conversation(
        model="us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        turns=(
            Turn(speaker=Speaker.SYSTEM, parts=(Text(text="Be brief.", cache=CacheHint(ttl="1h")),)),
            user(
                Text(text="Look"),
                Media(kind=MediaKind.IMAGE, media_type="image/png", data=PNG),
                Media(kind=MediaKind.DOCUMENT, media_type="text/plain", data="aGVsbG8=", name="note"),
                Media(kind=MediaKind.VIDEO, media_type="video/mp4", url="s3://bucket/film.mp4"),
            ),
            assistant(
                Thinking(text="hm", signature="sig"),
                Thinking(sealed="c2VhbGVk"),
                ToolCall(id="t1", name="weather", arguments='{"town":"Bern"}'),
            ),
            user(
                ToolResult(
                    call_id="t1",
                    parts=(Text(text='{"sun":true}'), Text(text="warm")),
                    name="weather",
                    error=True,
                )
            ),
        ),
        tools=(Tool(name="weather", parameters={"type": "object"}, strict=True, cache=CacheHint()),),
        tool_choice=ToolChoice(use=ToolUse.NAMED, name="weather"),
        sampling=Sampling(max_tokens=9, temperature=0.5, top_p=0.75, top_k=5, stop=("x",)),
        reasoning=Reasoning(budget_tokens=2000),
        output=OutputFormat(kind=OutputKind.SCHEMA, name="n", schema={"type": "object"}, strict=True),
        user="ada",
    )


def test_what_no_other_format_has_is_named() -> None:
    path, body = bedrock.asked(
        modelId="m",
        system=[{"guardContent": {"text": {"text": "x"}}}],
        messages=[
            {"role": "user", "content": [{"searchResult": {"source": "s", "title": "t", "content": []}}]},
            {"role": "user", "content": [{"cachePoint": {"type": "default"}}, {"text": "hi"}]},
            {
                "role": "user",
                "content": [
                    {
                        "document": {
                            "format": "pdf",
                            "name": "d",
                            "source": {"bytes": b"a"},
                            "citations": {"enabled": True},
                        }
                    }
                ],
            },
        ],
        toolConfig={"tools": [{"systemTool": {"name": "grounding"}}]},
        guardrailConfig={"guardrailIdentifier": "g", "guardrailVersion": "1"},
        serviceTier={"type": "flex"},
        requestMetadata={"team": "a"},
        additionalModelRequestFields={"anthropic_beta": ["x"], "thinking": {"type": "enabled", "new": 1}},
        outputConfig={"effort": "enormous"},
    )
    assert set(CONVERSE.read_request(path, "", body).unread) == {
        "system[0].guardContent",
        "messages[0].content[0].searchResult",
        "messages[1].content[0].cachePoint",
        "messages[2].content[0].document.citations",
        "toolConfig.tools[0].systemTool",
        "guardrailConfig",
        "serviceTier",
        "requestMetadata.team",
        "additionalModelRequestFields.anthropic_beta",
        "additionalModelRequestFields.thinking.new",
        "outputConfig.effort",
    }


@pytest.mark.parametrize(
    ("path", "model", "stream"),
    [
        ("/model/amazon.nova-pro-v1%3A0/converse", "amazon.nova-pro-v1:0", False),
        ("/model/amazon.nova-pro-v1:0/converse-stream", "amazon.nova-pro-v1:0", True),
        ("/model/arn:aws:bedrock:1:inference-profile/x/converse", "arn:aws:bedrock:1:inference-profile/x", False),
    ],
)  # fmt: skip
def test_the_path_names_model_and_streaming(path: str, model: str, stream: bool) -> None:
    read = CONVERSE.read_request(path, "", b'{"messages":[]}')
    assert (read.model, read.stream) == (model, stream)


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"[]", "not an object"),
        (b'{"messages":{}}', "`messages` must be an array"),
        (b'{"messages":[{"role":"tool","content":[]}]}', r"messages\[0\].role"),
        (b'{"messages":[{"role":"user","content":"hi"}]}', r"messages\[0\].content` must be an array"),
        (b'{"messages":[{"role":"user","content":[{"text":"a","image":{}}]}]}', r"content\[0\]` must be a content"),
        (b'{"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{"}}}}}', "schema"),
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused_by_name(body: bytes, complaint: str) -> None:
    with pytest.raises(ContentError, match=complaint):
        CONVERSE.read_request("/model/m/converse", "", body)


def test_results_come_first_and_neighbours_are_one_message() -> None:
    conversation = asking(
        user(Text(text="a")),
        assistant(ToolCall(id="1", name="weather"), ToolCall(id="2", name="weather")),
        user(Text(text="b"), ToolResult(call_id="1", parts=(Text(text="sun"),))),
        user(ToolResult(call_id="2", parts=(Text(text=" "),), cache=CacheHint())),
        tools=(WEATHER,),
    )
    assert content(conversation, 2) == [
        {"toolResult": {"toolUseId": "1", "content": [{"text": "sun"}]}},
        {"toolResult": {"toolUseId": "2", "content": []}},
        {"cachePoint": {"type": "default"}},
        {"text": "b"},
    ]


def test_blank_texts_are_left_out_and_their_hints_kept() -> None:
    blank = Text(text=" \n", cache=CacheHint())
    assert content(asking(user(Text(text="a"), blank, blank))) == [
        {"text": "a"},
        {"cachePoint": {"type": "default"}},
    ]
    assert written(asking(user(blank)))["messages"] == []
    without = written(
        asking(user(Text(text="a", cache=CacheHint()))), Quirks(unsupported=frozenset({"cache"}))
    )
    assert without["messages"] == [{"role": "user", "content": [{"text": "a"}]}]


def test_documents_have_plain_names_of_their_own_and_are_never_alone() -> None:
    pdf = Media(kind=MediaKind.DOCUMENT, media_type="application/pdf", data=PNG, name="a_b  c.pdf")
    blocks = content(asking(user(pdf, pdf)))
    assert isinstance(blocks, list)
    assert blocks[0] == {"text": "a b c pdf"}
    assert [block["document"]["name"] for block in blocks[1:]] == ["a b c pdf", "a b c pdf (2)"]


@given(st.text(max_size=300))
def test_a_documents_name_has_nothing_but_what_may_stand_in_it(name: str) -> None:
    plain = document_name(name)
    assert 1 <= len(plain) <= 200
    assert "  " not in plain
    assert all(sign.isascii() and (sign.isalnum() or sign in " -()[]") for sign in plain)
    assert document_name(plain) == plain


@pytest.mark.parametrize(
    "media",
    [
        Media(kind=MediaKind.IMAGE, url="https://images.example/a.png"),
        Media(kind=MediaKind.IMAGE, media_type="image/tiff", data=PNG),
        Media(kind=MediaKind.DOCUMENT, file_id="file-1"),
        Media(kind=MediaKind.AUDIO, media_type="audio/unheard", data=PNG),
    ],
)
def test_media_that_converse_does_not_take_are_lost(media: Media) -> None:
    written(asking(user(Text(text="a"), media)), lost=("turns[0].parts[1]",))


def test_media_in_an_assistants_turn_or_sound_in_a_result_are_lost() -> None:
    image = Media(kind=MediaKind.IMAGE, media_type="image/jpg", data=PNG)
    sound = Media(kind=MediaKind.AUDIO, media_type="audio/wav", data=PNG)
    conversation = asking(
        user(image, sound),
        assistant(image, ToolCall(id="1", name="weather")),
        user(ToolResult(call_id="1", parts=(image, sound))),
        tools=(WEATHER,),
    )
    body = written(conversation, lost=("turns[1].parts[0]", "turns[2].parts[0].parts[1]"))
    jpeg = {"image": {"format": "jpeg", "source": {"bytes": PNG}}}
    assert body["messages"][0]["content"] == [  # type: ignore[index]
        jpeg,
        {"audio": {"format": "wav", "source": {"bytes": PNG}}},
    ]


def test_ids_and_old_names_fit_alike_in_call_and_result() -> None:
    strange = "call é" * 20
    conversation = asking(
        user(Text(text="a")),
        assistant(ToolCall(id=strange, name="mcp.weather", arguments="")),
        user(ToolResult(call_id=strange, parts=())),
    )
    body = written(conversation)
    call = body["messages"][1]["content"][0]["toolUse"]  # type: ignore[index]
    assert call["toolUseId"] == body["messages"][2]["content"][0]["toolResult"]["toolUseId"]  # type: ignore[index]
    assert [tool["toolSpec"]["name"] for tool in body["toolConfig"]["tools"]] == [call["name"]]  # type: ignore[index]


def test_a_tool_whose_name_does_not_fit_is_lost_for_its_call_would_not_find_back() -> None:
    named = ToolChoice(use=ToolUse.NAMED, name="a.b")
    wish = asking(tools=(Tool(name="a.b"), WEATHER), tool_choice=named)
    body = written(wish, lost=("tools[0].name", "tool_choice"))
    assert "toolChoice" not in body["toolConfig"]  # type: ignore[operator]
    assert len(body["toolConfig"]["tools"]) == 1  # type: ignore[index]


def test_arguments_that_are_no_object_are_lost() -> None:
    conversation = asking(user(Text(text="a")), assistant(ToolCall(id="1", name="a", arguments="{")))
    written(conversation, lost=("turns[1].parts[0].arguments",))


def test_who_may_not_call_tools_sees_none() -> None:
    assert "toolConfig" not in written(asking(tools=(WEATHER,), tool_choice=ToolChoice(use=ToolUse.NONE)))


def test_one_call_at_a_time_is_claudes_alone() -> None:
    wish = asking(tools=(WEATHER,), tool_choice=ToolChoice(use=ToolUse.REQUIRED, parallel=False))
    body = written(wish)
    assert body["toolConfig"]["toolChoice"] == {"any": {}}  # type: ignore[index]
    assert body["additionalModelRequestFields"] == {"tool_choice": {"disable_parallel_tool_use": True}}
    written(wish, Quirks(), lost=("tool_choice.parallel",))


@pytest.mark.parametrize(
    ("family", "fields", "lost"),
    [
        ("", None, ("sampling.top_k",)),
        ("claude-3.7", {"top_k": 7}, ()),
        ("claude-4.7", None, ("sampling.top_k",)),
        ("nova-2", {"inferenceConfig": {"topK": 7}}, ()),
        ("gpt-oss", None, ("sampling.top_k",)),
    ],
)
def test_top_k_has_its_place_in_each_family(family: str, fields: object, lost: tuple[str, ...]) -> None:
    conversation = asking(sampling=Sampling(top_k=7))
    body = written(conversation, Quirks(family=family), lost=lost)
    assert body.get("additionalModelRequestFields") == fields
    if fields:
        assert reread(conversation, Quirks(family=family)).sampling.top_k == 7


def test_what_converse_cannot_say_about_sampling_is_lost() -> None:
    sampling = Sampling(temperature=1.5, seed=1, frequency_penalty=0.5, presence_penalty=0.0, choices=1)
    body = written(
        asking(sampling=sampling, output=OutputFormat(kind=OutputKind.JSON), user="é"),
        lost=("sampling.seed", "sampling.frequency_penalty", "sampling.temperature", "output"),
    )
    assert body["inferenceConfig"] == {"temperature": 1.0}


def test_losses_that_policy_does_not_allow_refuse_the_request() -> None:
    losses = Losses(target="Bedrock")
    CONVERSE.write_request(asking(sampling=Sampling(seed=1)), losses)
    with pytest.raises(Untranslatable, match=r"sampling\.seed cannot be expressed in Bedrock"):
        losses.settle()


def test_only_thoughts_that_were_signed_go_back() -> None:
    conversation = asking(
        user(Text(text="a")),
        assistant(
            Thinking(text="unsigned"),
            Thinking(sealed="not base64!"),
            Thinking(sealed="c2VhbGVk", id="rs_1"),
            Thinking(text="g", signature="gemini:sig"),
            Thinking(sealed="c2VhbGVk"),
            Thinking(text="t", signature="s"),
            Text(text="b"),
        ),
    )
    assert content(conversation, 1) == [
        {"reasoningContent": {"redactedContent": "c2VhbGVk"}},
        {"reasoningContent": {"reasoningText": {"text": "t", "signature": "s"}}},
        {"text": "b"},
    ]


def test_usage_counts_the_cache_into_the_prompt() -> None:
    usage = {
        "inputTokens": 10,
        "outputTokens": 5,
        "totalTokens": 65,
        "cacheReadInputTokens": 20,
        "cacheWriteInputTokens": 30,
        "cacheDetails": [{"ttl": "1h", "inputTokens": 12}, {"ttl": "5m", "inputTokens": 18}],
    }
    body = orjson.dumps({"output": {"message": {"role": "assistant", "content": []}}, "usage": usage})
    count = CONVERSE.read_answer(body).usage
    assert count == TokenCount(input=60, output=5, cache_read=20, cache_write=30, cache_write_1h=12)
    again = CONVERSE.write_answer(Reply(id="", model="", choices=(Choice(parts=()),), usage=count))
    assert orjson.loads(again)["usage"] == usage


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", Finish.STOP),
        ("guardrail_intervened", Finish.FILTERED),
        ("malformed_tool_use", Finish.FAILED),
        ("model_context_window_exceeded", Finish.LENGTH),
        ("a new one", Finish.FAILED),
        (None, Finish.FAILED),
    ],
)
def test_reasons_to_stop(reason: object, finish: Finish) -> None:
    message = {
        "role": "assistant",
        "content": [{"new": {}}, {"text": "a"}, "noise", {"text": "b", "more": 1}],
    }
    body = orjson.dumps({"output": {"message": message}, "stopReason": reason})
    [choice] = CONVERSE.read_answer(body).choices
    assert choice == Choice(parts=(Text(text="a"),), finish=finish)


def test_what_is_no_answer_is_refused() -> None:
    with pytest.raises(ContentError, match=r"output\.message"):
        CONVERSE.read_answer(b'{"message":"no"}')


def test_an_answer_with_a_broken_call_shows_it() -> None:
    broken = ToolCall(id="1", name="weather", arguments='{"town":')
    reply = Reply(
        id="x",
        model="m",
        choices=(Choice(parts=(broken,), finish=Finish.FAILED, stop_sequence="s"),),
    )
    answer = bedrock.heard(CONVERSE.write_answer(reply))
    assert answer["output"]["message"]["content"][0]["toolUse"]["input"] == '{"town":'
    assert answer["additionalModelResponseFields"] == {"stop_sequence": "s"}


def test_effort_is_read_from_where_claude_has_it() -> None:
    path, body = bedrock.asked(
        modelId="m",
        messages=[],
        additionalModelRequestFields={"thinking": {"type": "adaptive"}},
        outputConfig={"effort": "max"},
    )
    assert CONVERSE.read_request(path, "", body).reasoning == Reasoning(effort=Effort.XHIGH)
