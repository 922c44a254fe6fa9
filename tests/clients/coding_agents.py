"""The command-line agents that tests drive: how each is set up in a home of its own, asked, and told to run a tool.

They are installed by `make test-clients`. Every one is given a made-up key, and told to send no telemetry.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.integration.agent_process import ROOT

BIN = ROOT / "build" / ".work" / "clients" / "node_modules" / ".bin"
KEY = "user-key"

QUIET_CODEX = """\
check_for_update_on_startup = false
[analytics]
enabled = false
[otel]
metrics_exporter = "none"
[features]
plugins = false
apps = false
"""


@dataclass(frozen=True, kw_only=True)
class CodingAgent:
    """One agent. `files` stand in its home, `ask` makes the arguments from a prompt, `tool` is the prompt on which the
    echo has it run `expr 40 + 2`. `app` is its id in the catalog."""

    command: str
    app: str
    ask: Callable[[str], tuple[str, ...]]
    tool: str
    files: Mapping[str, str] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    over_sockets: bool = False

    @property
    def missing(self) -> bool:
        """Whether it is not installed."""
        return not (BIN / self.command).exists()

    def prepare(self, home: Path) -> dict[str, str]:
        """Write its settings; the variables that it is started with."""
        for name, text in self.files.items():
            path = home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return {name: value.replace("~", str(home)) for name, value in self.environ.items()}

    def asked(self, prompt: str) -> tuple[str, ...]:
        """The command line."""
        return (str(BIN / self.command), *self.ask(prompt))


def _google(key_kind: str) -> str:
    """The settings that Gemini CLI and its descendants read."""
    return json.dumps(
        {
            "security": {"auth": {"selectedType": key_kind}},
            "privacy": {"usageStatisticsEnabled": False},
            "telemetry": {"enabled": False},
            "general": {"disableAutoUpdate": True, "enableAutoUpdate": False, "disableUpdateNag": True},
        }
    )


SHELL = '{"command": "expr 40 + 2"}'
AGENTS = (
    CodingAgent(
        command="claude",
        app="claude-code",
        ask=lambda prompt: ("-p", prompt, "--allowedTools", "Bash"),
        tool='call Bash: {"command": "expr 40 + 2", "description": "Try"}',
        environ={
            "ANTHROPIC_API_KEY": KEY,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_TELEMETRY": "1",
        },
    ),
    CodingAgent(
        command="codex",
        app="codex",
        # its sandbox is not what is tried here, and not every machine lets it be made
        ask=lambda prompt: ("exec", "--skip-git-repo-check", "--sandbox", "danger-full-access", prompt),
        tool='call exec: text((await tools.exec_command({cmd: "expr 40 + 2"})).output)',
        files={".codex/config.toml": QUIET_CODEX},
        environ={"CODEX_API_KEY": KEY, "CODEX_HOME": "~/.codex"},
        over_sockets=True,
    ),
    CodingAgent(
        command="gemini",
        app="gemini-cli",
        ask=lambda prompt: ("-m", "gemini-2.5-flash", "--approval-mode", "yolo", "-p", prompt),
        tool=f"call run_shell_command: {SHELL}",
        files={".gemini/settings.json": _google("gemini-api-key")},
        environ={"GEMINI_API_KEY": KEY, "GEMINI_CLI_TRUST_WORKSPACE": "true"},
    ),
    CodingAgent(
        command="qwen",
        app="qwen-code",
        ask=lambda prompt: ("--yolo", "-p", prompt),
        tool=f"call run_shell_command: {SHELL}",
        files={".qwen/settings.json": _google("openai")},
        environ={
            "OPENAI_API_KEY": KEY,
            "OPENAI_BASE_URL": "https://api.openai.com/v1",
            "OPENAI_MODEL": "gpt-5",
        },
    ),
    CodingAgent(
        command="opencode",
        app="opencode",
        ask=lambda prompt: ("run", *prompt.split(" ")),  # an argument with blanks would be put in quotes
        tool='call bash: {"command": "expr 40 + 2", "description": "Try"}',
        files={
            ".config/opencode/opencode.json": json.dumps(
                {
                    "autoupdate": False,
                    "share": "disabled",
                    "permission": {"bash": "allow"},
                    "model": "anthropic/claude-sonnet-4-5",
                    "small_model": "anthropic/claude-sonnet-4-5",
                }
            )
        },
        environ={
            "ANTHROPIC_API_KEY": KEY,
            "OPENCODE_DISABLE_AUTOUPDATE": "1",
            "OPENCODE_DISABLE_MODELS_FETCH": "1",
            "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
        },
    ),
)
