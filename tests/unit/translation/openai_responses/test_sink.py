"""Streams of OpenAI Responses, written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings

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
from agent.translation.openai_responses.sink import ResponsesSink
from tests.fakes.conversations import streams, written
from tests.fakes.response_events import events_of

STARTED = Started(id="msg_1", model="claude", created=1741476542)


def events(*given: StreamEvent) -> list[dict[str, Any]]:
    return events_of(written(ResponsesSink("asked-for"), given))


def kinds(documents: Sequence[dict[str, Any]]) -> list[str]:
    return [document["type"].removeprefix("response.") for document in documents]


def said(part: int, kind: PartKind, *pieces: str, **fields: Any) -> list[StreamEvent]:
    return [
        PartStarted(part=part, kind=kind, **fields),
        *(PartDelta(part=part, text=piece) for piece in pieces),
        PartEnded(part=part),
    ]


def test_a_text_is_written_as_the_reference_shows_it() -> None:
    documents = events(
        STARTED,
        *said(0, PartKind.TEXT, "Hel", "", "lo"),
        ChoiceEnded(),
        UsageKnown(usage=TokenCount(input=10, output=5, cache_read=4)),
        Ended(),
    )
    assert kinds(documents) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    last = documents[-1]["response"]
    assert (last["id"], last["model"], last["created_at"], last["status"]) == (
        "msg_1",
        "claude",
        1741476542,
        "completed",
    )
    assert last["output"][0]["content"][0]["text"] == "Hello"
    assert last["usage"] == {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 15,
    }


@given(streams(overlapping=True))
@settings(max_examples=15, deadline=None)
def test_the_whole_is_what_was_streamed_under_ids_that_stay(stream: tuple[StreamEvent, ...]) -> None:
    documents = events(*stream)
    assert [document["sequence_number"] for document in documents] == list(range(len(documents)))
    assert kinds(documents).count("created") == 1
    final = documents[-1]["response"]["output"]
    ids = [item["id"] for item in final]
    assert len(set(ids)) == len(ids)
    done = {
        document["output_index"]: document["item"]
        for document in documents
        if document["type"] == "response.output_item.done"
    }
    assert [done[index] for index in range(len(final))] == final
    for document in documents:
        if "item_id" in document:
            assert ids[document["output_index"]] == document["item_id"]
        elif "item" in document:
            assert ids[document["output_index"]] == document["item"]["id"]
    pieces: dict[str, str] = {}
    for document in documents:
        if document["type"].endswith(".delta"):
            pieces[document["item_id"]] = pieces.get(document["item_id"], "") + document["delta"]
    assert pieces == {item["id"]: text for item in final if (text := _text(item))}


def _text(item: dict[str, Any]) -> str:
    match item["type"]:
        case "message":
            return "".join(part["text"] for part in item["content"])
        case "reasoning":
            return "".join(part["text"] for part in item["summary"])
    return item["arguments"]


def test_texts_beside_one_another_are_one_message() -> None:
    documents = events(
        STARTED, *said(0, PartKind.TEXT, "a"), *said(1, PartKind.REFUSAL, "b"), ChoiceEnded(), Ended()
    )
    (message,) = documents[-1]["response"]["output"]
    assert [part["type"] for part in message["content"]] == ["output_text", "refusal"]
    assert kinds(documents).count("output_item.added") == 1


def test_a_call_without_arguments_has_an_empty_object() -> None:
    documents = events(
        STARTED, *said(0, PartKind.TOOL_CALL, call_id="call_1", name="f"), ChoiceEnded(), Ended()
    )
    deltas = [document["delta"] for document in documents if document["type"].endswith(".delta")]
    assert deltas == ["{}"]
    assert documents[-1]["response"]["output"][0]["arguments"] == "{}"


def test_an_empty_thought_has_no_summary_but_its_seal() -> None:
    documents = events(
        STARTED,
        PartStarted(part=0, kind=PartKind.THINKING),
        PartSigned(part=0, sealed="EuYB"),
        PartEnded(part=0),
        ChoiceEnded(),
        Ended(),
    )
    (item,) = documents[-1]["response"]["output"]
    assert item["summary"] == []
    assert "EuYB" in item["encrypted_content"]
    assert not [kind for kind in kinds(documents) if "summary" in kind]


def test_logprobs_stand_with_their_piece_and_with_the_whole() -> None:
    logprobs = (TokenLogprob(token="é", logprob=-0.5, top=(("e", -1.0),)),)
    documents = events(
        STARTED,
        PartStarted(part=0, kind=PartKind.TEXT),
        PartDelta(part=0, text="é", logprobs=logprobs),
        PartEnded(part=0),
        ChoiceEnded(),
        Ended(),
    )
    expected = [
        {
            "token": "é",
            "bytes": [195, 169],
            "logprob": -0.5,
            "top_logprobs": [{"token": "e", "bytes": [101], "logprob": -1.0}],
        }
    ]
    assert [document["logprobs"] for document in documents if "logprobs" in document] == [expected] * 2
    assert documents[-1]["response"]["output"][0]["content"][0]["logprobs"] == expected


def test_an_answer_cut_short_is_incomplete() -> None:
    cut = [STARTED, PartStarted(part=0, kind=PartKind.TEXT), PartDelta(part=0, text="a")]
    documents = events(*cut, ChoiceEnded(finish=Finish.LENGTH), Ended())
    assert documents[-1]["type"] == "response.incomplete"
    assert documents[-1]["response"]["incomplete_details"] == {"reason": "max_output_tokens"}
    assert documents[-1]["response"]["output"][0]["status"] == "incomplete"


def test_a_failure_is_the_last_event_and_says_what_happened() -> None:
    failed = StreamFailed(message="Slow down.", kind="overloaded_error", status=429)
    documents = events(STARTED, PartStarted(part=0, kind=PartKind.TEXT), failed, Ended())
    assert documents[-1]["type"] == "response.failed"
    assert documents[-1]["response"]["error"] == {"code": "rate_limit_exceeded", "message": "Slow down."}


def test_a_failure_before_anything_else_still_opens_the_stream() -> None:
    documents = events(StreamFailed(message="Oh."))
    assert kinds(documents) == ["created", "in_progress", "failed"]
    assert documents[-1]["response"]["model"] == "asked-for"


def test_a_finish_of_failure_is_a_failed_response() -> None:
    documents = events(STARTED, ChoiceEnded(finish=Finish.FAILED), Ended())
    assert documents[-1]["type"] == "response.failed"


def test_only_the_first_choice_is_written() -> None:
    second = [
        PartStarted(part=0, choice=1, kind=PartKind.TEXT),
        PartDelta(part=0, choice=1, text="b"),
        PartEnded(part=0, choice=1),
        ChoiceEnded(choice=1),
    ]
    documents = events(STARTED, *said(0, PartKind.TEXT, "a"), *second, ChoiceEnded(), Ended())
    assert len(documents[-1]["response"]["output"]) == 1
    assert documents[-1]["response"]["output"][0]["content"][0]["text"] == "a"
