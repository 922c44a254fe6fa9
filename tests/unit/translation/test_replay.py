"""A known answer is streamed as if it were made now."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import ContentError
from agent.model.conversation import (
    Choice,
    ChoiceEnded,
    Ended,
    Finish,
    Media,
    MediaKind,
    PartDelta,
    PartEnded,
    PartKind,
    PartSigned,
    PartStarted,
    Reply,
    Started,
    Text,
    Thinking,
    TokenCount,
    TokenLogprob,
    ToolCall,
    UsageKnown,
)
from agent.translation.gather import reply_of
from agent.translation.replay import PIECE, events_of, streamable

words = st.text(max_size=12)
counts = st.none() | st.integers(0, 10_000)
parts = st.one_of(
    st.builds(Text, text=words, refusal=st.booleans()),
    st.builds(Thinking, text=words, signature=words, sealed=words, id=words),
    st.builds(ToolCall, id=words, name=words, arguments=st.text(min_size=1, max_size=12), signature=words),
)
logprobs = st.builds(TokenLogprob, token=words, logprob=st.floats(-9, 0))


@st.composite
def choices(draw: st.DrawFn) -> Choice:
    said = draw(st.lists(parts, max_size=4))
    has_text = any(isinstance(each, Text) for each in said)
    return Choice(
        parts=tuple(said),
        finish=draw(st.sampled_from(Finish)),
        stop_sequence=draw(words),
        logprobs=tuple(draw(st.lists(logprobs, max_size=2))) if has_text else (),
    )


replies = st.builds(
    Reply,
    id=words,
    model=words,
    created=st.integers(0, 2**31),
    choices=st.lists(choices(), min_size=1, max_size=3).map(tuple),
    usage=st.builds(TokenCount, input=counts, output=counts, cache_read=counts, reasoning=counts),
)


@given(replies)
def test_what_is_streamed_and_gathered_is_the_same_answer(reply: Reply) -> None:
    assert reply_of(events_of(reply)) == reply


def test_an_answer_is_told_from_its_start_to_its_end() -> None:
    said = (Thinking(text="Hm.", signature="s"), Text(text="Hello"))
    reply = Reply(
        id="r1", model="m", created=7, choices=(Choice(parts=said),), usage=TokenCount(input=3, output=2)
    )
    assert list(events_of(reply)) == [
        Started(id="r1", model="m", created=7),
        PartStarted(part=0, kind=PartKind.THINKING),
        PartDelta(part=0, text="Hm."),
        PartSigned(part=0, signature="s"),
        PartEnded(part=0),
        PartStarted(part=1, kind=PartKind.TEXT),
        PartDelta(part=1, text="Hello"),
        PartEnded(part=1),
        ChoiceEnded(finish=Finish.STOP),
        UsageKnown(usage=TokenCount(input=3, output=2)),
        Ended(),
    ]


def test_a_long_text_comes_in_pieces() -> None:
    text = "x" * (2 * PIECE + 1)
    reply = Reply(id="", model="", choices=(Choice(parts=(Text(text=text),)),))
    deltas = [each.text for each in events_of(reply) if isinstance(each, PartDelta)]
    assert [len(each) for each in deltas] == [PIECE, PIECE, 1]
    assert "".join(deltas) == text


def test_a_picture_is_refused_before_the_first_event() -> None:
    picture = Media(kind=MediaKind.IMAGE, url="https://example.com/a.png")
    reply = Reply(id="", model="", choices=(Choice(parts=(picture,)),))
    assert not streamable(reply)
    with pytest.raises(ContentError, match="media"):
        events_of(reply)
