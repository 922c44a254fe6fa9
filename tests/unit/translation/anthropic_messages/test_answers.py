"""Whole messages, both ways."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from agent.errors import ContentError
from agent.model.conversation import Choice, Finish, Reply, Text, Thinking, TokenCount, ToolCall
from agent.translation.anthropic_messages import AnthropicMessages


def write(*parts: Any, usage: TokenCount | None = None, **fields: Any) -> dict[str, Any]:
    choice = Choice(parts=parts, **fields)
    reply = Reply(id="chatcmpl-1", model="m", choices=(choice,), usage=usage or TokenCount())
    return dict(orjson.loads(AnthropicMessages().write_answer(reply)))


def test_an_answer_as_documented() -> None:
    body = {
        "id": "msg_013Zva2CMHLNnXjNJJKqJ2EF",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "sig"},
            {"type": "redacted_thinking", "data": "sealed"},
            {"type": "text", "text": "Hi.", "citations": None},
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
            {"type": "tool_use", "id": "toolu_1", "name": "t", "input": {"a": 1}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 25,
            "cache_creation_input_tokens": 300,
            "cache_read_input_tokens": 1000,
            "cache_creation": {"ephemeral_5m_input_tokens": 300, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 503,
            "service_tier": "standard",
        },
    }
    assert AnthropicMessages().read_answer(orjson.dumps(body)) == Reply(
        id="msg_013Zva2CMHLNnXjNJJKqJ2EF",
        model="claude-sonnet-4-5",
        choices=(
            Choice(
                parts=(
                    Thinking(text="hm", signature="sig"),
                    Thinking(sealed="sealed"),
                    Text(text="Hi."),
                    ToolCall(id="toolu_1", name="t", arguments='{"a":1}'),
                ),
                finish=Finish.TOOL_CALLS,
            ),
        ),
        usage=TokenCount(input=1325, output=503, cache_read=1000, cache_write=300, cache_write_1h=0),
    )


@pytest.mark.parametrize(
    ("usage", "count"),
    [
        (  # the breakdown is of the total, not beside it
            {
                "input_tokens": 1,
                "cache_creation_input_tokens": 30,
                "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
            },
            TokenCount(input=31, cache_write=30, cache_write_1h=20),
        ),
        (
            {
                "input_tokens": 1,
                "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
            },
            TokenCount(input=31, cache_write=30, cache_write_1h=20),
        ),
        (
            {"output_tokens": 9, "output_tokens_details": {"thinking_tokens": 4}},
            TokenCount(output=9, reasoning=4),
        ),
        (None, TokenCount()),
    ],
)
def test_usage(usage: object, count: TokenCount) -> None:
    body = orjson.dumps({"content": [], "usage": usage})
    assert AnthropicMessages().read_answer(body).usage == count


def test_writing_all_of_it() -> None:
    document = write(
        Thinking(text="hm", signature="sig"),
        Thinking(text="sum", sealed="x", id="rs_1"),
        Text(text=""),
        Text(text="so"),
        ToolCall(id="functions.t:0", name="t", arguments='{"a": 1}'),
        finish=Finish.TOOL_CALLS,
        usage=TokenCount(
            input=1325, output=50, cache_read=1000, cache_write=300, cache_write_1h=200, reasoning=9
        ),
    )
    assert document == {
        "id": "chatcmpl-1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "sig"},
            {"type": "thinking", "thinking": "sum", "signature": ""},
            {"type": "redacted_thinking", "data": "rs_1:x"},
            {"type": "text", "text": "so"},
            {"type": "tool_use", "id": "functions.t:0", "name": "t", "input": {"a": 1}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 25,
            "cache_creation_input_tokens": 300,
            "cache_read_input_tokens": 1000,
            "output_tokens": 50,
            "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
            "output_tokens_details": {"thinking_tokens": 9},
        },
    }


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"finish": Finish.LENGTH}, "max_tokens"),
        ({"finish": Finish.FILTERED}, "refusal"),
        ({"finish": Finish.FAILED}, "refusal"),
        ({"finish": Finish.PAUSED}, "pause_turn"),
        ({"finish": Finish.STOP_SEQUENCE, "stop_sequence": "###"}, "stop_sequence"),
    ],
)
def test_stop_reasons(fields: dict[str, Any], reason: str) -> None:
    document = write(Text(text="a"), **fields)
    assert document["stop_reason"] == reason
    assert document["stop_sequence"] == fields.get("stop_sequence")


def test_a_refusal_in_words() -> None:
    document = write(Text(text="no", refusal=True))
    assert document["content"] == [{"type": "text", "text": "no"}]
    assert document["stop_reason"] == "refusal"


def test_counts_never_go_below_nothing() -> None:
    assert write(usage=TokenCount(input=5, cache_read=9))["usage"]["input_tokens"] == 0


@pytest.mark.parametrize("body", [b"{}", b'{"type": "error"}', b"x"])
def test_what_is_no_answer_is_an_error(body: bytes) -> None:
    with pytest.raises(ContentError):
        AnthropicMessages().read_answer(body)
