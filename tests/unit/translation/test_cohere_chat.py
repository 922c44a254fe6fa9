"""Cohere's chat, both ways."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.dialects.sse import encode
from agent.errors import ContentError
from agent.model.conversation import (
    Choice,
    ChoiceEnded,
    Conversation,
    Effort,
    Ended,
    Finish,
    Media,
    MediaKind,
    OutputFormat,
    OutputKind,
    Part,
    PartDelta,
    PartEnded,
    PartKind,
    PartStarted,
    Reasoning,
    Reply,
    Sampling,
    Speaker,
    Started,
    StreamEvent,
    StreamFailed,
    Text,
    Thinking,
    TokenCount,
    TokenLogprob,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    ToolUse,
    Turn,
)
from agent.translation.base import NO_QUIRKS, Losses, Quirks
from agent.translation.cohere_chat import CohereChat
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

COHERE = CohereChat()
WEATHER = Tool(name="weather", parameters={"type": "object"})
IMAGE = Media(kind=MediaKind.IMAGE, media_type="image/png", data="AAEC", detail="low")


def user(*parts: Part) -> Turn:
    return Turn(speaker=Speaker.USER, parts=parts)


def assistant(*parts: Part) -> Turn:
    return Turn(speaker=Speaker.ASSISTANT, parts=parts)


def asking(*turns: Turn, **others: object) -> Conversation:
    return Conversation(model="m", turns=turns or (user(Text(text="hi")),), **others)  # type: ignore[arg-type]


def body_of(
    conversation: Conversation, *, lost: tuple[str, ...] = (), quirks: Quirks = NO_QUIRKS
) -> dict[str, object]:
    """The body, written with exactly these losses, without model and messages."""
    losses = Losses(target="Cohere", drop=True)
    body = COHERE.write_request(conversation, losses, quirks).body
    assert losses.settle() == lost
    document: dict[str, object] = orjson.loads(body)
    assert document.pop("model") == "m"
    return document


def messages(*turns: Turn, lost: tuple[str, ...] = ()) -> object:
    return body_of(asking(*turns), lost=lost)["messages"]


def asked(**fields: object) -> Conversation:
    return COHERE.read_request("/v2/chat", "", orjson.dumps({"model": "m", "messages": [], **fields}))


def said(*found: dict[str, object]) -> tuple[Turn, ...]:
    return asked(messages=found).turns


def expected(conversation: Conversation) -> Conversation:
    """What comes back: not the hints, nor who asks, nor a name or description of the schema, nor that a tool is named
    or called alone, nor strictness unless of all tools."""
    choice = conversation.tool_choice
    if choice is not None:
        named = choice.use is ToolUse.NAMED
        choice = ToolChoice(use=ToolUse.REQUIRED if named else choice.use)
    output = conversation.output
    strict = all(tool.strict for tool in conversation.tools) or None
    return merged(
        replace(
            conversation,
            tools=tuple(replace(tool, strict=strict) for tool in conversation.tools),
            tool_choice=None if choice == ToolChoice() else choice,
            output=None if output is None else OutputFormat(kind=OutputKind.SCHEMA, schema=output.schema),
            user="",
        )
    )


@settings(max_examples=20)
@given(conversations(media=False, thinking=False, cache=False), st.booleans())
def test_words_calls_and_wishes_come_back_as_they_went(conversation: Conversation, stream: bool) -> None:
    conversation = replace(conversation, stream=stream)
    request = COHERE.write_request(conversation, Losses(target="Cohere", drop=True))
    assert merged(COHERE.read_request("/v2/chat", "", request.body)) == expected(conversation)


@settings(max_examples=15)
@given(conversations())
def test_what_was_read_is_written_the_same_again(conversation: Conversation) -> None:
    losses = Losses(target="Cohere", drop=True)
    first = COHERE.write_request(conversation, losses).body
    again = COHERE.read_request("/v2/chat", "", first)
    assert not again.unread
    assert COHERE.write_request(again, losses).body == first


def unsigned(reply: Reply) -> Reply:
    """Cohere neither signs nor seals, and counts less."""
    [choice] = reply.choices
    parts = [replace(part, signature="") if isinstance(part, Thinking) else part for part in choice.parts]
    kept = tuple(part for part in parts if not (isinstance(part, Thinking) and not part.text))
    usage = TokenCount(input=reply.usage.input, output=reply.usage.output, cache_read=reply.usage.cache_read)
    return Reply(id=reply.id, model="", choices=(replace(choice, parts=kept),), usage=usage)


@settings(max_examples=20)
@given(replies())
def test_an_answer_comes_back_but_for_seals(reply: Reply) -> None:
    assert COHERE.read_answer(COHERE.write_answer(reply)) == unsigned(reply)


@settings(max_examples=15)
@given(streams(overlapping=True))
def test_a_stream_comes_back_but_for_seals(events: tuple[StreamEvent, ...]) -> None:
    data = written(COHERE.stream_sink(asking()), events)
    reply = folded(read(COHERE.stream_source(), [data]))
    [choice] = reply.choices
    filled = tuple(part for part in choice.parts if part != Thinking())  # opened for a seal alone
    assert replace(reply, choices=(replace(choice, parts=filled),)) == unsigned(folded(events))


def test_a_request_with_all_that_cohere_has() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"town":"Bern"}'}}
    conversation = asked(
        messages=[
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Look"},
                    {
                        "type": "image_url",
                        "image_url": {"url": "data:image/png;base64,AAEC", "detail": "low"},
                    },
                    {"type": "image_url", "image_url": {"url": "https://images.example/a.png"}},
                ],
            },
            {
                "role": "assistant",
                "content": [{"type": "thinking", "thinking": "hm"}],
                "tool_plan": "I ask.",
                "tool_calls": [call, {**call, "id": "c2"}],
                "citations": [{"start": 1}],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "sun"},
            {
                "role": "tool",
                "tool_call_id": "c2",
                "content": [
                    {"type": "document", "document": {"id": "1", "data": {"sky": "blue"}}},
                    {"type": "document", "document": {"data": "warm"}},
                ],
            },
        ],
        tools=[{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}],
        strict_tools=True,
        tool_choice="REQUIRED",
        max_tokens=100.0,
        temperature=0.3,
        p=0.75,
        k=0,
        seed=7,
        stop_sequences=["x"],
        frequency_penalty=0.1,
        presence_penalty=0.2,
        logprobs=True,
        thinking={"type": "enabled", "token_budget": 500},
        response_format={"type": "json_object", "json_schema": {"type": "object"}},
        safety_mode="CONTEXTUAL",
        citation_options={"mode": "OFF"},
        stream=True,
    )
    link = Media(kind=MediaKind.IMAGE, url="https://images.example/a.png")
    first = ToolCall(id="c1", name="weather", arguments='{"town":"Bern"}')
    assert conversation == Conversation(
        model="m",
        turns=(
            Turn(speaker=Speaker.SYSTEM, parts=(Text(text="Be brief."),)),
            user(Text(text="Look"), IMAGE, link),
            assistant(Thinking(text="hm"), Text(text="I ask."), first, replace(first, id="c2")),
            user(
                ToolResult(call_id="c1", parts=(Text(text="sun"),), name="weather"),
                ToolResult(
                    call_id="c2", parts=(Text(text='{"sky":"blue"}'), Text(text="warm")), name="weather"
                ),
            ),
        ),
        tools=(replace(WEATHER, strict=True),),
        tool_choice=ToolChoice(use=ToolUse.REQUIRED),
        sampling=Sampling(
            max_tokens=100,
            temperature=0.3,
            top_p=0.75,
            stop=("x",),
            seed=7,
            frequency_penalty=0.1,
            presence_penalty=0.2,
            logprobs=True,
        ),
        reasoning=Reasoning(budget_tokens=500),
        output=OutputFormat(kind=OutputKind.SCHEMA, schema={"type": "object"}),
        stream=True,
    )


def test_what_no_other_format_has_is_named() -> None:
    conversation = asked(
        documents=["a fact"],
        citation_options={"mode": "ACCURATE"},
        safety_mode="OFF",
        priority=3,
        tool_choice="SOMETIMES",
        thinking={"type": "sideways", "new": 1},
        tools=[{"type": "search"}],
        response_format={"type": "text", "new": 1},
        messages=[
            {
                "role": "user",
                "content": [{"type": "sound"}, {"type": "text", "text": "a", "new": 1}],
                "new": 1,
            }
        ],
    )
    assert set(conversation.unread) == {
        "documents",
        "citation_options",
        "safety_mode",
        "priority",
        "tool_choice",
        "thinking.new",
        "thinking.type",
        "tools[0].type=search",
        "response_format.new",
        "messages[0].new",
        "messages[0].content[0].type=sound",
        "messages[0].content[1].new",
    }


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"messages": "hi"}, "`messages` must be an array"),
        ({"messages": [{"role": "prophet"}]}, r"messages\[0\].role` must be system"),
        ({"messages": [{"role": "user", "content": 1}]}, r"messages\[0\].content` must be a string or"),
        (
            {"messages": [{"role": "tool", "content": [{"type": "thinking", "thinking": "a"}]}]},
            r"messages\[0\].content` must be text or documents",
        ),
        ({"max_tokens": "many"}, "`max_tokens` must be a whole number"),
        ({"response_format": {"type": "xml"}}, "response_format.type` must be text or json_object"),
    ],
)
def test_what_is_no_request_is_refused_by_name(fields: dict[str, object], complaint: str) -> None:
    with pytest.raises(ContentError, match=complaint):
        asked(**fields)


def test_words_before_calls_are_the_plan() -> None:
    call = ToolCall(id="1", name="weather", arguments='{"a":1}')
    turn = assistant(Thinking(text="t"), Text(text="I "), Text(text="ask"), call)
    assert messages(turn)[0] == {  # type: ignore[index]
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": "t"}],
        "tool_plan": "I ask",
        "tool_calls": [{"id": "1", "type": "function", "function": {"name": "weather", "arguments": '{"a":1}'}}],
    }  # fmt: skip


def test_results_follow_their_calls_at_once() -> None:
    result = ToolResult(call_id="1", parts=(Text(text="sun"), Text(text="rain")))
    turn = user(Text(text="and?"), result, ToolResult(call_id="2", parts=()))
    assert messages(turn) == [
        {
            "role": "tool",
            "content": [{"type": "text", "text": "sun"}, {"type": "text", "text": "rain"}],
            "tool_call_id": "1",
        },
        {"role": "tool", "content": "", "tool_call_id": "2"},
        {"role": "user", "content": "and?"},
    ]


def test_a_tool_that_failed_says_so() -> None:
    for said, read_as in (("no sky", "Error: no sky"), ("error 5", "error 5")):
        [message] = messages(user(ToolResult(call_id="1", parts=(Text(text=said),), error=True)))  # type: ignore[misc]
        assert message["content"] == read_as
    [message] = messages(user(ToolResult(call_id="1", parts=(), error=True)))  # type: ignore[misc]
    assert message["content"] == "Error"


def test_images_are_for_users_alone_and_other_media_for_none() -> None:
    pdf = Media(kind=MediaKind.DOCUMENT, media_type="application/pdf", data="AAEC")
    upload = Media(kind=MediaKind.IMAGE, file_id="f")
    lost = ("turns[0].parts[1]", "turns[0].parts[2]", "turns[1].parts[0]", "turns[2].parts[0].parts[0]")
    turns = (
        user(IMAGE, pdf, upload),
        assistant(IMAGE),
        user(ToolResult(call_id="1", parts=(IMAGE, Text(text="a")))),
    )
    assert messages(*turns, lost=lost) == [
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAEC", "detail": "low"}}
            ],
        },
        {"role": "tool", "content": "a", "tool_call_id": "1"},
    ]


def test_only_unsigned_thoughts_are_its_own() -> None:
    foreign = (Thinking(text="a", signature="s"), Thinking(sealed="x"), Thinking(text="b", id="rs_1"))
    assert messages(assistant(*foreign)) == []


@pytest.mark.parametrize(
    ("choice", "written_as", "lost"),
    [
        (None, None, ()),
        (ToolChoice(), None, ()),
        (ToolChoice(use=ToolUse.NONE), "NONE", ()),
        (ToolChoice(use=ToolUse.REQUIRED, parallel=True), "REQUIRED", ()),
        (ToolChoice(use=ToolUse.NAMED, name="weather"), "REQUIRED", ("tool_choice.name",)),
        (ToolChoice(parallel=False), None, ("tool_choice.parallel",)),
    ],
)
def test_tools_are_required_or_forbidden_but_not_named(
    choice: ToolChoice | None, written_as: str | None, lost: tuple[str, ...]
) -> None:
    tools = (WEATHER, Tool(name="time", description="now", strict=True))
    body = body_of(asking(tools=tools, tool_choice=choice), lost=lost)
    assert "strict_tools" not in body
    assert body.get("tool_choice") == written_as
    named = asking(tools=(WEATHER,), tool_choice=ToolChoice(use=ToolUse.NAMED, name="weather"))
    assert body_of(named)["tool_choice"] == "REQUIRED"


def test_what_sampling_cannot_say_is_lost_and_p_is_kept_in_its_bounds() -> None:
    sampling = Sampling(
        top_p=1.0,
        top_k=501,
        stop=("a", "b", "c", "d", "e", "f"),
        frequency_penalty=-1.0,
        presence_penalty=1.0,
        choices=2,
        top_logprobs=3,
        max_tokens=9,
    )
    lost = tuple(
        f"sampling.{name}" for name in ("choices", "top_logprobs", "stop", "top_k", "frequency_penalty")
    )
    body = body_of(asking(sampling=sampling), lost=lost)
    del body["messages"]
    assert body == {
        "p": 0.99,
        "stop_sequences": ["a", "b", "c", "d", "e"],
        "presence_penalty": 1.0,
        "max_tokens": 9,
    }


@pytest.mark.parametrize(
    ("reasoning", "thinking", "lost"),
    [
        (Reasoning(budget_tokens=0), {"type": "disabled"}, ()),
        (Reasoning(effort=Effort.NONE), {"type": "disabled"}, ()),
        (Reasoning(budget_tokens=-1), {"type": "enabled"}, ()),
        (Reasoning(summary="auto"), {"type": "enabled"}, ()),
        (Reasoning(budget_tokens=500), {"type": "enabled", "token_budget": 500}, ()),
        (Reasoning(budget_tokens=9000), {"type": "enabled", "token_budget": 4000}, ()),
        (Reasoning(effort=Effort.MINIMAL), {"type": "enabled", "token_budget": 1024}, ()),
    ],
)
def test_thinking_is_said_by_budget(reasoning: Reasoning, thinking: object, lost: tuple[str, ...]) -> None:
    body = body_of(asking(reasoning=reasoning, sampling=Sampling(max_tokens=5000)), lost=lost)
    assert body["thinking"] == thinking


def test_a_thought_that_has_no_room_is_lost_and_so_is_what_the_server_refuses() -> None:
    conversation = asking(
        reasoning=Reasoning(effort=Effort.HIGH),
        sampling=Sampling(max_tokens=100, seed=1),
        output=OutputFormat(kind=OutputKind.JSON),
        user="ada",
        stream=True,
    )
    quirks = Quirks(unsupported=frozenset({"sampling.seed"}))
    body = body_of(conversation, lost=("sampling.seed", "reasoning"), quirks=quirks)
    assert body["response_format"] == {"type": "json_object"}
    assert body["stream"] is True


def test_an_answer_is_read_by_what_was_billed() -> None:
    body = orjson.dumps(
        {
            "id": "a1",
            "finish_reason": "COMPLETE",
            "message": {
                "role": "assistant",
                "content": [{"type": "text", "text": "Hi"}, {"type": "new"}],
                "citations": [{"start": 0}],
            },
            "usage": {
                "billed_units": {"input_tokens": 5.0, "output_tokens": 1},
                "tokens": {"input_tokens": 71.0, "output_tokens": 3},
                "cached_tokens": 64,
            },
            "logprobs": [
                {"text": "Hi", "token_ids": [1, 2], "logprobs": [-0.5, -0.25]},
                {"token_ids": []},
            ],
        }
    )
    assert COHERE.read_answer(body) == Reply(
        id="a1",
        model="",
        choices=(Choice(parts=(Text(text="Hi"),), logprobs=(TokenLogprob(token="Hi", logprob=-0.75),)),),
        usage=TokenCount(input=5, output=1, cache_read=5),
    )
    with pytest.raises(ContentError, match="message is missing"):
        COHERE.read_answer(b'{"message":"invalid api token"}')


@pytest.mark.parametrize("finish", Finish)
def test_every_reason_to_stop_is_told_and_the_bad_ones_never_as_a_plain_stop(finish: Finish) -> None:
    choice = Choice(parts=(Text(text="a"),), finish=finish, logprobs=(TokenLogprob(token="a", logprob=-1.0),))
    [again] = COHERE.read_answer(COHERE.write_answer(Reply(id="", model="", choices=(choice,)))).choices
    assert again == replace(choice, finish=Finish.LENGTH if finish is Finish.PAUSED else finish)


def stream(*events: dict[str, object]) -> bytes:
    return b"".join(encode(str(event.get("type", "")), orjson.dumps(event)) for event in events)


def message(kind: str, index: int | None = None, **content: object) -> dict[str, object]:
    return {"type": kind, "index": index, "delta": {"message": content}}


TOOLS = stream(
    {"id": "r1", **message("message-start", role="assistant", content=[], tool_plan="")},
    message("content-start", 0, content={"type": "thinking", "thinking": ""}),
    message("content-delta", 0, content={"thinking": "hm"}),
    message("content-end", 0),
    message("tool-plan-delta", tool_plan="I "),
    message("tool-plan-delta", tool_plan="ask."),
    message(
        "tool-call-start",
        0,
        tool_calls={"id": "c1", "type": "function", "function": {"name": "weather", "arguments": ""}},
    ),
    message("tool-call-delta", 0, tool_calls={"function": {"arguments": '{"town":'}}),
    message("tool-call-delta", 0, tool_calls={"function": {"arguments": '"Bern"}'}}),
    message("citation-start", 0, citations={"start": 0}),
    message("tool-call-end", 0),
    {
        "type": "message-end",
        "delta": {
            "finish_reason": "TOOL_CALL",
            "usage": {"billed_units": {"input_tokens": 9, "output_tokens": 4}},
        },
    },
)


@settings(max_examples=40)
@given(st.data())
def test_a_stream_tells_the_answer_however_it_is_chunked(data: st.DataObject) -> None:
    events = read(COHERE.stream_source(), data.draw(chunkings(TOOLS + b"data: [DONE]\n\n")))
    assert events[-1] == Ended()
    assert folded(events) == Reply(
        id="r1",
        model="",
        choices=(
            Choice(
                parts=(
                    Thinking(text="hm"),
                    Text(text="I ask."),
                    ToolCall(id="c1", name="weather", arguments='{"town":"Bern"}'),
                ),
                finish=Finish.TOOL_CALLS,
            ),
        ),
        usage=TokenCount(input=9, output=4),
    )


def test_blocks_that_were_not_opened_begin_with_their_first_piece() -> None:
    logprobs = {"text": "a", "token_ids": [1], "logprobs": [-0.5]}
    data = stream(
        message("content-delta", 0, content={"thinking": "t"}),
        message("content-delta", 0, content={"text": ""}),
        {**message("content-delta", 0, content={"text": "a"}), "logprobs": logprobs},
        message("tool-call-delta", 7, tool_calls={"function": {"arguments": "lost"}}),
        {"type": "message-end", "delta": {"finish_reason": "MAX_TOKENS"}},
    )
    assert read(COHERE.stream_source(), [data]) == (
        PartStarted(part=0, kind=PartKind.THINKING),
        PartDelta(part=0, text="t"),
        PartEnded(part=0),
        PartStarted(part=1, kind=PartKind.TEXT),
        PartDelta(part=1, text="a", logprobs=(TokenLogprob(token="a", logprob=-0.5),)),
        PartEnded(part=1),
        ChoiceEnded(finish=Finish.LENGTH),
        Ended(),
    )


def test_a_stream_that_fails_says_so() -> None:
    ending = {"type": "message-end", "delta": {"finish_reason": "TIMEOUT", "error": "too slow"}}
    data = stream({"type": "message-start", "id": "r"}, ending)
    assert read(COHERE.stream_source(), [data])[1:] == (
        StreamFailed(message="too slow", kind="TIMEOUT", status=504),
    )
    assert read(COHERE.stream_source(), [stream({"message": "no"})]) == (StreamFailed(message="no"),)
    failed = written(
        COHERE.stream_sink(asking()), [Started(id="r"), StreamFailed(message="gone", status=503)]
    )
    assert read(COHERE.stream_source(), [failed]) == (
        Started(id="r"),
        StreamFailed(message="gone", kind="ERROR", status=500),
    )


def test_noise_in_a_stream_is_left_out() -> None:
    data = b": ping\n\ndata: no json\n\ndata: []\n\n" + stream(
        {"type": "debug", "prompt": "x"}, {"type": "new"}
    )
    assert read(COHERE.stream_source(), [data]) == ()


def test_likelihoods_are_streamed_with_their_words() -> None:
    tokens = (TokenLogprob(token="a", logprob=-1.0), TokenLogprob(token="b", logprob=-0.5))
    events = (PartStarted(part=0, kind=PartKind.TEXT), PartDelta(part=0, text="ab", logprobs=tokens))
    again = read(COHERE.stream_source(), [written(COHERE.stream_sink(asking()), events)])
    assert again[1:] == (PartDelta(part=0, text="ab", logprobs=(TokenLogprob(token="ab", logprob=-1.5),)),)
