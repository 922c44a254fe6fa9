"""Runs the official SDKs, each call in a process of its own, as the programs of a real user would run.

A test gives the environment (proxy, trust) as `drawbridge exec` would set it, and gets back what the client saw.
Nothing else of the surrounding environment reaches the client. Retries stay at each SDK's default.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SCRIPTS = Path(__file__).parent / "scripts"

CLIENTS = ("openai_chat", "openai_responses", "anthropic_messages", "gemini_generate")
"""The scripts, by name."""

_BASE_PATHS = {"openai_chat": "/v1", "openai_responses": "/v1"}
_KEYS = {"OPENAI_API_KEY": "test-key", "ANTHROPIC_API_KEY": "test-key", "GEMINI_API_KEY": "test-key"}
_INHERITED = ("PATH", "HOME", "LANG", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "USERPROFILE")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientError:
    """The exception an SDK raised: its class name, the HTTP status if it has one, its message."""

    type: str
    status: int | None
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A tool call the client received, its arguments parsed."""

    name: str
    arguments: dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRun:
    """What a client saw. After an error in mid-stream `text` and `chunks` hold what came before it."""

    text: str
    tool_calls: tuple[ToolCall, ...]
    chunks: tuple[str, ...]
    error: ClientError | None


def run_client(
    client: str,
    prompt: str,
    *,
    env: Mapping[str, str],
    origin: str | None = None,
    stream: bool = False,
    tools: bool = False,
    tool_name: str = "",
    tool_result: str | None = None,
    strict: bool = False,
    timeout: float = 60.0,
) -> ClientRun:
    """One call of the SDK that `client` (one of CLIENTS) names, under `env`.

    `origin` (`https://host:port`) points the SDK somewhere else than at its provider. `tools` offers the tool
    `lookup`, or one of `tool_name`; `tool_result` continues a conversation in which it was called. Raises
    AssertionError where the script itself fails, subprocess.TimeoutExpired after `timeout` seconds.
    """
    command = [sys.executable, str(SCRIPTS / f"{client}.py"), prompt]
    command += ["--stream"] if stream else []
    command += ["--tools"] if tools else []
    command += ["--tool-name", tool_name] if tool_name else []
    command += ["--strict"] if strict else []
    command += ["--tool-result", tool_result] if tool_result is not None else []
    command += ["--base-url", origin + _BASE_PATHS.get(client, "")] if origin else []
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    finished = subprocess.run(
        command,
        env=inherited | _KEYS | dict(env),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert finished.returncode == 0, f"{client} failed:\n{finished.stderr}"
    seen = json.loads(finished.stdout.splitlines()[-1])
    return ClientRun(
        text=seen["text"],
        tool_calls=tuple(ToolCall(**call) for call in seen["tool_calls"]),
        chunks=tuple(seen["chunks"]),
        error=ClientError(**seen["error"]) if seen["error"] else None,
    )
