"""Streams of Messages events, written."""

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
    UsageKnown,
)
from agent.translation.anthropic_messages import AnthropicMessages
from tests.fakes.conversations import written

STARTED = Started(id="chatcmpl-1", model="gpt-5", created=7)
TEXT = (PartStarted(part=0, kind=PartKind.TEXT), PartDelta(part=0, text="é\n"), PartEnded(part=0))
END = (ChoiceEnded(), UsageKnown(usage=TokenCount(input=30, output=2, cache_read=10)), Ended())


def write(*events: StreamEvent) -> bytes:
    return written(AnthropicMessages().stream_sink(Conversation(model="asked-for", turns=())), events)


def documents(stream: bytes) -> list[dict[str, Any]]:
    found = []
    for event in stream.decode().removesuffix("\n\n").split("\n\n"):
        name, _, data = event.partition("\n")
        found.append(orjson.loads(data.removeprefix("data: ")))
        assert name == f"event: {found[-1]['type']}"
    return found


def blocks(*events: StreamEvent) -> list[dict[str, Any]]:
    """What stands between the message's start and its end."""
    (_, *inner, _, _) = documents(write(STARTED, *events, *END))
    return inner


def test_an_answer_in_words() -> None:
    assert documents(write(STARTED, *TEXT, *END)) == [
        {
            "type": "message_start",
            "message": {
                "id": "chatcmpl-1",
                "type": "message",
                "role": "assistant",
                "model": "gpt-5",
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
                "usage": {
                    "input_tokens": 0,
                    "cache_creation_input_tokens": 0,
                    "cache_read_input_tokens": 0,
                    "output_tokens": 0,
                },
            },
        },
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "é\n"}},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {
                "input_tokens": 20,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 10,
                "output_tokens": 2,
            },
        },
        {"type": "message_stop"},
    ]


def test_a_second_start_is_none() -> None:
    kinds = [document["type"] for document in documents(write(STARTED, STARTED, *TEXT, *END))]
    assert kinds.count("message_start") == 1


def test_calls_that_overlap_wait_for_one_another() -> None:
    def began(part: int) -> StreamEvent:
        return PartStarted(part=part, kind=PartKind.TOOL_CALL, call_id=f"c{part}", name="t")

    stream = write(
        STARTED,
        began(0),
        PartDelta(part=0, text="{"),
        began(1),
        PartDelta(part=1, text="[1"),
        began(2),
        PartEnded(part=2),
        PartDelta(part=0, text="}"),
        PartEnded(part=0),
        PartDelta(part=1, text="]"),
        PartEnded(part=1),
        ChoiceEnded(finish=Finish.TOOL_CALLS),
        Ended(),
    )
    told = [
        (
            document["index"],
            document.get("content_block", {}).get("id") or document.get("delta", {}).get("partial_json"),
        )
        for document in documents(stream)[1:-2]
    ]
    assert told == [
        (0, "c0"),
        (0, "{"),
        (0, "}"),
        (0, None),
        (1, "c1"),
        (1, "[1"),
        (1, "]"),
        (1, None),
        (2, "c2"),
        (2, None),
    ]


def test_thoughts() -> None:
    inner = blocks(
        PartStarted(part=0, kind=PartKind.THINKING),
        PartDelta(part=0, text="hm"),
        PartSigned(part=0, signature="sig"),
        PartEnded(part=0),
        PartStarted(part=1, kind=PartKind.THINKING),
        PartSigned(part=1, sealed="x"),
        PartEnded(part=1),
        PartStarted(part=2, kind=PartKind.THINKING),
        PartEnded(part=2),
        PartStarted(part=3, kind=PartKind.THINKING),
        PartSigned(part=3, signature="s"),
        PartEnded(part=3),
    )
    assert [(each["index"], each.get("content_block") or each.get("delta")) for each in inner] == [
        (0, {"type": "thinking", "thinking": "", "signature": ""}),
        (0, {"type": "thinking_delta", "thinking": "hm"}),
        (0, {"type": "signature_delta", "signature": "sig"}),
        (0, None),
        (1, {"type": "redacted_thinking", "data": "x"}),
        (1, None),
        (2, {"type": "thinking", "thinking": "", "signature": ""}),
        (2, {"type": "signature_delta", "signature": "s"}),
        (2, None),
    ]


def test_a_summary_with_a_seal_is_two_blocks() -> None:
    """OpenAI's reasoning items: the client carries both back."""
    inner = blocks(
        PartStarted(part=0, kind=PartKind.THINKING),
        PartDelta(part=0, text="hm"),
        PartSigned(part=0, sealed="x", id="rs_1"),
        PartEnded(part=0),
    )
    assert [each["type"] for each in inner] == [
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "content_block_start",
        "content_block_stop",
    ]
    assert inner[3]["content_block"] == {"type": "redacted_thinking", "data": "rs_1:x"}


def test_a_refusal_is_text_and_a_reason() -> None:
    stream = write(
        STARTED,
        PartStarted(part=0, kind=PartKind.REFUSAL),
        PartDelta(part=0, text="no"),
        PartEnded(part=0),
        *END,
    )
    found = documents(stream)
    assert found[2]["delta"] == {"type": "text_delta", "text": "no"}
    assert found[-2]["delta"]["stop_reason"] == "refusal"


@pytest.mark.parametrize(
    ("finish", "word"),
    [
        (Finish.LENGTH, "max_tokens"),
        (Finish.FILTERED, "refusal"),
        (Finish.PAUSED, "pause_turn"),
        (Finish.TOOL_CALLS, "tool_use"),
    ],
)
def test_stop_reasons(finish: Finish, word: str) -> None:
    assert documents(write(STARTED, *TEXT, ChoiceEnded(finish=finish), Ended()))[-2]["delta"] == {
        "stop_reason": word,
        "stop_sequence": None,
    }
    stopped = ChoiceEnded(finish=Finish.STOP_SEQUENCE, stop_sequence="###")
    assert documents(write(STARTED, stopped, Ended()))[-2]["delta"] == {
        "stop_reason": "stop_sequence",
        "stop_sequence": "###",
    }


def test_an_answer_that_failed_ends_in_an_error() -> None:
    found = documents(write(STARTED, *TEXT, ChoiceEnded(finish=Finish.FAILED), Ended()))
    assert found[-1]["type"] == "error"
    assert "message_stop" not in [each["type"] for each in found]


def test_an_end_without_a_reason() -> None:
    call = PartStarted(part=0, kind=PartKind.TOOL_CALL, call_id="c", name="t")
    found = documents(write(STARTED, call, PartEnded(part=0), Ended()))
    assert found[-2]["delta"]["stop_reason"] == "tool_use"


@pytest.mark.parametrize(
    ("failed", "kind"),
    [
        (StreamFailed(message="x", kind="overloaded_error"), "overloaded_error"),
        (StreamFailed(message="x", kind="server_error", status=503), "overloaded_error"),
        (StreamFailed(message="x", status=429), "rate_limit_error"),
        (StreamFailed(message="x", status=418), "invalid_request_error"),
        (StreamFailed(message="x"), "api_error"),
    ],
)
def test_an_error_within_the_stream(failed: StreamFailed, kind: str) -> None:
    assert documents(write(STARTED, failed))[-1] == {
        "type": "error",
        "error": {"type": kind, "message": "x"},
    }


def test_other_choices_are_left_out() -> None:
    other = (
        PartStarted(part=0, choice=1, kind=PartKind.TEXT),
        PartDelta(part=0, choice=1, text="b"),
        PartEnded(part=0, choice=1),
        ChoiceEnded(choice=1, finish=Finish.LENGTH),
    )
    assert write(STARTED, *other, *TEXT, *END) == write(STARTED, *TEXT, *END)


def test_a_stream_must_say_its_start() -> None:
    with pytest.raises(ContentError):
        write(*TEXT)
