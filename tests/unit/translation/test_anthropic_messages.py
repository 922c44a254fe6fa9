"""Anthropic Messages as a whole: what is written and read again means the same, however a stream is cut."""

from __future__ import annotations

import itertools
from dataclasses import replace

import orjson
from hypothesis import given
from hypothesis import strategies as st

from agent.model.conversation import (
    Conversation,
    Ended,
    PartDelta,
    Reasoning,
    Reply,
    StreamEvent,
    Tool,
    ToolChoice,
    ToolUse,
)
from agent.translation.anthropic_messages import AnthropicMessages
from agent.translation.base import Losses
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

MESSAGES = AnthropicMessages()
ASKED = Conversation(model="m", turns=())


def again(conversation: Conversation) -> Conversation:
    """Written, without a loss, and read."""
    losses = Losses(target="anthropic-messages")
    request = MESSAGES.write_request(conversation, losses)
    assert losses.settle() == ()
    return MESSAGES.read_request("/v1/messages", "", request.body)


def same(conversation: Conversation) -> Conversation:
    """What the format does not tell apart: neighbouring turns; a schema's name; blank words; that tools may be called
    in parallel where none may be called; images have no names."""
    turns = merged(conversation).turns
    offered = tuple(_schema(tool) for tool in conversation.tools)
    output = conversation.output
    choice = conversation.tool_choice
    return replace(
        conversation,
        turns=turns,
        tools=offered,
        tool_choice=ToolChoice(use=ToolUse.NONE) if choice and choice.use is ToolUse.NONE else choice,
        output=replace(output, name="", description="", strict=True) if output else None,
    )


def _schema(tool: Tool) -> Tool:
    return replace(tool, strict=tool.strict or None)


@given(conversations(stream=True))
def test_a_request_keeps_its_meaning(conversation: Conversation) -> None:
    # a model to which temperature and top_p can be told together
    asked = replace(conversation, model="claude-3-7-sonnet")
    assert same(again(asked)) == same(asked)


@given(replies())
def test_an_answer_keeps_its_meaning(reply: Reply) -> None:
    told = MESSAGES.read_answer(MESSAGES.write_answer(reply))
    assert told == replace(reply, created=0)


@given(streams(overlapping=True))
def test_a_stream_written_and_read_tells_the_same(events: tuple[StreamEvent, ...]) -> None:
    told = read(MESSAGES.stream_source(), [written(MESSAGES.stream_sink(ASKED), events)])
    assert folded(told) == replace(folded(events), created=0)


@given(streams())
def test_words_pass_through_a_stream_piece_by_piece(events: tuple[StreamEvent, ...]) -> None:
    told = read(MESSAGES.stream_source(), [written(MESSAGES.stream_sink(ASKED), events)])
    assert told[1:-2] == events[1:-2]
    assert told[-1] == Ended()


@given(st.data())
def test_chunking_never_changes_a_stream(data: st.DataObject) -> None:
    stream = written(MESSAGES.stream_sink(ASKED), data.draw(streams(overlapping=True)))
    whole = read(MESSAGES.stream_source(), [stream])
    assert read(MESSAGES.stream_source(), data.draw(chunkings(stream))) == whole


@given(st.data())
def test_a_stream_that_breaks_off_has_no_end(data: st.DataObject) -> None:
    stream = written(MESSAGES.stream_sink(ASKED), data.draw(streams()))
    stop = stream.rindex(b"event: message_stop")
    told = read(MESSAGES.stream_source(), [stream[: data.draw(st.integers(0, stop))]])
    assert Ended() not in told


@given(streams(overlapping=True))
def test_blocks_of_a_written_stream_never_overlap_and_their_indexes_have_no_gaps(
    events: tuple[StreamEvent, ...],
) -> None:
    stream = written(MESSAGES.stream_sink(ASKED), events)
    documents = [orjson.loads(line[6:]) for line in stream.split(b"\n") if line.startswith(b"data: ")]
    kinds = [document["type"] for document in documents]
    assert kinds.count("message_start") == 1
    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]
    block: dict[str, object] = {}
    index = -1
    for document in documents[1:-2]:
        match document["type"]:
            case "content_block_start":
                assert not block
                assert document["index"] == index + 1
                index += 1
                block = document["content_block"]
            case "content_block_delta":
                assert document["index"] == index
                lawful = {
                    "text": {"text_delta"},
                    "thinking": {"thinking_delta", "signature_delta"},
                    "tool_use": {"input_json_delta"},
                    "redacted_thinking": set(),
                }
                assert document["delta"]["type"] in lawful[str(block["type"])]
            case "content_block_stop":
                assert document["index"] == index
                block = {}
    assert not block


@given(
    conversations(),
    reasonings(),
    st.sampled_from(
        [
            "claude-3-5-haiku",
            "claude-sonnet-4-5",
            "claude-opus-4-6",
            "claude-opus-4-7",
            "claude-opus-5",
            "glm-5",
        ]
    ),
)
def test_what_is_written_is_never_what_the_api_refuses(
    conversation: Conversation, reasoning: Reasoning, model: str
) -> None:
    asked = replace(conversation, reasoning=reasoning, model=model)
    losses = Losses(target="anthropic-messages", drop=True)
    body = orjson.loads(MESSAGES.write_request(asked, losses).body)
    thinking = body.get("thinking", {"type": "disabled"})
    if thinking["type"] != "disabled":
        assert body.get("tool_choice", {"type": "auto"})["type"] in ("auto", "none")
        assert not {"temperature", "top_k"} & body.keys()
        assert body.get("top_p", 1) >= 0.95
    if thinking["type"] == "enabled":
        assert 1024 <= thinking["budget_tokens"] < body["max_tokens"]
        assert model not in ("claude-opus-4-7", "claude-opus-5", "claude-3-5-haiku")
    roles = [message["role"] for message in body["messages"]]
    assert all(one != other for one, other in itertools.pairwise(roles))
    assert roles[0] == "user"
    for message in body["messages"]:
        content = message["content"]
        kinds = ["text"] if isinstance(content, str) else [block["type"] for block in content]
        results = [kind == "tool_result" for kind in kinds]
        assert results == sorted(results, reverse=True), "results come first"
    assert body.get("max_tokens")


@given(streams())
def test_pieces_of_a_call_are_pieces_of_its_input(events: tuple[StreamEvent, ...]) -> None:
    told = read(MESSAGES.stream_source(), [written(MESSAGES.stream_sink(ASKED), events)])
    deltas = [event for event in events if isinstance(event, PartDelta)]
    assert [event for event in told if isinstance(event, PartDelta)] == deltas
