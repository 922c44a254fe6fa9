"""From one format through the hub to the other and back: requests, answers and streams, and each mistake that gateways
of this kind are known for."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import ContentError
from agent.model.conversation import (
    Conversation,
    Ended,
    Finish,
    Reply,
    Speaker,
    StreamEvent,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from agent.translation.anthropic_messages import AnthropicMessages
from agent.translation.base import Losses, Quirks, Translator
from agent.translation.openai_chat import OpenAIChat
from agent.translation.registry import TRANSLATORS
from tests.fakes.conversations import conversations, folded, merged, read, replies, streams, written

CHAT, MESSAGES = OpenAIChat(), AnthropicMessages()
KEEPS_THOUGHTS = Quirks(accepts=frozenset({"reasoning_details", "cache_control"}))


def through(
    conversation: Conversation, *formats: Translator, quirks: Quirks = KEEPS_THOUGHTS
) -> Conversation:
    """Written and read by each of the formats in turn, without a loss."""
    for each in formats:
        losses = Losses(target=each.name)
        body = each.write_request(conversation, losses, quirks).body
        assert losses.settle() == ()
        conversation = each.read_request("", "", body)
        assert conversation.unread == ()
    return conversation


def request(body: dict[str, Any], source: Translator, target: Translator, **quirks: Any) -> dict[str, Any]:
    """The body in the other format, without a loss."""
    losses = Losses(target=target.name)
    conversation = source.read_request("", "", orjson.dumps(body))
    assert conversation.unread == ()
    written_ = target.write_request(conversation, losses, Quirks(**quirks))
    assert losses.settle() == ()
    return dict(orjson.loads(written_.body))


def answer(body: dict[str, Any], source: Translator, target: Translator) -> dict[str, Any]:
    return dict(orjson.loads(target.write_answer(source.read_answer(orjson.dumps(body)))))


def stream(data: bytes, source: Translator, target: Translator, *, usage: bool = True) -> bytes:
    asked = Conversation(model="m", turns=(), usage_in_stream=usage)
    return written(target.stream_sink(asked), read(source.stream_source(), [data]))


def events(*documents: dict[str, Any]) -> bytes:
    return b"".join(
        b"event: %b\ndata: %b\n\n" % (each["type"].encode(), orjson.dumps(each)) for each in documents
    )


def chunks(*choices: dict[str, Any], **last: Any) -> bytes:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 7, "model": "m"}
    documents = [{**head, "choices": [{"index": 0, **choice}]} for choice in choices]
    if last:
        documents.append({**head, "choices": [], **last})
    return b"".join(b"data: " + orjson.dumps(each) + b"\n\n" for each in documents) + b"data: [DONE]\n\n"


@given(conversations())
def test_a_conversation_survives_chat_messages_chat(conversation: Conversation) -> None:
    asked = replace(conversation, model="claude-3-7-sonnet", output=None)
    once = through(asked, CHAT)
    told = through(once, MESSAGES, CHAT)
    expected = merged(once)
    assert merged(told).turns == expected.turns
    assert told.tools == expected.tools
    assert told.sampling == expected.sampling
    assert told.user == expected.user


@given(replies())
def test_an_answer_survives_chat_messages_chat(reply: Reply) -> None:
    once = CHAT.read_answer(CHAT.write_answer(reply))
    told = CHAT.read_answer(CHAT.write_answer(MESSAGES.read_answer(MESSAGES.write_answer(once))))
    assert told == replace(once, created=0)


@given(streams(overlapping=True))
def test_a_stream_survives_chat_messages_chat(told: tuple[StreamEvent, ...]) -> None:
    asked = Conversation(model="m", turns=())
    data = written(CHAT.stream_sink(asked), told)
    again = stream(stream(data, CHAT, MESSAGES), MESSAGES, CHAT)
    one, other = folded(read(CHAT.stream_source(), [data])), folded(read(CHAT.stream_source(), [again]))
    assert other == replace(one, created=0)


@given(replies(), st.sampled_from(TRANSLATORS))
def test_a_stream_tells_what_the_whole_answer_tells(reply: Reply, each: Translator) -> None:
    """Both ways of answering are one to the hub."""
    whole = each.read_answer(each.write_answer(reply))
    assert [choice.finish for choice in whole.choices] == [choice.finish for choice in reply.choices]
    assert whole.usage.input == reply.usage.input


WORDS = [
    "type",
    "role",
    "content",
    "text",
    "system",
    "user",
    "assistant",
    "tool",
    "messages",
    "choices",
    "delta",
    "index",
    "tool_calls",
    "function",
    "name",
    "arguments",
    "id",
    "usage",
    "finish_reason",
    "thinking",
    "signature",
    "data",
    "content_block",
    "message",
    "source",
    "url",
    "media_type",
    "image_url",
    "file",
    "input",
    "tool_use_id",
    "reasoning_details",
    "tools",
    "tool_choice",
    "response_format",
    "output_config",
    "error",
    "document",
    "image",
    "tool_use",
    "tool_result",
    "text_delta",
    "input_json_delta",
    "thinking_delta",
    "content_block_start",
    "content_block_delta",
    "message_start",
    "message_delta",
    "cache_control",
    "thinking_blocks",
    "stream_options",
    "effort",
    "base64",
]


def anything() -> st.SearchStrategy[object]:
    """Documents in the formats' own words, put together without sense."""
    word = st.sampled_from(WORDS)
    leaves = st.one_of(word, word, st.integers(-1, 3), st.booleans(), st.none(), st.just(0.5), st.just(""))
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(word, inner, max_size=5),
        max_leaves=25,
    )


@given(
    st.sampled_from(TRANSLATORS),
    st.dictionaries(st.sampled_from(WORDS), anything(), max_size=6),
    st.lists(st.dictionaries(st.sampled_from(WORDS), anything(), max_size=4), max_size=3),
)
def test_whatever_is_read_it_is_read_or_refused(
    each: Translator, document: dict[str, object], listed: list[dict[str, object]]
) -> None:
    filled = {**document, "messages": listed, "choices": listed, "content": listed}
    for body in (orjson.dumps(document), orjson.dumps(filled)):
        with suppress(ContentError):
            each.read_request("", "", body)
        with suppress(ContentError):
            each.read_answer(body)
        with suppress(ContentError):
            read(each.stream_source(), [b"data: " + body + b"\n\n"] * 2)
    data = b"".join(b"data: " + orjson.dumps(each) + b"\n\n" for each in listed)
    with suppress(ContentError):
        read(each.stream_source(), [data])


# Known mistakes of gateways: see reference "Translation" and its list of complaints


def test_parallel_results_are_one_user_turn() -> None:
    calls = [
        {"id": f"call_{n}", "type": "function", "function": {"name": "t", "arguments": "{}"}} for n in (1, 2)
    ]
    body = {
        "model": "claude-sonnet-4-5",
        "messages": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": None, "tool_calls": calls},
            {"role": "tool", "tool_call_id": "call_1", "content": "x"},
            {"role": "tool", "tool_call_id": "call_2", "content": "y"},
            {"role": "user", "content": "b"},
        ],
        "tools": [{"type": "function", "function": {"name": "t"}}],
    }
    messages = request(body, CHAT, MESSAGES)["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "user"]
    assert [block["type"] for block in messages[-1]["content"]] == ["tool_result", "tool_result", "text"]


@pytest.mark.parametrize("limit", [1_025, 1_300, 4_000, 100_000])
def test_max_tokens_is_more_than_the_budget(limit: int) -> None:
    conversation = CHAT.read_request(
        "",
        "",
        orjson.dumps(
            {
                "model": "claude-sonnet-4-5",
                "messages": [{"role": "user", "content": "a"}],
                "reasoning_effort": "high",
                "max_completion_tokens": limit,
            }
        ),
    )
    body = orjson.loads(MESSAGES.write_request(conversation, Losses(target="m", drop=True)).body)
    assert body["max_tokens"] == limit
    assert body.get("thinking", {"budget_tokens": 0})["budget_tokens"] < limit


def test_the_developer_role_is_a_system_prompt() -> None:
    body = {"model": "claude", "messages": [{"role": "developer", "content": "be kind"}]}
    assert request(body, CHAT, MESSAGES)["system"] == "be kind"


def test_strict_tools_stay_strict() -> None:
    tool = {"name": "t", "input_schema": {"type": "object"}, "strict": True}
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "a"}], "tools": [tool]}
    assert request(body, MESSAGES, CHAT)["tools"][0]["function"]["strict"] is True


def test_deepseeks_thoughts_go_back_to_it() -> None:
    """It refuses a tool's result that comes without the thought before the call."""
    body = {
        "model": "deepseek-reasoner",
        "messages": [
            {"role": "assistant", "content": "so", "reasoning_content": "hm"},
            {"role": "user", "content": "a"},
        ],
    }
    message = request(body, CHAT, CHAT, accepts=frozenset({"reasoning_content"}))["messages"][0]
    assert message["reasoning_content"] == "hm"


def test_signatures_survive_a_chat_client() -> None:
    """Claude's answer to a chat client, whose next request holds what it was told."""
    told = {
        "id": "msg_1",
        "model": "claude",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "sig"},
            {"type": "redacted_thinking", "data": "sealed"},
            {"type": "tool_use", "id": "toolu_1", "name": "t", "input": {}},
        ],
        "stop_reason": "tool_use",
    }
    message = answer(told, MESSAGES, CHAT)["choices"][0]["message"]
    body = {
        "model": "claude-sonnet-4-5",
        "messages": [
            {"role": "user", "content": "a"},
            message,
            {"role": "tool", "tool_call_id": "toolu_1", "content": "x"},
        ],
        "tools": [{"type": "function", "function": {"name": "t"}}],
        "reasoning_effort": "low",
    }
    sent = request(body, CHAT, MESSAGES)
    assert sent["messages"][1]["content"] == told["content"]
    assert sent["thinking"]["type"] == "enabled"


def test_signatures_survive_a_chat_client_that_streams() -> None:
    """Clients collect the items of `reasoning_details` as they come."""
    data = events(
        {"type": "message_start", "message": {"id": "msg_1", "usage": {"input_tokens": 1}}},
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "thinking", "thinking": "", "signature": ""},
        },
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "thinking_delta", "thinking": "h"},
        },
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "thinking_delta", "thinking": "m"},
        },
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "signature_delta", "signature": "sig"},
        },
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
        {"type": "message_stop"},
    )
    told = stream(data, MESSAGES, CHAT).decode().split("\n\n")
    deltas = [orjson.loads(each[6:])["choices"] for each in told if each.startswith("data: {")]
    details = [detail for (choice,) in deltas[:-1] for detail in choice["delta"].get("reasoning_details", [])]
    body = {"messages": [{"role": "assistant", "content": "so", "reasoning_details": details}]}
    (turn,) = CHAT.read_request("", "", orjson.dumps(body)).turns
    assert turn.parts == (Thinking(text="hm", signature="sig"), Text(text="so"))


def test_cached_tokens_are_part_of_the_prompt() -> None:
    usage = {
        "input_tokens": 25,
        "cache_read_input_tokens": 1000,
        "cache_creation_input_tokens": 300,
        "output_tokens": 50,
        "output_tokens_details": {"thinking_tokens": 30},
    }
    body = {"id": "msg_1", "content": [], "stop_reason": "end_turn", "usage": usage}
    told = answer(body, MESSAGES, CHAT)
    assert told["usage"] == {
        "prompt_tokens": 1325,
        "completion_tokens": 50,
        "total_tokens": 1375,
        "prompt_tokens_details": {"cached_tokens": 1000, "cache_write_tokens": 300},
        "completion_tokens_details": {"reasoning_tokens": 30},
    }
    assert told["id"] == "msg_1"
    assert answer({**told, "choices": told["choices"]}, CHAT, MESSAGES)["usage"] == {
        "input_tokens": 25,
        "cache_read_input_tokens": 1000,
        "cache_creation_input_tokens": 300,
        "output_tokens": 50,
        "output_tokens_details": {"thinking_tokens": 30},
    }


def test_the_input_of_a_streamed_call_is_kept() -> None:
    data = chunks(
        {"delta": {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "t", "arguments": ""}}]}},
        {"delta": {"tool_calls": [{"index": 0, "function": {"arguments": '{"path":'}}]}},
        {"delta": {"tool_calls": [{"index": 0, "function": {"arguments": ' "a"}'}}]}},
        {"delta": {}, "finish_reason": "tool_calls"},
    )
    told = folded(read(MESSAGES.stream_source(), [stream(data, CHAT, MESSAGES)]))
    (choice,) = told.choices
    assert choice.parts == (ToolCall(id="c", name="t", arguments='{"path": "a"}'),)
    assert choice.finish is Finish.TOOL_CALLS


def test_thoughts_and_words_are_blocks_of_their_own() -> None:
    data = chunks(
        {"delta": {"role": "assistant", "content": "", "reasoning_content": "h"}},
        {"delta": {"reasoning_content": "m"}},
        {"delta": {"content": "s", "reasoning_content": None}},
        {"delta": {"content": "o"}},
        {"delta": {}, "finish_reason": "stop"},
    )
    told = stream(data, CHAT, MESSAGES)
    lines = [orjson.loads(line[6:]) for line in told.split(b"\n") if line.startswith(b"data: ")]
    blocks = [
        (each["index"], each["delta"]["type"]) for each in lines if each["type"] == "content_block_delta"
    ]
    assert blocks == [
        (0, "thinking_delta"),
        (0, "thinking_delta"),
        (1, "text_delta"),
        (1, "text_delta"),
    ]
    assert told.count(b"event: message_start") == 1


def test_a_malformed_call_is_no_plain_stop() -> None:
    data = chunks({"delta": {}, "finish_reason": "function_call_filter: MALFORMED_FUNCTION_CALL"})
    told = stream(data, CHAT, MESSAGES)
    assert b"event: error" in told
    assert b"end_turn" not in told


def test_usage_that_was_asked_for_by_us_is_hidden_from_the_client() -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "a"}], "stream": True}
    conversation = CHAT.read_request("", "", orjson.dumps(body))
    sent = orjson.loads(CHAT.write_request(conversation, Losses(target="c")).body)
    assert sent["stream_options"] == {"include_usage": True}
    data = chunks(
        {"delta": {"content": "a"}, "finish_reason": "stop"},
        usage={"prompt_tokens": 1, "completion_tokens": 1},
    )
    assert b"usage" in stream(data, CHAT, CHAT)
    assert b"usage" not in stream(data, CHAT, CHAT, usage=conversation.usage_in_stream)


def test_a_stream_that_breaks_off_is_not_completed() -> None:
    data = chunks({"delta": {"content": "a"}}).removesuffix(b"data: [DONE]\n\n")
    told = stream(data, CHAT, MESSAGES)
    assert b"message_stop" not in told
    assert Ended() not in read(MESSAGES.stream_source(), [told])


def test_a_claude_code_turn_reaches_a_chat_server() -> None:
    """Thinking, hints, a picture among the results: what such a client sends all day."""
    body = {
        "model": "gpt-5",
        "max_tokens": 32000,
        "system": [{"type": "text", "text": "You are an agent.", "cache_control": {"type": "ephemeral"}}],
        "thinking": {"type": "enabled", "budget_tokens": 31999},
        "metadata": {"user_id": "u"},
        "stream": True,
        "tools": [{"name": "Read", "input_schema": {"type": "object"}}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "look"}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "sig"},
                    {"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {"path": "a.png"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "toolu_1",
                        "content": [
                            {
                                "type": "image",
                                "source": {"type": "base64", "media_type": "image/png", "data": "AAEC"},
                            }
                        ],
                        "cache_control": {"type": "ephemeral"},
                    }
                ],
            },
        ],
    }
    sent = request(body, MESSAGES, CHAT)
    assert [message["role"] for message in sent["messages"]] == [
        "system",
        "user",
        "assistant",
        "tool",
        "user",
    ]
    assert sent["reasoning_effort"] == "xhigh"
    assert sent["max_completion_tokens"] == 32000
    assert sent["user"] == "u"
    assert b"cache_control" not in orjson.dumps(sent)
    conversation = CHAT.read_request("", "", orjson.dumps(sent))
    assert conversation.turns[0].speaker is Speaker.SYSTEM
    assert isinstance(conversation.turns[3].parts[0], ToolResult)
