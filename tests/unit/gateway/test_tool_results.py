"""Which results a request brings: the newest ones, by the names of their tools."""

from __future__ import annotations

import json

import pytest

from agent.dialects.base import RequestHead
from agent.gateway.tool_results import tool_results
from agent.model.tool import ToolKind, ToolOutcome
from tests.fakes.rulebooks import rule_book, toy_policy

HEAD = RequestHead(method="POST", path="/v1/messages")
REQUESTS = {
    "anthropic-messages": {
        "model": "m",
        "max_tokens": 9,
        "messages": [
            {"role": "user", "content": "go"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "0", "name": "Read", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "0", "content": "old"}]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "Bash", "input": {}}]},
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "1", "content": "no such file", "is_error": True}
                ],
            },
        ],
    },
    "openai-chat": {
        "model": "m",
        "messages": [
            {"role": "user", "content": "go"},
            {
                "role": "assistant",
                "tool_calls": [
                    {"id": "1", "type": "function", "function": {"name": "Bash", "arguments": "{}"}}
                ],
            },
            {"role": "tool", "tool_call_id": "1", "content": "fine"},
        ],
    },
    "openai-responses": {
        "model": "m",
        "input": [
            {"type": "function_call", "call_id": "1", "name": "Bash", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "1", "output": "fine"},
        ],
    },
}


def results(dialect: str, body: bytes, more: str = "tool_calls: {report: names}") -> tuple[ToolOutcome, ...]:
    report = rule_book(toy_policy(more)).report
    assert report is not None
    return tool_results(report, dialect, HEAD, body, app="")


@pytest.mark.parametrize(
    ("dialect", "failed"), [("anthropic-messages", True), ("openai-chat", False), ("openai-responses", False)]
)
def test_the_newest_results_are_told(dialect: str, failed: bool) -> None:
    assert results(dialect, json.dumps(REQUESTS[dialect]).encode()) == (
        ToolOutcome(tool="Bash", kind=ToolKind.SHELL, failed=failed),
    )


def test_only_the_kinds_that_are_wanted() -> None:
    body = json.dumps(REQUESTS["openai-chat"]).encode()
    assert results("openai-chat", body, "tool_calls: {report: names, kinds: [mcp]}") == ()


@pytest.mark.parametrize(("dialect", "body"), [("openai-chat", b"{]"), ("no-such", b"{}")])
def test_what_cannot_be_read_has_none(dialect: str, body: bytes) -> None:
    assert results(dialect, body) == ()
