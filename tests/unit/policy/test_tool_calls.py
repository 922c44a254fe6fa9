"""The section `tool_calls` as it is written."""

from __future__ import annotations

import re

import pytest

from agent.errors import PolicyError
from agent.model.tool import ToolKind
from agent.policy import load
from agent.policy.tool_calls import Report


def test_nothing_is_told_by_default() -> None:
    assert load("schema_version: 1\nid: p", source="p.yaml").tool_calls.report is Report.OFF


def test_kinds_are_named() -> None:
    policy = load(
        "schema_version: 1\nid: p\ntool_calls: {report: arguments, kinds: [shell, mcp]}", source="p.yaml"
    )
    assert policy.tool_calls.kinds == (ToolKind.SHELL, ToolKind.MCP)


@pytest.mark.parametrize(
    ("section", "wrong"),
    [
        ("{report: all}", "must be one of: off, names, arguments"),
        ("{kinds: [bash]}", "must be one of: shell, read, write, fetch, search, mcp, other"),
        ("{max_characters: 99}", "greater than or equal to 100"),
        ("{max_characters: 20000}", "less than or equal to 16384"),
    ],
)
def test_mistakes_are_named(section: str, wrong: str) -> None:
    with pytest.raises(PolicyError, match=re.escape(wrong)):
        load(f"schema_version: 1\nid: p\ntool_calls: {section}", source="p.yaml")
