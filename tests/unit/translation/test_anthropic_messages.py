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


@given(streams(), st.floats(0, 1))
def test_words_pass_piece_by_piece_and_a_stream_that_breaks_off_has_no_end(
    events: tuple[StreamEvent, ...], share: float
) -> None:
    stream = written(MESSAGES.stream_sink(ASKED), events)
    told = read(MESSAGES.stream_source(), [stream])
    assert told[1:-2] == events[1:-2]
    assert told[-1] == Ended()
    stop = stream.rindex(b"event: message_stop")
    assert Ended() not in read(MESSAGES.stream_source(), [stream[: int(stop * share)]])


@given(st.data())
def test_a_stream_written_and_read_is_the_same_however_it_is_cut(data: st.DataObject) -> None:
    events = data.draw(streams(overlapping=True))
    stream = written(MESSAGES.stream_sink(ASKED), events)
    told = read(MESSAGES.stream_source(), [stream])
    assert folded(told) == replace(folded(events), created=0)
    assert read(MESSAGES.stream_source(), data.draw(chunkings(stream))) == told
    check_blocks(stream)


def check_blocks(stream: bytes) -> None:
    """Blocks never overlap, their indexes have no gaps, and each holds deltas of its own kind only."""
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
