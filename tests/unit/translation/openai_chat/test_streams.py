"""Streams of chat completion chunks, read. The chunks are shaped as the vendors document or send them."""

from __future__ import annotations

import orjson
import pytest

from agent.errors import ContentError
from agent.model.conversation import (
    ChoiceEnded,
    Ended,
    Finish,
    PartDelta,
    PartEnded,
    PartKind,
    PartStarted,
    Started,
    StreamEvent,
    StreamFailed,
    Text,
    Thinking,
    TokenCount,
    TokenLogprob,
    ToolCall,
    UsageKnown,
)
from agent.translation.openai_chat import OpenAIChat
from tests.fakes.conversations import folded

DONE = b"data: [DONE]\n\n"
HEAD = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "gpt-5"}
STARTED = Started(id="chatcmpl-1", model="gpt-5", created=1_700_000_000)


def chunk(delta: object, *, finish: str | None = None, index: int = 0, **fields: object) -> bytes:
    """A chunk with one choice."""
    choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish, **fields}
    return raw({**HEAD, "choices": [choice]})


def raw(document: object) -> bytes:
    return b"data: " + orjson.dumps(document) + b"\n\n"


def call(index: int | None, **fields: object) -> object:
    return {"tool_calls": [{**({} if index is None else {"index": index}), **fields}]}


def read(*chunks: bytes) -> tuple[StreamEvent, ...]:
    """The events, the same byte by byte."""
    source = OpenAIChat().stream_source()
    whole = (*(event for each in chunks for event in source.feed(each)), *source.finish())
    stream = b"".join(chunks)
    source = OpenAIChat().stream_source()
    singly = [event for at in range(len(stream)) for event in source.feed(stream[at : at + 1])]
    assert (*singly, *source.finish()) == whole
    return whole


def parts(*chunks: bytes) -> tuple[object, ...]:
    return folded(read(*chunks)).choices[0].parts


def test_an_answer_in_words() -> None:
    assert read(
        chunk({"role": "assistant", "content": "", "refusal": None}),
        chunk({"content": "Hel"}),
        chunk({"content": "lo"}),
        chunk({}, finish="stop"),
        raw({**HEAD, "choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}),
        DONE,
    ) == (
        STARTED,
        PartStarted(part=0, kind=PartKind.TEXT),
        PartDelta(part=0, text="Hel"),
        PartDelta(part=0, text="lo"),
        PartEnded(part=0),
        ChoiceEnded(finish=Finish.STOP),
        UsageKnown(usage=TokenCount(input=5, output=2)),
        Ended(),
    )


def test_parallel_calls_by_index() -> None:
    reply = folded(
        read(
            chunk({"role": "assistant", "content": None}),
            chunk(call(0, id="call_a", type="function", function={"name": "x", "arguments": ""})),
            chunk(call(0, function={"arguments": '{"a"'})),
            chunk(call(1, id="call_b", type="function", function={"name": "y", "arguments": ""})),
            chunk(call(1, function={"arguments": "{}"})),
            chunk(call(0, function={"arguments": ": 1}"})),
            chunk({}, finish="tool_calls"),
            DONE,
        )
    )
    (choice,) = reply.choices
    assert choice.parts == (
        ToolCall(id="call_a", name="x", arguments='{"a": 1}'),
        ToolCall(id="call_b", name="y", arguments="{}"),
    )
    assert choice.finish is Finish.TOOL_CALLS


def test_whole_parallel_calls_all_at_place_0() -> None:
    """Gemini's compatible endpoint; and it says `stop` where it calls."""
    reply = folded(
        read(
            chunk(
                {
                    "tool_calls": [
                        {
                            "index": 0,
                            "id": id_,
                            "type": "function",
                            "function": {"name": "x", "arguments": "{}"},
                            "extra_content": {"google": {"thought_signature": "sig"}},
                        }
                        for id_ in ("a", "b")
                    ]
                },
                finish="stop",
            ),
            DONE,
        )
    )
    (choice,) = reply.choices
    assert choice.parts == (
        ToolCall(id="a", name="x", signature="sig"),
        ToolCall(id="b", name="x", signature="sig"),
    )
    assert choice.finish is Finish.TOOL_CALLS


def test_calls_without_an_index_are_placed_by_position() -> None:
    """Mistral."""
    made = call(None, id="a", function={"name": "x", "arguments": '{"a": 1}'})
    assert parts(chunk(made, finish="tool_calls"), DONE) == (
        ToolCall(id="a", name="x", arguments='{"a": 1}'),
    )


def test_ids_that_are_repeated_or_missing() -> None:
    found = parts(
        chunk(call(0, id="a", function={"name": "x", "arguments": "{"})),
        chunk(call(0, id="a", function={"name": "x", "arguments": "}"})),
        chunk(call(1, id="", function={"name": "y", "arguments": {"b": 2}})),
        chunk({}, finish="tool_calls"),
        DONE,
    )
    assert found == (
        ToolCall(id="a", name="x", arguments="{}"),
        ToolCall(id="call_chatcmpl-1_0_1", name="y", arguments='{"b":2}'),
    )


def test_a_call_begins_when_its_name_is_known() -> None:
    events = read(
        chunk(call(0, id="a")),
        chunk(call(0, function={"arguments": "{"})),
        chunk(call(0, function={"name": "x", "arguments": "}"})),
        chunk({}, finish="tool_calls"),
        DONE,
    )
    assert events[1:5] == (
        PartStarted(part=0, kind=PartKind.TOOL_CALL, call_id="a", name="x"),
        PartDelta(part=0, text="{"),
        PartDelta(part=0, text="}"),
        PartEnded(part=0),
    )


def test_the_old_function_call() -> None:
    found = parts(
        chunk({"function_call": {"name": "x", "arguments": ""}}),
        chunk({"function_call": {"arguments": "{}"}}),
        chunk({}, finish="function_call"),
        DONE,
    )
    assert found == (ToolCall(id="call_chatcmpl-1_0_0", name="x", arguments="{}"),)


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "reasoning_text"])
def test_thoughts_come_before_words(field: str) -> None:
    """DeepSeek sends the other field as null, Ollama as an empty string."""
    found = parts(
        chunk({"role": "assistant", "content": "", field: "h"}),
        chunk({"content": None, field: "m"}),
        chunk({"content": "so", field: None}),
        chunk({}, finish="stop"),
        DONE,
    )
    assert found == (Thinking(text="hm"), Text(text="so"))


def test_openrouters_details_are_read_instead_of_the_words_they_repeat() -> None:
    def detail(index: int, **fields: object) -> object:
        return {"reasoning": "x", "reasoning_details": [{"type": "reasoning.text", "index": index, **fields}]}

    found = parts(
        chunk(detail(0, text="h")),
        chunk(detail(0, text="m")),
        chunk(detail(0, signature="sig")),
        chunk(detail(1, data="sealed", type="reasoning.encrypted", id="rs_1")),
        chunk({"content": "so"}),
        chunk({}, finish="stop"),
        DONE,
    )
    assert found == (
        Thinking(text="hm", signature="sig"),
        Thinking(sealed="sealed", id="rs_1"),
        Text(text="so"),
    )


def test_content_in_parts() -> None:
    """Mistral's reasoning models."""
    found = parts(
        chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]}),
        chunk({"content": [{"type": "text", "text": "so"}, {"type": "reference", "reference_ids": [1]}]}),
        chunk({}, finish="stop"),
        DONE,
    )
    assert found == (Thinking(text="hm"), Text(text="so"))


def test_a_refusal() -> None:
    assert parts(chunk({"refusal": "no"}), chunk({}, finish="stop"), DONE) == (Text(text="no", refusal=True),)


def test_several_choices() -> None:
    events = read(
        chunk({"content": "a"}),
        chunk({"content": "b"}, index=1),
        chunk({"content": "c"}),
        chunk({}, finish="length", index=1),
        chunk({}, finish="stop"),
        DONE,
    )
    reply = folded(events)
    assert [choice.parts for choice in reply.choices] == [(Text(text="ac"),), (Text(text="b"),)]
    assert [choice.finish for choice in reply.choices] == [Finish.STOP, Finish.LENGTH]


LOGPROBS = {"content": [{"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}]}


def test_the_finish_reason_is_kept_beside_logprobs() -> None:
    events = read(chunk({"content": "a"}, finish="length", logprobs=LOGPROBS), DONE)
    assert PartDelta(part=0, text="a", logprobs=(TokenLogprob(token="a", logprob=-0.5),)) in events
    assert ChoiceEnded(finish=Finish.LENGTH) in events


def test_logprobs_without_words() -> None:
    events = read(
        chunk({"content": "a"}), chunk({"content": ""}, logprobs=LOGPROBS), chunk({}, finish="stop"), DONE
    )
    assert [event for event in events if isinstance(event, PartDelta)][1].logprobs


def test_stop_in_passing_is_no_end() -> None:
    """Gemini's compatible endpoint says it with every chunk."""
    events = read(chunk({"content": "a"}, finish="stop"), chunk({"content": "b"}, finish="stop"), DONE)
    assert folded(events).choices[0].parts == (Text(text="ab"),)
    assert [type(event) for event in events].count(ChoiceEnded) == 1


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("function_call_filter: MALFORMED_FUNCTION_CALL", Finish.FAILED),
        ("error", Finish.FAILED),
        ("insufficient_system_resource", Finish.FAILED),
        ("content_filter", Finish.FILTERED),
        ("model_length", Finish.LENGTH),
        ("MAX_TOKENS", Finish.LENGTH),
        ("SAFETY", Finish.FILTERED),
        ("eos", Finish.STOP),
    ],
)
def test_reasons_of_other_servers(reason: str, finish: Finish) -> None:
    assert ChoiceEnded(finish=finish) in read(chunk({"content": "a"}, finish=reason), DONE)


def test_the_stop_sequence_where_vllm_tells_it() -> None:
    events = read(chunk({"content": "a"}, finish="stop", stop_reason="###"), DONE)
    assert ChoiceEnded(finish=Finish.STOP_SEQUENCE, stop_sequence="###") in events


@pytest.mark.parametrize(
    ("usage", "count"),
    [
        (
            {
                "prompt_tokens": 100,
                "completion_tokens": 50,
                "total_tokens": 150,
                "prompt_tokens_details": {"cached_tokens": 80, "cache_write_tokens": 10},
                "completion_tokens_details": {"reasoning_tokens": 30},
            },
            TokenCount(input=100, output=50, cache_read=80, cache_write=10, reasoning=30),
        ),
        (  # DeepSeek
            {"prompt_tokens": 100, "completion_tokens": 5, "prompt_cache_hit_tokens": 64},
            TokenCount(input=100, output=5, cache_read=64),
        ),
        (  # xAI: thoughts beside the completion
            {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "total_tokens": 45,
                "completion_tokens_details": {"reasoning_tokens": 30},
            },
            TokenCount(input=10, output=35, reasoning=30),
        ),
    ],
)
def test_usage(usage: object, count: TokenCount) -> None:
    events = read(chunk({"content": "a"}, finish="stop"), raw({**HEAD, "choices": [], "usage": usage}), DONE)
    assert UsageKnown(usage=count) in events


def test_usage_where_moonshot_and_groq_put_it() -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 2}
    known = UsageKnown(usage=TokenCount(input=5, output=2))
    assert known in read(chunk({"content": "a"}, finish="stop", usage=usage), DONE)
    assert known in read(
        chunk({"content": "a"}, finish="stop"),
        raw({**HEAD, "choices": [], "x_groq": {"id": "r", "usage": usage}}),
        DONE,
    )


def test_azures_first_chunk_says_nothing() -> None:
    first = raw({"id": "", "model": "", "created": 0, "choices": [], "prompt_filter_results": [{}]})
    assert read(first, chunk({"content": "a"}, finish="stop"), DONE)[0] == STARTED


@pytest.mark.parametrize(
    ("event", "failed"),
    [
        (
            raw({"error": {"message": "busy", "type": "server_error", "code": "503"}}),
            StreamFailed(message="busy", kind="server_error", status=503),
        ),
        (  # OpenRouter
            raw(
                {
                    "id": "1",
                    "error": {"code": 502, "message": "gone"},
                    "choices": [{"finish_reason": "error"}],
                }
            ),
            StreamFailed(message="gone", status=502),
        ),
        (  # Gemini
            raw({"error": {"code": 429, "message": "quota", "status": "RESOURCE_EXHAUSTED"}}),
            StreamFailed(message="quota", kind="RESOURCE_EXHAUSTED", status=429),
        ),
        (raw({"error": "plain words"}), StreamFailed(message="plain words")),
        (
            b'event: error\ndata: {"message": "named event"}\n\n',
            StreamFailed(message="named event"),
        ),
    ],
)
def test_an_error_ends_the_stream_and_is_no_end(event: bytes, failed: StreamFailed) -> None:
    events = read(chunk({"content": "a"}), event, DONE)
    assert events[-1] == failed


def test_a_stream_that_ends_without_done() -> None:
    assert read(chunk({"content": "a"}, finish="stop"))[-1] == Ended()
    assert read(chunk({"content": "a"}))[-1] == PartDelta(part=0, text="a")
    assert read(chunk({"content": "a"}), b'data: {"cho')[-1] == PartDelta(part=0, text="a")


def test_done_without_a_reason_ends_the_choice() -> None:
    assert read(chunk({"content": "a"}), DONE)[-2:] == (ChoiceEnded(finish=Finish.STOP), Ended())


def test_comments_and_unknown_fields_are_passed_over() -> None:
    events = read(b": OPENROUTER PROCESSING\n\n", chunk({"content": "a", "new": 1}, finish="stop"), DONE)
    assert folded(events).choices[0].parts == (Text(text="a"),)


@pytest.mark.parametrize("data", [b"data: <html>\n\n", b"data: [1]\n\n"])
def test_what_is_no_chunk_is_an_error(data: bytes) -> None:
    with pytest.raises(ContentError, match="a chat completion chunk"):
        OpenAIChat().stream_source().feed(data)
