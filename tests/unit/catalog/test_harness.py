"""What is known of agents' tools and sessions: read strictly."""

from __future__ import annotations

import pytest

from agent.catalog import bundled_harness
from agent.catalog.harness import parse_harness
from agent.errors import ConfigError
from agent.model.tool import ToolKind


def test_file_tools_stay_on_the_machine_and_shells_do_not() -> None:
    local = bundled_harness().local_tools
    assert {"edit", "write", "apply_patch", "replace", "str_replace_based_edit_tool"} <= local
    assert not {"bash", "shell", "webfetch", "web_search", "run_shell_command", "execute_command"} & local


def test_sessions_are_named_by_headers_and_keys() -> None:
    harness = bundled_harness()
    assert "x-claude-code-session-id" in harness.session_headers
    assert "prompt_cache_key" in harness.session_keys
    assert "previous_response_id" in harness.continuing_keys
    assert all(name == name.lower() for name in harness.session_headers)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tools = 1", "tools must be a list"),
        ("[[tools]]\nnames = [1]", "names must be a list of words"),
        ("[[tools]]\nname = ['x']", "unknown key name"),
        ("conversation = 1", "must be a table"),
        ("[conversation]\nheader = ['x']", "unknown key header"),
        ("extra = 1", "unknown key extra"),
        ("= 1", "mend|Invalid"),
    ],
)
def test_what_is_wrong_is_named(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse_harness(text, source="f.toml")


def test_a_tool_is_of_one_kind() -> None:
    harness = bundled_harness()
    assert harness.kind("Bash") is ToolKind.SHELL
    assert harness.kind("apply_patch", "codex") is ToolKind.WRITE
    assert harness.kind("mcp__linear__list_issues", "claude-code") is ToolKind.MCP
    assert harness.kind("mcp_linear_list", "cursor") is ToolKind.MCP
    assert harness.kind("my_own_tool", "codex") is ToolKind.OTHER


def test_the_agent_that_asks_goes_before_others() -> None:
    text = "[[kinds]]\nagent = 'a'\nread = ['look']\n[[kinds]]\nagent = 'b'\nsearch = ['look', 'x*']\n"
    harness = parse_harness(text, source="f.toml")
    assert harness.kind("Look") is ToolKind.READ
    assert harness.kind("look", "b") is ToolKind.SEARCH
    assert harness.kind("xyz", "a") is ToolKind.SEARCH


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[kinds]]\nread = ['x']", "agent must be a word"),
        ("[[kinds]]\nagent = 'a'\nbash = ['x']", "unknown key bash"),
        ("[[kinds]]\nagent = 'a'\nread = ['x']\nwrite = ['X']", "is of two kinds"),
        ("kinds = 3", "kinds must be a list of tables"),
    ],
)
def test_kinds_are_read_strictly(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse_harness(text, source="f.toml")
