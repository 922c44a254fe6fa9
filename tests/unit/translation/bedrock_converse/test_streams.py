"""ConverseStream, both ways, with botocore as the other side."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest
from botocore.exceptions import EventStreamError
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.dialects.eventstream import encode, event, exception
from agent.errors import ContentError
from agent.model.conversation import (
    Choice,
    ChoiceEnded,
    Conversation,
    Ended,
    Finish,
    PartDelta,
    PartEnded,
    PartKind,
    PartSigned,
    PartStarted,
    Reply,
    Started,
    StreamEvent,
    StreamFailed,
    Text,
    Thinking,
    TokenCount,
    ToolCall,
    UsageKnown,
)
from agent.translation.bedrock_converse import BedrockConverse
from tests.fakes import bedrock
from tests.fakes.conversations import chunkings, folded, read, streams, written

CONVERSE = BedrockConverse()
ANY = Conversation(model="m", turns=())


def stream(*events: tuple[str, dict[str, object]]) -> bytes:
    return b"".join(event(name, orjson.dumps(content)) for name, content in events)


def delta(index: int, **content: object) -> tuple[str, dict[str, object]]:
    return "contentBlockDelta", {"contentBlockIndex": index, "delta": content}


def stop(index: int) -> tuple[str, dict[str, object]]:
    return "contentBlockStop", {"contentBlockIndex": index}


def heard(data: bytes) -> tuple[StreamEvent, ...]:
    return read(CONVERSE.stream_source(), [data])


def sent(*events: StreamEvent) -> bytes:
    return written(CONVERSE.stream_sink(ANY), events)


START = ("messageStart", {"role": "assistant"})
THOUGHTFUL = stream(
    START,
    delta(0, reasoningContent={"text": "h"}),
    delta(0, reasoningContent={"text": "m"}),
    delta(0, reasoningContent={"signature": "sig"}),
    stop(0),
    delta(1, reasoningContent={"redactedContent": "c2Vh"}),
    delta(1, reasoningContent={"redactedContent": "bGVk"}),
    stop(1),
    delta(2, text="Let me "),
    delta(2, text="see."),
    delta(2, citation={"title": "t"}),
    stop(2),
    ("contentBlockStart", {"contentBlockIndex": 3, "start": {"toolUse": {"toolUseId": "t1", "name": "weather"}}}),
    delta(3, toolUse={"input": '{"town":'}),
    delta(3, toolUse={"input": '"Bern"}'}),
    stop(3),
    ("messageStop", {"stopReason": "tool_use"}),
    (
        "metadata",
        {
            "usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 6, "cacheReadInputTokens": 3},
            "metrics": {"latencyMs": 9},
        },
    ),
)  # fmt: skip


@settings(max_examples=12)
@given(st.data())
def test_a_stream_tells_the_answer_however_it_is_chunked(data: st.DataObject) -> None:
    events = read(CONVERSE.stream_source(), data.draw(chunkings(THOUGHTFUL)))
    assert folded(events) == Reply(
        id="",
        model="",
        choices=(
            Choice(
                parts=(
                    Thinking(text="hm", signature="sig"),
                    Thinking(sealed="c2VhbGVk"),
                    Text(text="Let me see."),
                    ToolCall(id="t1", name="weather", arguments='{"town":"Bern"}'),
                ),
                finish=Finish.TOOL_CALLS,
            ),
        ),
        usage=TokenCount(input=4, output=2, cache_read=3),
    )
    assert events[-1] == Ended()


@settings(max_examples=15)
@given(streams(overlapping=True))
def test_what_is_written_is_read_by_us_and_by_botocore(events: tuple[StreamEvent, ...]) -> None:
    reply = folded(events)
    data = sent(*events)

    assert folded(heard(data)) == Reply(
        id="", model="", choices=reply.choices, usage=replace(reply.usage, reasoning=None)
    )
    [*_, last, metadata] = bedrock.events(data)
    assert last["messageStop"]["stopReason"]
    assert metadata["metadata"]["usage"]["outputTokens"] == reply.usage.output


def test_seals_that_are_bytes_are_written() -> None:
    data = sent(
        Started(),
        PartStarted(part=0, kind=PartKind.THINKING),
        PartSigned(part=0, sealed="c2VhbGVk"),
        PartEnded(part=0),
        ChoiceEnded(stop_sequence="x"),
        Ended(),
    )
    [_, sealed, _, end] = bedrock.events(data)
    assert sealed["contentBlockDelta"]["delta"]["reasoningContent"]["redactedContent"] == b"sealed"
    assert end["messageStop"]["additionalModelResponseFields"] == {"stop_sequence": "x"}


def test_a_seal_beside_words_is_a_block_of_its_own_and_keeps_its_item() -> None:
    data = sent(
        PartStarted(part=0, kind=PartKind.THINKING),
        PartDelta(part=0, text="hm"),
        PartSigned(part=0, sealed="no bytes", id="rs_1"),
        PartEnded(part=0),
        PartStarted(part=1, kind=PartKind.TEXT),
        PartDelta(part=1, text="a"),
        PartEnded(part=1),
    )
    indices = [next(iter(each.values()))["contentBlockIndex"] for each in bedrock.events(data)]
    assert indices == [0, 0, 1, 1, 2, 2]
    assert PartSigned(part=1, sealed="no bytes", id="rs_1") in heard(data)


def test_usage_is_told_last_however_early_it_is_known_and_other_choices_never() -> None:
    data = sent(
        Started(usage=TokenCount(input=3)),
        UsageKnown(usage=TokenCount(output=4)),
        PartStarted(part=0, kind=PartKind.TEXT, choice=1),
        PartDelta(part=0, text="no", choice=1),
        ChoiceEnded(choice=1),
        ChoiceEnded(),
        Ended(),
    )
    names = [next(iter(each)) for each in bedrock.events(data)]
    assert names == ["messageStart", "messageStop", "metadata"]


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("throttlingException", 429),
        ("modelStreamErrorException", 424),
        ("internalServerException", 500),
        ("serviceUnavailableException", 503),
        ("validationException", 400),
        ("aNewException", 0),
    ],
)
def test_an_exception_is_the_streams_failure(name: str, status: int) -> None:
    data = stream(START) + exception(name, b'{"message":"no"}')
    assert heard(data)[1:] == (StreamFailed(message="no", kind=name, status=status),)


def test_a_failure_is_an_exception() -> None:
    data = sent(Started(), StreamFailed(message="slow down", status=429))
    with pytest.raises(EventStreamError, match=r"throttlingException.*slow down"):
        bedrock.events(data)
    assert heard(sent(StreamFailed(message="x", status=418)))[0] == StreamFailed(
        message="x", kind="internalServerException", status=500
    )


def test_an_error_without_a_payload_is_told_by_its_headers() -> None:
    data = encode({":message-type": "error", ":error-code": "Oops", ":error-message": "why"}, b"")
    assert heard(data) == (StreamFailed(message="why", kind="Oops"),)


def test_the_end_needs_no_usage_but_the_reason() -> None:
    assert heard(stream(START, ("messageStop", {"stopReason": "end_turn"})))[1:] == (ChoiceEnded(), Ended())
    assert heard(stream(START, delta(0, text="a"))) == (
        Started(),
        PartStarted(part=0, kind=PartKind.TEXT),
        PartDelta(part=0, text="a"),
    )


def test_what_is_not_known_is_left_out() -> None:
    server_tool = {"toolUse": {"toolUseId": "s", "name": "search", "type": "server_tool_use"}}
    data = (
        stream(
            ("aNewEvent", {}),
            ("contentBlockStart", {"contentBlockIndex": 0, "start": server_tool}),
            delta(0, toolUse={"input": "{}"}),
            delta(1, image={"source": {}}),
            stop(0),
            stop(1),
            ("contentBlockStart", {"contentBlockIndex": 2, "start": {"image": {"format": "png"}}}),
        )
        + event("contentBlockDelta", b"no JSON")
        + event("contentBlockDelta", b"[]")
    )
    assert heard(data) == ()


def test_what_is_no_event_stream_is_refused() -> None:
    with pytest.raises(ContentError, match="checksum"):
        CONVERSE.stream_source().feed(b"data: {}\n\ndata: {}\n\n")
