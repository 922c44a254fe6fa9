"""The vendors' stand-ins refuse what their vendors refuse, in their words; else the matrix would prove nothing.

That they take what is right, their own SDKs show: in the matrix's column `vendor`.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fakes.vendors import KEYS, Vendors
from tests.fakes.vendors.scene import SIGNATURE, Answer, Request

VENDORS = Vendors()
CHAT, RESPONSES, MESSAGES = "/v1/chat/completions", "/v1/responses", "/v1/messages"
GEMINI, COHERE = "/v1beta/models/gemini-3-pro:generateContent", "/v2/chat"
HEADERS = {
    CHAT: {"authorization": f"Bearer {KEYS['openai']}"},
    RESPONSES: {"authorization": f"Bearer {KEYS['openai']}"},
    MESSAGES: {"x-api-key": KEYS["anthropic"], "anthropic-version": "2023-06-01"},
    GEMINI: {"x-goog-api-key": KEYS["gemini"]},
    COHERE: {"authorization": f"Bearer {KEYS['cohere']}"},
}
HI = [{"role": "user", "content": "hi"}]
GEMINI_HI = [{"role": "user", "parts": [{"text": "hi"}]}]
CLAUDE: dict[str, Any] = {"model": "c", "max_tokens": 4000, "messages": HI}
CALL = {"id": "c1", "type": "function", "function": {"name": "t", "arguments": "{}"}}
TOOL_USE = {"type": "tool_use", "id": "t1", "name": "t", "input": {}}
TOOL_RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": "x"}
CALLED = [*HI, {"role": "assistant", "content": [TOOL_USE]}, {"role": "user", "content": [TOOL_RESULT]}]
CLAUDES_TOOL = {"name": "t", "input_schema": {"type": "object"}}
THINKING = {"type": "enabled", "budget_tokens": 2000}


def asked(path: str, body: dict[str, Any], **headers: str) -> Answer:
    """The answer to a request."""
    given = {"content-type": "application/json", **HEADERS.get(path, {}), **headers}
    return VENDORS.answer(
        Request(method="POST", path=path, query="", headers=given, raw=json.dumps(body).encode())
    )


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (CHAT, {"model": "m", "messages": HI, "top_k": 3}, "top_k"),
    (CHAT, {"model": "m", "messages": []}, "empty array"),
    (CHAT, {"model": "m", "messages": HI, "tool_choice": "auto"}, "only allowed when 'tools'"),
    (CHAT, {"model": "m", "messages": HI, "stream_options": {"include_usage": True}}, "when streaming"),
    (
        CHAT,
        {"model": "m", "messages": [*HI, {"role": "tool", "tool_call_id": "c1", "content": "x"}]},
        "preceding",
    ),
    (
        CHAT,
        {"model": "m", "messages": [*HI, {"role": "assistant", "tool_calls": [CALL]}, *HI]},
        "must be followed",
    ),
    (
        CHAT,
        {"model": "m", "messages": [{"role": "user", "content": [{"type": "image", "url": "x"}]}]},
        "messages.0",
    ),
    (RESPONSES, {"model": "m"}, "'input'"),
    (RESPONSES, {"model": "m", "input": HI, "messages": HI}, "messages"),
    (RESPONSES, {"model": "m", "input": HI, "max_output_tokens": 3}, "minimum value"),
    (
        RESPONSES,
        {"model": "m", "input": [{"type": "function_call_output", "call_id": "c", "output": "x"}]},
        "No tool call found",
    ),
    (
        RESPONSES,
        {"model": "m", "input": [{"type": "function_call", "call_id": "c", "name": "t", "arguments": "{}"}]},
        "No tool output found",
    ),
    (MESSAGES, {"model": "c", "messages": HI}, "max_tokens: field required"),
    (
        MESSAGES,
        CLAUDE | {"messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}]},
        "non-empty",
    ),
    (MESSAGES, CLAUDE | {"messages": [{"role": "assistant", "content": "x"}, *HI]}, "first message"),
    (MESSAGES, CLAUDE | {"messages": CALLED}, "must define tools"),
    (MESSAGES, CLAUDE | {"messages": CALLED[:2], "tools": [CLAUDES_TOOL]}, "without `tool_result`"),
    (
        MESSAGES,
        CLAUDE | {"messages": CALLED, "tools": [CLAUDES_TOOL], "thinking": THINKING},
        "Expected `thinking`",
    ),
    (MESSAGES, CLAUDE | {"thinking": THINKING, "temperature": 0.5}, "temperature"),
    (MESSAGES, CLAUDE | {"thinking": THINKING, "max_tokens": 1500}, "must be greater"),
    (GEMINI, {"contents": GEMINI_HI, "maxTokens": 3}, 'Unknown name \\"maxTokens\\"'),
    (GEMINI, {"contents": GEMINI_HI, "generationConfig": {"max_tokens": 3}}, "generationConfig"),
    (GEMINI, {"contents": [{"role": "assistant", "parts": [{"text": "x"}]}]}, "valid role"),
    (
        GEMINI,
        {"contents": [*GEMINI_HI, {"role": "model", "parts": [{"functionCall": {"name": "t"}}]}, *GEMINI_HI]},
        "number of function response parts",
    ),
    (COHERE, {"model": "m", "messages": HI, "top_p": 0.5}, "top_p"),
    (
        COHERE,
        {"model": "m", "messages": [*HI, {"role": "assistant", "tool_calls": [CALL]}, *HI]},
        "missing tool",
    ),
    (COHERE, {"model": "m", "messages": HI, "p": 1.0}, "between"),
    (COHERE, {"model": "m", "messages": [{"role": "developer", "content": "x"}]}, "invalid role"),
]


@pytest.mark.parametrize(("path", "body", "said"), REFUSED, ids=range(len(REFUSED)))
def test_what_a_vendor_does_not_take_is_refused(path: str, body: dict[str, Any], said: str) -> None:
    answer = asked(path, body)
    assert answer.status == 400
    assert said in answer.parts[0].decode()


@pytest.mark.parametrize("path", HEADERS)
def test_a_foreign_key_is_refused(path: str) -> None:
    foreign = dict.fromkeys(("authorization", "x-api-key", "x-goog-api-key"), "Bearer of-somebody-else")
    assert asked(path, {"model": "m", "messages": HI, "input": "hi"}, **foreign).status in {400, 401}


def test_a_thought_that_was_changed_is_refused() -> None:
    thought = {"type": "thinking", "thinking": "something else", "signature": SIGNATURE}
    messages = [*HI, {"role": "assistant", "content": [thought, TOOL_USE]}, CALLED[2]]
    answer = asked(MESSAGES, CLAUDE | {"messages": messages, "tools": [CLAUDES_TOOL], "thinking": THINKING})
    assert b"Invalid `signature`" in answer.parts[0]


def test_anthropics_newer_version_has_no_temperature() -> None:
    assert asked(MESSAGES, CLAUDE | {"temperature": 1}).status == 200
    newer = asked(MESSAGES, CLAUDE | {"temperature": 1}, **{"anthropic-version": "2026-10-21"})
    assert newer.status == 400


def test_aws_wants_a_signature() -> None:
    body = {"messages": [{"role": "user", "content": [{"text": "hi"}]}]}
    assert asked("/model/anthropic.claude/converse", body).status == 403
    forged = "AWS4-HMAC-SHA256 Credential=AKIAVENDOR0000000000/20260101/eu-central-1/bedrock/aws4_request, "
    forged += "SignedHeaders=host, Signature=00"
    stamp = {"x-amz-date": "20260101T000000Z", "host": "x"}
    answer = asked("/model/anthropic.claude/converse", body, authorization=forged, **stamp)
    assert b"does not match" in answer.parts[0]
