"""Who is called: the arguments of a tool call carry the tool's name, whole and streamed, in every dialect."""

from __future__ import annotations

import pytest

from agent.dialects.sse import encode
from agent.model.content import Role
from tests.unit.dialects.feeding import read, request, stream

ARGUMENTS = '{"path": "a"}'
CHAT_CALL = {"id": "c1", "type": "function", "function": {"name": "Edit", "arguments": ARGUMENTS}}
WHOLE: dict[str, dict[str, object]] = {
    "openai-chat": {"messages": [{"role": "assistant", "tool_calls": [CHAT_CALL]}]},
    "openai-responses": {
        "input": [{"type": "function_call", "name": "Edit", "call_id": "c", "arguments": ARGUMENTS}]
    },
    "anthropic-messages": {
        "messages": [
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "t", "name": "Edit", "input": {"path": "a"}}],
            }
        ]
    },
    "gemini-generate-content": {
        "contents": [{"role": "model", "parts": [{"functionCall": {"name": "Edit", "args": {"path": "a"}}}]}]
    },
    "bedrock-converse": {
        "messages": [
            {"role": "assistant", "content": [{"toolUse": {"name": "Edit", "input": {"path": "a"}}}]}
        ]
    },
    "cohere-chat": {"messages": [{"role": "assistant", "tool_calls": [CHAT_CALL]}]},
    "cohere-v1": {
        "chat_history": [
            {"role": "CHATBOT", "tool_calls": [{"name": "Edit", "parameters": {"path": "a"}}]},
        ]
    },
    "ollama-native": {
        "messages": [
            {
                "role": "assistant",
                "tool_calls": [{"function": {"name": "Edit", "arguments": {"path": "a"}}}],
            }
        ]
    },
    "bedrock-invoke": {
        "anthropic_version": "bedrock-2023-05-31",
        "messages": [
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "t", "name": "Edit", "input": {"path": "a"}}],
            }
        ],
    },
    "aws-codewhisperer": {
        "conversationState": {
            "history": [
                {"assistantResponseMessage": {"toolUses": [{"name": "Edit", "input": {"path": "a"}}]}}
            ]
        }
    },
}
CHAT_START = {**CHAT_CALL, "index": 0, "function": {"name": "Edit", "arguments": ""}}
PATCH = {"type": "custom_tool_call", "name": "apply_patch", "input": ""}
BLOCK = {"type": "tool_use", "id": "t", "name": "Edit", "input": {}}


def chat(call: dict[str, object]) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}


STREAMS: dict[str, bytes] = {
    "openai-chat": stream(
        chat(CHAT_START),
        chat({"index": 0, "function": {"arguments": '{"pa'}}),
        chat({"index": 0, "function": {"arguments": 'th":"a"}'}}),
    ),
    "openai-responses": stream(
        {"type": "response.output_item.added", "output_index": 1, "item": PATCH},
        {"type": "response.custom_tool_call_input.delta", "output_index": 1, "delta": "*** Begin"},
        {"type": "response.custom_tool_call_input.done", "output_index": 1, "input": "*** Begin"},
        named=True,
    ),
    "anthropic-messages": stream(
        {"type": "content_block_start", "index": 0, "content_block": BLOCK},
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "input_json_delta", "partial_json": ARGUMENTS},
        },
        {"type": "content_block_stop", "index": 0},
        named=True,
    ),
    "gemini-generate-content": stream(
        {"candidates": [{"content": {"parts": [{"functionCall": {"name": "Edit", "args": {"path": "a"}}}]}}]}
    ),
    "bedrock-converse": b"".join(
        (
            encode("contentBlockStart", b'{"contentBlockIndex":0,"start":{"toolUse":{"name":"Edit"}}}'),
            encode("contentBlockDelta", b'{"contentBlockIndex":0,"delta":{"toolUse":{"input":"{}"}}}'),
        )
    ),
    "cohere-chat": stream(
        {"type": "tool-call-start", "index": 0, "delta": {"message": {"tool_calls": CHAT_START}}},
        {
            "type": "tool-call-delta",
            "index": 0,
            "delta": {"message": {"tool_calls": {"function": {"arguments": ARGUMENTS}}}},
        },
    ),
    "cohere-v1": stream(
        {
            "event_type": "tool-calls-chunk",
            "tool_call_delta": {"index": 0, "name": "Edit", "parameters": ARGUMENTS},
        }
    ),
    "ollama-native": stream(
        {"message": {"tool_calls": [{"function": {"name": "Edit", "arguments": {"path": "a"}}}]}}
    ),
    "bedrock-invoke": stream(
        {"type": "content_block_start", "index": 0, "content_block": BLOCK},
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "input_json_delta", "partial_json": ARGUMENTS},
        },
    ),
    "aws-codewhisperer": encode("toolUseEvent", b'{"name":"Edit","toolUseId":"t","input":"{}"}'),
}


@pytest.mark.parametrize("name", WHOLE)
def test_the_arguments_of_a_call_name_the_tool(name: str) -> None:
    called = [slot for slot in request(name, WHOLE[name]).slots if slot.role is Role.TOOL_CALL]
    assert called
    assert {slot.tool for slot in called} == {"Edit"}


@pytest.mark.parametrize("name", STREAMS)
def test_so_do_they_in_a_stream(name: str) -> None:
    views = read(name, STREAMS[name])
    called = [delta.slot for view in views for delta in view.deltas] + [
        slot for view in views for slot in view.repeats
    ]
    called = [slot for slot in called if slot.role is Role.TOOL_CALL]
    assert called
    assert {slot.tool for slot in called} <= {"Edit", "apply_patch"}


def test_what_is_said_names_no_tool() -> None:
    said = request("anthropic-messages", {"messages": [{"role": "user", "content": "Edit it"}]}).slots
    assert [slot.tool for slot in said] == [""]
