"""Streams of Gemini generateContent, read."""

from __future__ import annotations

from typing import Any

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
    PartSigned,
    PartStarted,
    Started,
    StreamEvent,
    StreamFailed,
    TokenCount,
    TokenLogprob,
    UsageKnown,
)
from agent.translation.gemini_generate.source import GeminiSource
from tests.fakes.response_events import candidate, chunk, sse

STARTED = Started(id="r1", model="gemini-3-pro")


def read(*documents: dict[str, Any]) -> list[StreamEvent]:
    source = GeminiSource()
    return [*source.feed(sse(*documents)), *source.finish()]


def test_a_text_streams_and_intermediate_finish_reasons_end_nothing() -> None:
    """Older models give STOP with every object."""
    assert read(
        chunk(candidate({"text": "Hel"}, finish="STOP")),
        chunk(candidate({"text": "lo"}, finish="STOP")),
        chunk(candidate({"text": ""}, finish="STOP")),
    ) == [
        STARTED,
        PartStarted(part=0, kind=PartKind.TEXT),
        PartDelta(part=0, text="Hel"),
        PartDelta(part=0, text="lo"),
        PartEnded(part=0),
        ChoiceEnded(finish=Finish.STOP),
        Ended(),
    ]


def test_thoughts_words_and_calls_are_parts_of_their_own() -> None:
    events = read(
        chunk(candidate({"text": "hm", "thought": True})),
        chunk(candidate({"text": "", "thought": True, "thoughtSignature": "Cs0D"})),
        chunk(candidate({"text": "Hi"})),
        chunk(
            candidate(
                {"functionCall": {"id": "c1", "name": "f", "args": {"a": 1}}, "thoughtSignature": "Cs0E"},
                {"functionCall": {"name": "g"}},
                finish="STOP",
            )
        ),
    )
    made = events[-5]
    assert isinstance(made, PartStarted)
    assert made.call_id.startswith("call_3_")
    assert events == [
        STARTED,
        PartStarted(part=0, kind=PartKind.THINKING),
        PartDelta(part=0, text="hm"),
        PartSigned(part=0, signature="gemini:Cs0D"),
        PartEnded(part=0),
        PartStarted(part=1, kind=PartKind.TEXT),
        PartDelta(part=1, text="Hi"),
        PartEnded(part=1),
        PartStarted(part=2, kind=PartKind.TOOL_CALL, call_id="c1", name="f"),
        PartDelta(part=2, text='{"a":1}'),
        PartSigned(part=2, signature="Cs0E"),
        PartEnded(part=2),
        PartStarted(part=3, kind=PartKind.TOOL_CALL, call_id=made.call_id, name="g"),
        PartDelta(part=3, text="{}"),
        PartEnded(part=3),
        ChoiceEnded(finish=Finish.TOOL_CALLS),
        Ended(),
    ]


def test_usage_is_told_as_it_grows_for_streams_that_are_cut_short() -> None:
    def counted(output: int) -> dict[str, Any]:
        return {
            "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": output, "thoughtsTokenCount": 3}
        }

    events = read(
        chunk(candidate({"text": "a"}), **counted(1)),
        chunk(candidate({"text": "b"}), **counted(1)),
        chunk(candidate({"text": "c"}), **counted(2)),
    )
    assert [event.usage for event in events if isinstance(event, UsageKnown)] == [
        TokenCount(input=9, output=4, reasoning=3),
        TokenCount(input=9, output=5, reasoning=3),
    ]
    assert Ended() not in events


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("MALFORMED_FUNCTION_CALL", Finish.FAILED),
        ("SAFETY", Finish.FILTERED),
        ("MAX_TOKENS", Finish.LENGTH),
    ],
)
def test_why_it_ended(reason: str, finish: Finish) -> None:
    assert read(chunk(candidate(finish=reason))) == [STARTED, ChoiceEnded(finish=finish), Ended()]


def test_a_blocked_prompt_ends_filtered() -> None:
    assert read(chunk(promptFeedback={"blockReason": "SAFETY"})) == [
        STARTED,
        ChoiceEnded(finish=Finish.FILTERED),
        Ended(),
    ]


def test_a_stream_without_a_finish_reason_broke_off() -> None:
    assert read(chunk(candidate({"text": "a"}))) == [
        STARTED,
        PartStarted(part=0, kind=PartKind.TEXT),
        PartDelta(part=0, text="a"),
    ]


def test_candidates_are_choices() -> None:
    events = read(
        chunk(candidate({"text": "a"}), candidate({"text": "b"}, index=1)),
        chunk(candidate(finish="STOP"), candidate(finish="MAX_TOKENS", index=1)),
    )
    assert events[-3:] == [
        PartEnded(part=0, choice=1),
        ChoiceEnded(choice=1, finish=Finish.LENGTH),
        Ended(),
    ]
    assert PartDelta(part=0, choice=1, text="b") in events


def test_logprobs_belong_to_the_text_beside_them() -> None:
    result = {"chosenCandidates": [{"token": "a", "logProbability": -1.0}]}
    events = read(chunk(candidate({"text": "a"}, finish="STOP", logprobsResult=result)))
    assert PartDelta(part=0, text="a", logprobs=(TokenLogprob(token="a", logprob=-1.0),)) in events
    assert ChoiceEnded(finish=Finish.STOP) in events


ERROR = {"error": {"code": 429, "message": "Slow down.", "status": "RESOURCE_EXHAUSTED"}}


@pytest.mark.parametrize("body", [sse(ERROR), orjson.dumps(ERROR), b"[" + orjson.dumps(ERROR) + b"]"])
def test_an_error_in_the_stream_is_its_end(body: bytes) -> None:
    source = GeminiSource()
    events = [*source.feed(body), *source.feed(body), *source.finish()]
    assert events == [StreamFailed(message="Slow down.", kind="RESOURCE_EXHAUSTED", status=429)]


@pytest.mark.parametrize("body", [b"data: <html>\n\n", b"<html>", b"[]", b"data: [DONE]\n\n"])
def test_what_is_no_stream_is_an_error(body: bytes) -> None:
    source = GeminiSource()
    with pytest.raises(ContentError):
        _ = (*source.feed(body), *source.finish())


def test_an_empty_body_is_a_stream_that_broke_off() -> None:
    assert GeminiSource().finish() == ()


def test_files_and_code_that_ran_have_no_events() -> None:
    parts = ({"inlineData": {"mimeType": "image/png", "data": "AAEC"}}, {"executableCode": {"code": "1"}})
    assert read(chunk(candidate(*parts, finish="STOP"))) == [
        STARTED,
        ChoiceEnded(finish=Finish.STOP),
        Ended(),
    ]
