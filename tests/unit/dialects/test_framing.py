"""Bytes of streams as events, whatever carries them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.dialects.framing import Framing, MessageFraming, SseFraming
from agent.errors import ContentError

FRAMINGS = (SseFraming, MessageFraming)
EVENTS = [("messageStart", b'{"role":"assistant"}'), ("contentBlockDelta", b'{"delta":{"text":"hi"}}')]


@pytest.mark.parametrize("make", FRAMINGS)
@given(sizes=st.lists(st.integers(1, 40), min_size=1))
def test_what_was_written_is_read_however_it_is_cut(make: type[Framing], sizes: list[int]) -> None:
    framing = make()
    stream = b"".join(framing.encode(*each) for each in EVENTS)
    read = []
    while stream:
        size = sizes[len(read) % len(sizes)]
        read += framing.feed(stream[:size])
        stream = stream[size:]
    read += framing.finish()
    assert [(each.event, each.data) for each in read] == EVENTS
    assert [each.raw for each in read] == [framing.encode(*each) for each in EVENTS]


def test_a_message_that_broke_off_says_nothing() -> None:
    framing = MessageFraming()
    assert framing.feed(framing.encode(*EVENTS[0])[:-1]) == []
    assert framing.finish() == []


def test_what_is_no_event_stream_is_an_error() -> None:
    with pytest.raises(ContentError):
        MessageFraming().feed(b"data: {}\n\n" * 4)


@pytest.mark.parametrize("make", FRAMINGS)
def test_an_event_is_written_again_with_other_data(make: type[Framing]) -> None:
    framing = make()
    (event,) = framing.feed(framing.encode(*EVENTS[1]))
    assert framing.rewritten(event, b"{}") == framing.encode(event.event, b"{}")
    assert framing.ending(b"end") == b"end"


def test_only_server_sent_events_know_comments() -> None:
    assert SseFraming().comments
    assert not MessageFraming().comments
