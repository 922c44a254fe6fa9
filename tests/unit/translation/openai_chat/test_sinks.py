"""Streams of chat completion chunks, written."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from agent.errors import ContentError
from agent.model.conversation import (
    ChoiceEnded,
    Conversation,
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
from agent.translation.openai_chat import OpenAIChat
from tests.fakes.conversations import written

STARTED = Started(id="msg_1", model="claude", created=7)
TEXT = (PartStarted(part=0, kind=PartKind.TEXT), PartDelta(part=0, text="é\n"), PartEnded(part=0))
END = (ChoiceEnded(), UsageKnown(usage=TokenCount(input=3, output=2, cache_read=1)), Ended())


def write(*events: StreamEvent, usage: bool = True) -> bytes:
    asked = Conversation(model="asked-for", turns=(), usage_in_stream=usage)
    return written(OpenAIChat().stream_sink(asked), events)


def documents(stream: bytes) -> list[dict[str, Any]]:
    lines = stream.decode().split("\n\n")
    assert lines[-2:] == ["data: [DONE]", ""]
    return [orjson.loads(line.removeprefix("data: ")) for line in lines[:-2]]


def test_an_answer_in_words() -> None:
    chunks = documents(write(STARTED, *TEXT, *END))
    head = {"id": "msg_1", "object": "chat.completion.chunk", "created": 7, "model": "claude"}

    def chunk(delta: object, finish: str | None = None) -> dict[str, object]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return {**head, "choices": [choice], "usage": None}

    assert chunks == [
        chunk({"role": "assistant", "content": "", "refusal": None}),
        chunk({"content": "é\n"}),
        chunk({}, "stop"),
        {
            **head,
            "choices": [],
            "usage": {
                "prompt_tokens": 3,
                "completion_tokens": 2,
                "total_tokens": 5,
                "prompt_tokens_details": {"cached_tokens": 1},
            },
        },
    ]


def test_usage_is_hidden_from_a_client_that_did_not_ask() -> None:
    chunks = documents(write(STARTED, *TEXT, *END, usage=False))
    assert not any("usage" in chunk for chunk in chunks)
    assert len(chunks) == 3


def test_usage_of_the_start_and_of_the_end_are_put_together() -> None:
    started = Started(id="1", usage=TokenCount(input=9, cache_write=4))
    (*_, last) = documents(write(started, ChoiceEnded(), UsageKnown(usage=TokenCount(output=2)), Ended()))
    assert last["usage"]["prompt_tokens"] == 9
    assert last["usage"]["total_tokens"] == 11
    assert last["model"] == "asked-for"


def test_calls_are_numbered_among_themselves() -> None:
    stream = write(
        STARTED,
        *TEXT,
        PartStarted(part=1, kind=PartKind.TOOL_CALL, call_id="a", name="x"),
        PartDelta(part=1, text="{"),
        PartStarted(part=2, kind=PartKind.TOOL_CALL, call_id="b", name="y"),
        PartDelta(part=2, text="{}"),
        PartDelta(part=1, text="}"),
        PartSigned(part=2, signature="sig"),
        PartEnded(part=1),
        PartEnded(part=2),
        ChoiceEnded(finish=Finish.TOOL_CALLS),
        Ended(),
    )
    calls = [chunk["choices"][0]["delta"].get("tool_calls") for chunk in documents(stream)]
    assert [call[0] for call in calls if call] == [
        {"index": 0, "id": "a", "type": "function", "function": {"name": "x", "arguments": ""}},
        {"index": 0, "function": {"arguments": "{"}},
        {"index": 1, "id": "b", "type": "function", "function": {"name": "y", "arguments": ""}},
        {"index": 1, "function": {"arguments": "{}"}},
        {"index": 0, "function": {"arguments": "}"}},
        {
            "index": 1,
            "function": {"arguments": ""},
            "extra_content": {"google": {"thought_signature": "sig"}},
        },
    ]


def test_thoughts_for_readers_and_for_senders_back() -> None:
    stream = write(
        STARTED,
        PartStarted(part=0, kind=PartKind.THINKING),
        PartDelta(part=0, text="hm"),
        PartSigned(part=0, signature="sig"),
        PartEnded(part=0),
        PartStarted(part=1, kind=PartKind.THINKING),
        PartSigned(part=1, sealed="x", id="rs_1"),
        PartEnded(part=1),
        *END,
    )
    deltas = [chunk["choices"][0]["delta"] for chunk in documents(stream)[1:4]]
    assert deltas == [
        {
            "reasoning_content": "hm",
            "reasoning_details": [{"type": "reasoning.text", "text": "hm", "index": 0}],
        },
        {"reasoning_details": [{"type": "reasoning.text", "signature": "sig", "index": 0}]},
        {"reasoning_details": [{"type": "reasoning.encrypted", "data": "x", "index": 1, "id": "rs_1"}]},
    ]


def test_each_choice_begins_with_its_role() -> None:
    stream = write(
        STARTED,
        PartStarted(part=0, choice=1, kind=PartKind.REFUSAL),
        PartDelta(part=0, choice=1, text="no"),
        PartEnded(part=0, choice=1),
        ChoiceEnded(choice=1),
        ChoiceEnded(choice=0, finish=Finish.FILTERED),
        Ended(),
    )
    choices = [chunk["choices"][0] for chunk in documents(stream)]
    assert [(choice["index"], choice["delta"], choice["finish_reason"]) for choice in choices] == [
        (0, {"role": "assistant", "content": "", "refusal": None}, None),
        (1, {"role": "assistant", "content": "", "refusal": None}, None),
        (1, {"refusal": "no"}, None),
        (1, {}, "stop"),
        (0, {}, "content_filter"),
    ]


def test_logprobs() -> None:
    logprobs = (TokenLogprob(token="é", logprob=-0.5, top=(("e", -1.0),)),)
    delta = PartDelta(part=0, text="é", logprobs=logprobs)
    stream = write(STARTED, PartStarted(part=0, kind=PartKind.TEXT), delta, PartEnded(part=0), *END)
    assert documents(stream)[1]["choices"][0]["logprobs"] == {
        "content": [
            {
                "token": "é",
                "logprob": -0.5,
                "bytes": [195, 169],
                "top_logprobs": [{"token": "e", "logprob": -1.0, "bytes": [101]}],
            }
        ],
        "refusal": None,
    }


def test_an_error_within_the_stream() -> None:
    stream = write(STARTED, StreamFailed(message="busy", kind="overloaded_error", status=529))
    assert documents(stream)[-1] == {
        "error": {"message": "busy", "type": "overloaded_error", "param": None, "code": "529"}
    }


@pytest.mark.parametrize(
    ("finish", "word"),
    [
        (Finish.STOP_SEQUENCE, "stop"),
        (Finish.PAUSED, "length"),
        (Finish.FAILED, "error"),
        (Finish.LENGTH, "length"),
    ],
)
def test_finish_reasons(finish: Finish, word: str) -> None:
    (*_, last) = documents(write(STARTED, *TEXT, ChoiceEnded(finish=finish), Ended()))
    assert last["choices"][0]["finish_reason"] == word


def test_a_stream_must_say_its_start() -> None:
    with pytest.raises(ContentError):
        write(*TEXT)
