"""What sources of server-sent events share: events cut anywhere, and what the end of the body means."""

from __future__ import annotations

import pytest

from agent.dialects.sse import SseEvent
from agent.errors import ContentError
from agent.model.conversation import StreamEvent, StreamFailed
from agent.translation.sources import EventSource, StrictSource


class Each(EventSource):
    """Tells every event as it came."""

    def _read(self, name: str, data: bytes) -> list[StreamEvent]:
        return [StreamFailed(message=f"{name} {data.decode()}")]


class Strict(StrictSource):
    """Takes words only, until `end`."""

    def _read(self, sse: SseEvent, events: list[StreamEvent]) -> None:
        if not sse.data.isalpha():
            raise ContentError("no word")
        self._over = sse.data == b"end"
        events.append(StreamFailed(message=sse.data.decode()))

    def finish(self) -> tuple[StreamEvent, ...]:
        rest = self._rest()
        return (StreamFailed(message="cut off"),) if rest is None else tuple(rest)


def told(events: tuple[StreamEvent, ...]) -> list[str]:
    return [event.message for event in events if isinstance(event, StreamFailed)]


def test_each_event_is_told_once_it_is_whole_or_the_body_ends() -> None:
    source = Each()
    assert told(source.feed(b"event: a\ndata: 1\n\ndata: 2")) == ["a 1"]
    assert told(source.feed(b"\n\nevent: b\ndata: 3\n")) == [" 2"]
    assert told(source.finish()) == ["b 3"]


def test_after_its_end_a_strict_source_hears_no_more() -> None:
    source = Strict()
    assert told(source.feed(b"data: one\n\n: a comment\n\ndata: end\n\ndata: 7\n\n")) == ["one", "end"]
    assert told(source.finish()) == []


def test_what_is_not_of_its_format_is_an_error_and_at_the_end_a_cut() -> None:
    with pytest.raises(ContentError, match="no word"):
        Strict().feed(b"data: 7\n\n")
    source = Strict()
    assert told(source.feed(b"data: one\n\ndata: tw{")) == ["one"]
    assert told(source.finish()) == ["cut off"]
    source = Strict()
    assert told(source.feed(b"data: one\n\ndata: two")) == ["one"]
    assert told(source.finish()) == ["two"]
