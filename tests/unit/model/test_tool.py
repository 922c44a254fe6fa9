"""The kinds of tools are a contract with those who read events."""

from __future__ import annotations

from agent.model.tool import NO_TOOLS, ToolKind, ToolUse


def test_the_kinds_are_those_that_readers_know() -> None:
    assert list(ToolKind) == ["shell", "read", "write", "fetch", "search", "mcp", "other"]


def test_no_tools_hold_nothing() -> None:
    assert ToolUse(results=(), calls=(), left_out=0) == NO_TOOLS
