"""A tool is called by its own name, not by its interpreter's."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.host.process_names import display_name

NODE, PYTHON = "/usr/bin/node", "/usr/bin/python3.13"


@pytest.mark.parametrize(
    ("executable", "arguments", "name"),
    [
        ("/usr/local/bin/codex", ["codex", "exec"], "codex"),
        (NODE, ["node", "/usr/local/bin/claude"], "claude"),
        (NODE, ["node", "--no-warnings", "-r", "hook.js", "/opt/gemini", "-p", "x"], "gemini"),
        (NODE, ["node", "/lib/node_modules/@anthropic-ai/claude-code/cli.js"], "claude-code"),
        (NODE, ["node", "/lib/node_modules/@google/gemini-cli/dist/index.js"], "gemini-cli"),
        (NODE, ["claude"], "claude"),
        (NODE, ["claude                "], "claude"),
        (NODE, ["node", "-e", "fetch('x')"], "node"),
        (NODE, ["node"], "node"),
        ("/usr/bin/node22", ["node22", "tool.mjs"], "tool"),
        ("/root/.bun/bin/bun", ["bun", "run", "/x/opencode.ts"], "opencode"),
        (PYTHON, ["python3", "-X", "dev", "-m", "aider.main", "--model", "x"], "aider"),
        (PYTHON, ["python3", "/venv/bin/llm", "prompt"], "llm"),
        (PYTHON, ["python3", "-c", "import x"], "python3.13"),
        (PYTHON, ["python3", "-"], "python3.13"),
        (PYTHON, ["python3", "/srv/chat/src/main.py"], "chat"),
        (PYTHON, ["python3", "main.py"], "main"),
        (
            "C:\\Program Files\\nodejs\\node.exe",
            ["node", "C:\\npm\\node_modules\\qwen-code\\cli.js"],
            "qwen-code",
        ),
        ("C:\\Tools\\cursor.exe", [], "cursor"),
        ("", ["/usr/bin/crush"], "crush"),
        ("", [], "fallback"),
    ],
)
def test_the_name_is_the_tools(executable: str, arguments: list[str], name: str) -> None:
    assert display_name(executable, arguments, "fallback") == name


def test_arguments_of_the_tool_never_become_its_name() -> None:
    key = secrets.token_hex(16)
    for arguments in (["node", "tool.js", key], ["node", "-e", key], ["python", "-m", "tool", key]):
        assert key not in display_name(f"/usr/bin/{arguments[0]}", arguments)


@given(st.text(max_size=30), st.lists(st.text(max_size=20), max_size=6), st.text(max_size=10))
@settings(max_examples=60, deadline=None)
def test_any_command_line_gives_a_short_name(executable: str, arguments: list[str], fallback: str) -> None:
    assert len(display_name(executable, arguments, fallback)) <= 64
