"""Streams of Gemini generateContent, written."""

from __future__ import annotations

from typing import Any

import pytest
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
from agent.translation.gemini_generate.sink import GeminiSink
from tests.fakes.conversations import streams, written
from tests.fakes.response_events import candidate, events_of

STARTED = Started(id="msg_1", model="claude", created=1)


def chunks(*given: StreamEvent) -> list[dict[str, Any]]:
    return events_of(written(GeminiSink("asked-for"), given))


def call(*pieces: str, number: int = 0) -> list[StreamEvent]:
    return [
        PartStarted(part=number, kind=PartKind.TOOL_CALL, call_id=f"c{number}", name="f"),
        *(PartDelta(part=number, text=piece) for piece in pieces),
        PartEnded(part=number),
    ]


@given(streams(overlapping=True))
@settings(max_examples=15, deadline=None)
def test_only_the_last_object_says_why_it_ended(stream: tuple[StreamEvent, ...]) -> None:
    documents = chunks(*stream)
    reasons = [one.get("finishReason") for document in documents for one in document["candidates"]]
    assert all(reason is None for reason in reasons[:-1])
    assert reasons[-1] in ("STOP", "MAX_TOKENS", "SAFETY")
    assert [document for document in documents if "usageMetadata" in document] == documents[-1:]


def test_an_answer_is_written_object_by_object() -> None:
    documents = chunks(
        STARTED,
        PartStarted(part=0, kind=PartKind.THINKING),
        PartDelta(part=0, text="hm"),
        PartSigned(part=0, signature="gemini:Cs0D"),
        PartEnded(part=0),
        PartStarted(part=1, kind=PartKind.TEXT),
        PartDelta(part=1, text="Hi"),
        PartDelta(part=1, text=""),
        PartEnded(part=1),
        ChoiceEnded(),
        UsageKnown(usage=TokenCount(input=5, output=7, reasoning=3)),
        Ended(),
    )
    about = {"modelVersion": "claude", "responseId": "msg_1"}
    assert documents == [
        {"candidates": [candidate({"text": "hm", "thought": True})], **about},
        {
            "candidates": [candidate({"text": "", "thought": True, "thoughtSignature": "Cs0D"})],
            **about,
        },
        {"candidates": [candidate({"text": "Hi"})], **about},
        {
            "candidates": [candidate({"text": ""}, finish="STOP")],
            "usageMetadata": {
                "promptTokenCount": 5,
                "candidatesTokenCount": 4,
                "thoughtsTokenCount": 3,
                "totalTokenCount": 12,
            },
            **about,
        },
    ]


def test_a_call_is_written_when_it_is_whole() -> None:
    signed = [*call('{"a"', ":1}")[:-1], PartSigned(part=0, signature="Cs0D"), PartEnded(part=0)]
    documents = chunks(STARTED, *signed, ChoiceEnded(finish=Finish.TOOL_CALLS), Ended())
    (part,) = documents[0]["candidates"][0]["content"]["parts"]
    assert part == {
        "functionCall": {"id": "c0", "name": "f", "args": {"a": 1}},
        "thoughtSignature": "Cs0D",
    }
    assert len(documents) == 2


def test_calls_that_arrive_interleaved_are_kept_apart() -> None:
    one, two = call('{"a"', ":1}"), call('{"b"', ":2}", number=1)
    mixed = [event for pair in zip(one, two, strict=True) for event in pair]
    documents = chunks(STARTED, *mixed, ChoiceEnded(finish=Finish.TOOL_CALLS), Ended())
    args = [
        document["candidates"][0]["content"]["parts"][0]["functionCall"]["args"] for document in documents[:2]
    ]
    assert args == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize(
    ("finish", "reason"),
    [(Finish.TOOL_CALLS, "MALFORMED_FUNCTION_CALL"), (Finish.LENGTH, "MAX_TOKENS")],
)
def test_a_call_that_was_cut_off_is_not_called_without_its_arguments(finish: Finish, reason: str) -> None:
    documents = chunks(STARTED, *call('{"a'), ChoiceEnded(finish=finish), Ended())
    (only,) = documents
    assert only["candidates"][0]["finishReason"] == reason


def test_a_signature_that_is_no_base64_is_wrapped_up() -> None:
    signed = [*call("{}")[:-1], PartSigned(part=0, signature="not base64!"), PartEnded(part=0)]
    part = chunks(STARTED, *signed, Ended())[0]["candidates"][0]["content"]["parts"][0]
    assert part["thoughtSignature"].startswith("ZHJhd2JyaWRnZTox")


def test_choices_are_candidates_and_end_together() -> None:
    documents = chunks(
        STARTED,
        PartStarted(part=0, choice=1, kind=PartKind.TEXT),
        PartDelta(part=0, choice=1, text="b"),
        PartEnded(part=0, choice=1),
        ChoiceEnded(choice=1, finish=Finish.LENGTH),
        ChoiceEnded(choice=0),
        Ended(),
    )
    assert documents[0]["candidates"] == [candidate({"text": "b"}, index=1)]
    assert [one["finishReason"] for one in documents[-1]["candidates"]] == ["STOP", "MAX_TOKENS"]


def test_logprobs_stand_with_their_piece() -> None:
    logprobs = (TokenLogprob(token="a", logprob=-1.0, top=(("b", -2.0),)),)
    start = PartStarted(part=0, kind=PartKind.REFUSAL)
    documents = chunks(STARTED, start, PartDelta(part=0, text="a", logprobs=logprobs))
    assert documents[0]["candidates"][0]["logprobsResult"] == {
        "chosenCandidates": [{"token": "a", "logProbability": -1.0}],
        "topCandidates": [{"candidates": [{"token": "b", "logProbability": -2.0}]}],
    }


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (429, {"code": 429, "message": "m", "status": "RESOURCE_EXHAUSTED"}),
        (0, {"code": 500, "message": "m", "status": "INTERNAL"}),
        (529, {"code": 529, "message": "m", "status": "UNAVAILABLE"}),
        (418, {"code": 418, "message": "m", "status": "INVALID_ARGUMENT"}),
    ],
)
def test_a_failure_is_an_error_object(status: int, error: object) -> None:
    assert chunks(STARTED, StreamFailed(message="m", status=status)) == [{"error": error}]
