"""Streams of Messages events, read. The events are shaped as in the Anthropic API reference, "Streaming messages"."""

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
    ToolCall,
    UsageKnown,
)
from agent.translation.anthropic_messages import AnthropicMessages
from tests.fakes.conversations import folded


def event(kind: str, **fields: object) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), orjson.dumps({"type": kind, **fields}))


def begin(index: int, **block: object) -> bytes:
    return event("content_block_start", index=index, content_block=block)


def delta(index: int, kind: str, **fields: object) -> bytes:
    return event("content_block_delta", index=index, delta={"type": kind, **fields})


def stop(index: int) -> bytes:
    return event("content_block_stop", index=index)


START = event(
    "message_start",
    message={
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [],
        "model": "claude",
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 25, "output_tokens": 1},
    },
)


def end(reason: str = "end_turn", sequence: str | None = None, **usage: object) -> bytes:
    return event(
        "message_delta",
        delta={"stop_reason": reason, "stop_sequence": sequence},
        usage=usage or {"output_tokens": 15},
    ) + event("message_stop")


def read(*chunks: bytes) -> tuple[StreamEvent, ...]:
    """The events, the same byte by byte."""
    stream = b"".join(chunks)
    source = AnthropicMessages().stream_source()
    whole = (*source.feed(stream), *source.finish())
    source = AnthropicMessages().stream_source()
    singly = [found for at in range(len(stream)) for found in source.feed(stream[at : at + 1])]
    assert (*singly, *source.finish()) == whole
    return whole


def parts(*chunks: bytes) -> tuple[object, ...]:
    return folded(read(START, *chunks, end())).choices[0].parts


def test_an_answer_in_words() -> None:
    assert read(
        START,
        begin(0, type="text", text=""),
        event("ping"),
        delta(0, "text_delta", text="Hello"),
        delta(0, "text_delta", text="!"),
        stop(0),
        end(),
    ) == (
        Started(id="msg_1", model="claude", usage=TokenCount(input=25, output=1)),
        PartStarted(part=0, kind=PartKind.TEXT),
        PartDelta(part=0, text="Hello"),
        PartDelta(part=0, text="!"),
        PartEnded(part=0),
        ChoiceEnded(finish=Finish.STOP),
        UsageKnown(usage=TokenCount(input=25, output=15)),
        Ended(),
    )


def test_thoughts_then_a_call() -> None:
    found = parts(
        begin(0, type="thinking", thinking="", signature=""),
        delta(0, "thinking_delta", thinking="h"),
        delta(0, "thinking_delta", thinking="m"),
        delta(0, "signature_delta", signature="sig"),
        stop(0),
        begin(1, type="redacted_thinking", data="sealed"),
        stop(1),
        begin(2, type="tool_use", id="toolu_1", name="t", input={}),
        delta(2, "input_json_delta", partial_json=""),
        delta(2, "input_json_delta", partial_json='{"a": '),
        delta(2, "input_json_delta", partial_json="1}"),
        stop(2),
    )
    assert found == (
        Thinking(text="hm", signature="sig"),
        Thinking(sealed="sealed"),
        ToolCall(id="toolu_1", name="t", arguments='{"a": 1}'),
    )


def test_a_thought_that_is_not_shown_keeps_its_signature() -> None:
    found = parts(
        begin(0, type="thinking", thinking="", signature=""),
        delta(0, "signature_delta", signature="s"),
        stop(0),
    )
    assert found == (Thinking(signature="s"),)


def test_input_that_is_told_at_the_start() -> None:
    whole = begin(0, type="tool_use", id="a", name="t", input={"a": 1})
    assert parts(whole, stop(0)) == (ToolCall(id="a", name="t", arguments='{"a":1}'),)
    streamed = delta(0, "input_json_delta", partial_json='{"b":2}')
    assert parts(whole, streamed, stop(0)) == (ToolCall(id="a", name="t", arguments='{"b":2}'),)


def test_what_a_block_begins_with() -> None:
    assert parts(begin(0, type="text", text="a"), delta(0, "text_delta", text="b"), stop(0)) == (
        Text(text="ab"),
    )
    assert parts(begin(0, type="thinking", thinking="a", signature="s"), stop(0)) == (
        Thinking(text="a", signature="s"),
    )


def test_thinking_within_a_block_of_text_is_a_part_of_its_own() -> None:
    found = parts(
        begin(0, type="text", text=""),
        delta(0, "thinking_delta", thinking="hm"),
        delta(0, "text_delta", text="so"),
        stop(0),
    )
    assert found == (Text(text=""), Thinking(text="hm"), Text(text="so"))


def test_blocks_of_server_tools_are_left_out_without_a_gap() -> None:
    found = read(
        START,
        begin(0, type="server_tool_use", id="s", name="web_search", input={}),
        delta(0, "input_json_delta", partial_json="{}"),
        stop(0),
        begin(1, type="web_search_tool_result", tool_use_id="s", content=[]),
        stop(1),
        begin(2, type="text", text=""),
        delta(2, "citations_delta", citation={}),
        delta(2, "text_delta", text="so"),
        stop(2),
        end(),
    )
    assert folded(found).choices[0].parts == (Text(text="so"),)


@pytest.mark.parametrize(
    ("reason", "sequence", "finish"),
    [
        ("end_turn", None, Finish.STOP),
        ("max_tokens", None, Finish.LENGTH),
        ("model_context_window_exceeded", None, Finish.LENGTH),
        ("stop_sequence", "###", Finish.STOP_SEQUENCE),
        ("tool_use", None, Finish.TOOL_CALLS),
        ("pause_turn", None, Finish.PAUSED),
        ("refusal", None, Finish.FILTERED),
        ("something new", None, Finish.STOP),
    ],
)
def test_stop_reasons(reason: str, sequence: str | None, finish: Finish) -> None:
    events = read(START, end(reason, sequence))
    assert ChoiceEnded(finish=finish, stop_sequence=sequence or "") in events


def test_usage_is_cumulative_and_comes_in_parts() -> None:
    start = event(
        "message_start",
        message={
            "id": "m",
            "usage": {
                "input_tokens": 25,
                "cache_read_input_tokens": 1000,
                "cache_creation_input_tokens": 300,
                "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
                "output_tokens": 1,
            },
        },
    )
    events = read(start, end(output_tokens=50, output_tokens_details={"thinking_tokens": 30}))
    prompt = TokenCount(input=1325, output=1, cache_read=1000, cache_write=300, cache_write_1h=200)
    assert isinstance(events[0], Started)
    assert events[0].usage == prompt
    assert UsageKnown(usage=prompt.merged(TokenCount(output=50, reasoning=30))) in events


def test_usage_that_is_told_only_at_the_end() -> None:
    """Compatible servers begin with zeros."""
    start = event("message_start", message={"id": "m", "usage": {"input_tokens": 0, "output_tokens": 0}})
    events = read(start, end(input_tokens=12, output_tokens=5, cache_read_input_tokens=None))
    assert UsageKnown(usage=TokenCount(input=12, output=5)) in events


def test_usage_of_a_stream_that_is_cut_off() -> None:
    events = read(START, begin(0, type="text", text=""), delta(0, "text_delta", text="a"))
    assert folded(events).usage == TokenCount(input=25, output=1)
    assert Ended() not in events


@pytest.mark.parametrize(
    ("error", "failed"),
    [
        (
            {"type": "overloaded_error", "message": "Overloaded"},
            StreamFailed(message="Overloaded", kind="overloaded_error", status=529),
        ),
        ({"type": "new_error", "message": "x"}, StreamFailed(message="x", kind="new_error")),
    ],
)
def test_an_error_ends_the_stream_and_is_no_end(error: object, failed: StreamFailed) -> None:
    assert read(START, event("error", error=error), event("message_stop"))[-1] == failed


def test_blocks_that_are_left_open_end_with_the_message() -> None:
    events = read(START, begin(0, type="text", text="a"), end())
    assert events[-4:-2] == (PartEnded(part=0), ChoiceEnded())


def test_unknown_events_are_passed_over() -> None:
    assert read(START, event("news", a=1), b": comment\n\n", end())[-1] == Ended()


@pytest.mark.parametrize("data", [b"data: <html>\n\n", b"data: 1\n\n"])
def test_what_is_no_event_is_an_error(data: bytes) -> None:
    with pytest.raises(ContentError, match="a Messages event"):
        AnthropicMessages().stream_source().feed(data)
