"""A stream becomes a whole answer, or none where it was not whole. (That the two ways fit: test_replay.)"""

from __future__ import annotations

import pytest

from agent.model.conversation import (
    ChoiceEnded,
    Ended,
    Finish,
    PartDelta,
    PartKind,
    PartStarted,
    Started,
    StreamEvent,
    StreamFailed,
    Text,
    TokenCount,
    ToolCall,
    UsageKnown,
)
from agent.translation.gather import reply_of

HELLO: tuple[StreamEvent, ...] = (
    Started(id="r", model="m", usage=TokenCount(input=4)),
    PartStarted(part=0, kind=PartKind.TEXT),
    PartDelta(part=0, text="Hel"),
    PartDelta(part=0, text="lo"),
    ChoiceEnded(),
    UsageKnown(usage=TokenCount(output=2)),
    Ended(),
)


def test_deltas_are_joined_and_counts_merged() -> None:
    reply = reply_of(HELLO)
    assert reply is not None
    assert reply.choices[0].parts == (Text(text="Hello"),)
    assert reply.usage == TokenCount(input=4, output=2)


def test_calls_that_overlap_are_told_apart() -> None:
    reply = reply_of(
        (
            Started(),
            PartStarted(part=0, kind=PartKind.TOOL_CALL, call_id="a", name="f"),
            PartStarted(part=1, kind=PartKind.TOOL_CALL, call_id="b", name="g"),
            PartDelta(part=1, text='{"x":'),
            PartDelta(part=1, text="1}"),
            ChoiceEnded(finish=Finish.TOOL_CALLS),
            Ended(),
        )
    )
    assert reply is not None
    assert reply.choices[0].parts == (
        ToolCall(id="a", name="f", arguments="{}"),
        ToolCall(id="b", name="g", arguments='{"x":1}'),
    )


@pytest.mark.parametrize(
    "events",
    [
        HELLO[:-1],  # broke off
        (*HELLO[:4], *HELLO[5:]),  # the choice never ended
        (*HELLO[:4], StreamFailed(message="overloaded"), *HELLO[4:]),
        (HELLO[0], *HELLO[2:]),  # more of a part that never began
        (Started(), Ended()),
        (),
    ],
)
def test_a_stream_that_is_not_whole_has_no_reply(events: tuple[StreamEvent, ...]) -> None:
    assert reply_of(events) is None
