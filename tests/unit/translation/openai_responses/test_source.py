"""Streams of OpenAI Responses, read."""

from __future__ import annotations

from typing import Any

import pytest

from agent.errors import ContentError
from agent.model.conversation import (
    ChoiceEnded,
    Ended,
    Finish,
    PartDelta,
    PartEnded,
    PartKind,
    PartSigned,
    PartStarted,
    Started,
    StreamEvent,
    StreamFailed,
    TokenCount,
    TokenLogprob,
    UsageKnown,
)
from agent.translation import seals
from agent.translation.openai_responses.source import ResponsesSource
from agent.translation.seals import Seal
from tests.fakes.response_events import response, sse

CREATED = {"type": "response.created", "sequence_number": 0, "response": response()}
STARTED = Started(id="resp_1", model="gpt-5.4", created=1741476542)
USAGE = {
    "input_tokens": 10,
    "input_tokens_details": {"cached_tokens": 4},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 2},
}
COUNTED = TokenCount(input=10, output=5, cache_read=4, reasoning=2)


def read(*documents: dict[str, Any]) -> list[StreamEvent]:
    source = ResponsesSource()
    return [*source.feed(sse(*documents)), *source.finish()]


def text(step: str, **fields: Any) -> dict[str, Any]:
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    return {"type": f"response.{step}", **place, **fields}


def completed(*output: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "type": "response.completed",
        "response": response(status="completed", output=list(output), **fields),
    }


MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "status": "completed",
    "role": "assistant",
    "content": [{"type": "output_text", "text": "Hello", "annotations": []}],
}
CALL = {
    "id": "fc_1",
    "type": "function_call",
    "call_id": "call_1",
    "name": "f",
    "arguments": '{"a":1}',
    "status": "completed",
}
HELLO = [
    PartStarted(part=0, kind=PartKind.TEXT),
    PartDelta(part=0, text="Hello"),
    PartEnded(part=0),
]
CALLED = [
    PartStarted(part=0, kind=PartKind.TOOL_CALL, call_id="call_1", name="f"),
    PartDelta(part=0, text='{"a":1}'),
    PartEnded(part=0),
]


def test_a_text_streams() -> None:
    """The events of the reference's "Streaming" guide."""
    assert read(
        CREATED,
        {"type": "response.in_progress", "response": response()},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {**MESSAGE, "status": "in_progress", "content": []},
        },
        text("content_part.added", part={"type": "output_text", "text": "", "annotations": []}),
        text("output_text.delta", delta="Hel"),
        text(
            "output_text.delta",
            delta="lo",
            logprobs=[{"token": "lo", "logprob": -1, "top_logprobs": [{"token": "p", "logprob": -2.0}]}],
        ),
        text("output_text.annotation.added", annotation={}),
        text("output_text.done", text="Hello"),
        text("content_part.done", part={"type": "output_text", "text": "Hello"}),
        {"type": "response.output_item.done", "output_index": 0, "item": MESSAGE},
        completed(MESSAGE, usage=USAGE),
    ) == [
        STARTED,
        PartStarted(part=0, kind=PartKind.TEXT),
        PartDelta(part=0, text="Hel"),
        PartDelta(part=0, text="lo", logprobs=(TokenLogprob(token="lo", logprob=-1.0, top=(("p", -2.0),)),)),
        PartEnded(part=0),
        UsageKnown(usage=COUNTED),
        ChoiceEnded(finish=Finish.STOP),
        Ended(),
    ]


@pytest.mark.parametrize(
    "documents",
    [
        [text("output_text.delta", delta="Hello")],
        [text("output_text.done", text="Hello")],
        [text("content_part.done", part=MESSAGE["content"][0])],
        [{"type": "response.output_item.done", "output_index": 0, "item": MESSAGE}],
        [],
    ],
)
def test_events_that_a_server_leaves_out_are_made_up_for(documents: list[dict[str, Any]]) -> None:
    assert read(CREATED, *documents, completed(MESSAGE)) == [
        STARTED,
        *HELLO,
        ChoiceEnded(finish=Finish.STOP),
        Ended(),
    ]


@pytest.mark.parametrize(
    "documents",
    [
        [
            {
                "type": "response.output_item.added",
                "output_index": 0,
                "item": {**CALL, "arguments": ""},
            },
            {
                "type": "response.function_call_arguments.delta",
                "output_index": 0,
                "delta": '{"a":1}',
            },
            {
                "type": "response.function_call_arguments.done",
                "output_index": 0,
                "arguments": '{"a":1}',
            },
            {"type": "response.output_item.done", "output_index": 0, "item": CALL},
        ],
        [{"type": "response.output_item.done", "output_index": 0, "item": CALL}],
        [],
    ],
)
def test_a_call_s_arguments_come_in_pieces_or_whole(documents: list[dict[str, Any]]) -> None:
    assert read(CREATED, *documents, completed(CALL)) == [
        STARTED,
        *CALLED,
        ChoiceEnded(finish=Finish.TOOL_CALLS),
        Ended(),
    ]


def summary(step: str, index: int, **fields: Any) -> dict[str, Any]:
    return {"type": f"response.{step}", "output_index": 0, "summary_index": index, **fields}


def test_the_paragraphs_of_a_summary_are_one_thought_that_is_signed_at_its_end() -> None:
    item = {"id": "rs_1", "type": "reasoning", "summary": []}
    whole = {
        **item,
        "summary": [{"type": "summary_text", "text": text} for text in ("a", "b")],
        "encrypted_content": "gAAA",
    }
    assert read(
        CREATED,
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        summary("reasoning_summary_part.added", 0, part={}),
        summary("reasoning_summary_text.delta", 0, delta="a"),
        summary("reasoning_summary_text.done", 0, text="a"),
        summary("reasoning_summary_part.done", 0, part={}),
        summary("reasoning_summary_part.added", 1, part={}),
        summary("reasoning_summary_text.delta", 1, delta="b"),
        {"type": "response.output_item.done", "output_index": 0, "item": whole},
        completed(whole),
    )[1:-2] == [
        PartStarted(part=0, kind=PartKind.THINKING),
        PartDelta(part=0, text="a"),
        PartDelta(part=0, text="\n\n"),
        PartDelta(part=0, text="b"),
        PartSigned(part=0, sealed="gAAA", id="rs_1"),
        PartEnded(part=0),
    ]


def test_a_thought_and_its_summary_are_not_both_told() -> None:
    item = {"id": "rs_1", "type": "reasoning", "summary": []}
    events = read(
        CREATED,
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.reasoning_text.delta", "output_index": 0, "content_index": 0, "delta": "raw"},
        summary("reasoning_summary_text.delta", 0, delta="short"),
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        completed(item),
    )
    assert [event.text for event in events if isinstance(event, PartDelta)] == ["raw"]


def test_a_refusal_is_marked() -> None:
    assert read(
        CREATED, text("refusal.delta", delta="No."), text("refusal.done", refusal="No."), completed()
    )[1:4] == [
        PartStarted(part=0, kind=PartKind.REFUSAL),
        PartDelta(part=0, text="No."),
        PartEnded(part=0),
    ]


def test_the_signature_of_a_call_is_put_back_on_it() -> None:
    seal = seals.written(Seal(call="call_1", signature="Cs0D"))
    item = {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": seal}
    events = read(
        CREATED,
        {"type": "response.output_item.added", "output_index": 0, "item": CALL},
        {"type": "response.output_item.added", "output_index": 1, "item": item},
        {"type": "response.output_item.done", "output_index": 1, "item": item},
        {"type": "response.output_item.done", "output_index": 0, "item": CALL},
        completed(CALL, item),
    )
    assert PartSigned(part=0, signature="Cs0D") in events
    assert sum(isinstance(event, PartStarted) for event in events) == 1


@pytest.mark.parametrize(
    ("reason", "finish"), [("max_output_tokens", Finish.LENGTH), ("content_filter", Finish.FILTERED)]
)
def test_an_answer_cut_short_says_why(reason: str, finish: Finish) -> None:
    cut = response(status="incomplete", incomplete_details={"reason": reason})
    assert read(CREATED, {"type": "response.incomplete", "response": cut})[1:] == [
        ChoiceEnded(finish=finish),
        Ended(),
    ]


@pytest.mark.parametrize(
    ("last", "failure"),
    [
        (
            {
                "type": "response.failed",
                "response": response(
                    status="failed", error={"code": "rate_limit_exceeded", "message": "Slow down."}
                ),
            },
            StreamFailed(message="Slow down.", kind="rate_limit_exceeded", status=429),
        ),
        (
            {"type": "error", "code": "server_error", "message": "Oh.", "sequence_number": 1},
            StreamFailed(message="Oh.", kind="server_error", status=500),
        ),
        (
            {"type": "error", "error": {"type": "overloaded", "message": "Oh."}},
            StreamFailed(message="Oh.", kind="overloaded"),
        ),
    ],
)
def test_a_failure_ends_the_stream_without_an_end(last: dict[str, Any], failure: StreamFailed) -> None:
    assert read(CREATED, last, completed(MESSAGE)) == [STARTED, failure]
    assert read(last)[-1] == failure


def test_a_failed_answer_has_been_counted_all_the_same() -> None:
    failed = response(status="failed", usage=USAGE)
    events = read(CREATED, {"type": "response.failed", "response": failed})
    assert UsageKnown(usage=COUNTED) in events


def test_a_stream_that_broke_off_has_no_end() -> None:
    assert read(CREATED, text("output_text.delta", delta="Hel")) == [
        STARTED,
        PartStarted(part=0, kind=PartKind.TEXT),
        PartDelta(part=0, text="Hel"),
    ]


def test_comments_pings_and_unknown_events_mean_nothing() -> None:
    source = ResponsesSource()
    stream = b": ping\n\n" + sse(CREATED, {"type": "keepalive"}, {"type": "response.queued"}, completed())
    events = source.feed(stream + b"data: [DONE]\n\n" + sse(completed(MESSAGE)))
    assert [*events, *source.finish()] == [STARTED, ChoiceEnded(finish=Finish.STOP), Ended()]


@pytest.mark.parametrize("body", [b"data: <html>\n\n", b'{"error": {"message": "x"}}', b"<html>"])
def test_what_is_no_stream_is_an_error(body: bytes) -> None:
    source = ResponsesSource()
    with pytest.raises(ContentError):
        _ = (*source.feed(body), *source.finish())


def test_an_empty_body_is_a_stream_that_broke_off() -> None:
    assert ResponsesSource().finish() == ()
