"""Chat Completions as a whole: what is written and read again means the same, however a stream is cut."""

from __future__ import annotations

from dataclasses import replace

import orjson
from hypothesis import given
from hypothesis import strategies as st

from agent.model.conversation import (
    CacheHint,
    ChoiceEnded,
    Conversation,
    Ended,
    PartEnded,
    Reply,
    Sampling,
    Speaker,
    StreamEvent,
    Text,
    ToolResult,
    Turn,
    UsageKnown,
)
from agent.translation.base import Losses, Quirks
from agent.translation.openai_chat import OpenAIChat
from tests.fakes.conversations import (
    chunkings,
    conversations,
    folded,
    merged,
    read,
    reasonings,
    replies,
    streams,
    written,
)

CHAT = OpenAIChat()
GENEROUS = Quirks(
    accepts=frozenset(
        {
            "cache_control",
            "reasoning",
            "reasoning_content",
            "reasoning_details",
            "extra_content",
            "top_k",
            "file_url",
            "video_url",
        }
    )
)
"""A server that takes all that compatible servers ever added."""


def again(conversation: Conversation) -> Conversation:
    """Written, without a loss, and read."""
    losses = Losses(target="openai-chat")
    request = CHAT.write_request(conversation, losses, GENEROUS)
    assert losses.settle() == ()
    return CHAT.read_request("/v1/chat/completions", "", request.body)


def same(conversation: Conversation) -> Conversation:
    """What the format does not tell apart: neighbouring turns; hints on a result and on its text; the wish for a
    summary; whether usage is asked for where nothing streams."""
    turns = tuple(
        Turn(speaker=turn.speaker, parts=tuple(map(_plain, turn.parts))) for turn in conversation.turns
    )
    reasoning = conversation.reasoning
    return merged(
        replace(
            conversation,
            turns=turns,
            reasoning=replace(reasoning, summary="") if reasoning else None,
            usage_in_stream=True,
        )
    )


def _plain(part: object) -> object:
    if isinstance(part, ToolResult):
        hints = [part.cache, *(one.cache for one in part.parts)]
        cache = next((hint for hint in hints if hint), None)
        return replace(part, cache=cache, parts=tuple(replace(one, cache=None) for one in part.parts))
    return part


@given(conversations(stream=True), st.none() | reasonings())
def test_a_request_keeps_its_meaning(conversation: Conversation, reasoning: object) -> None:
    asked = replace(conversation, reasoning=reasoning)
    assert same(again(asked)) == same(asked)
    # and what OpenAI does not know is not written for it
    known = _keys(CHAT.write_request(conversation, Losses(target="openai-chat")).body)
    assert not known & {"cache_control", "reasoning_content", "reasoning_details", "extra_content"}


@given(replies(most=3))
def test_an_answer_keeps_its_meaning(reply: Reply) -> None:
    told = CHAT.read_answer(CHAT.write_answer(reply))
    assert told == replace(reply, usage=replace(reply.usage, cache_write_1h=None))


@given(st.data())
def test_a_stream_written_and_read_is_the_same_however_it_is_cut(data: st.DataObject) -> None:
    events = data.draw(streams(overlapping=True))
    stream = written(CHAT.stream_sink(Conversation(model="m", turns=())), events)
    told = read(CHAT.stream_source(), [stream])
    assert folded(told) == replace(folded(events), usage=replace(folded(events).usage, cache_write_1h=None))
    assert [type(event) for event in told][-3:] == [type(event) for event in events][-3:]
    assert read(CHAT.stream_source(), data.draw(chunkings(stream))) == told


@given(streams(), st.floats(0, 1))
def test_words_pass_piece_by_piece_and_a_stream_that_breaks_off_has_no_end(
    events: tuple[StreamEvent, ...], share: float
) -> None:
    stream = written(CHAT.stream_sink(Conversation(model="m", turns=())), events)
    assert _begun(read(CHAT.stream_source(), [stream])) == _begun(events)
    finish = stream.rindex(b'"finish_reason":"')
    told = read(CHAT.stream_source(), [stream[: int(finish * share)]])
    assert not any(isinstance(event, ChoiceEnded | Ended) for event in told)


def _begun(events: tuple[StreamEvent, ...]) -> list[StreamEvent]:
    """Without what chat does not say before the choice's end: that a call has ended."""
    return [event for event in events if not isinstance(event, PartEnded | UsageKnown)]


def _keys(body: bytes) -> set[str]:
    """The names of all fields outside of schemas and arguments."""
    document = orjson.loads(body)
    found: set[str] = set()

    def walk(value: object) -> None:
        if isinstance(value, dict):
            found.update(value)
            for name, item in value.items():
                if name not in ("parameters", "schema"):
                    walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)

    walk(document)
    return found


def test_hints_to_cache_are_no_loss() -> None:
    text = Text(text="hello", cache=CacheHint())
    conversation = Conversation(
        model="m", turns=(Turn(speaker=Speaker.USER, parts=(text,)),), sampling=Sampling(max_tokens=1)
    )
    losses = Losses(target="openai-chat")
    CHAT.write_request(conversation, losses)
    assert losses.settle() == ()
