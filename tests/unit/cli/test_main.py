"""The commands are there, and say what they do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import re2
import typer

from agent import __version__
from agent.cli.main import app
from tests.fakes.command_line import Drawbridge

COMMANDS = {
    "setup",
    "restore",
    "supervise",
    "explain",
    "cache stats",
    "cache clear",
    "policy test",
    "demo",
    "up",
    "gateway",
    "exec",
    "sign-in",
    "sign-out",
    "status",
    "health",
    "events",
    "pause",
    "resume",
    "dashboard",
    "tray",
    "top",
    "fingerprint",
    "scan",
    "audit list",
    "audit show",
    "audit verify",
    "apps explain",
    "catalog list",
    "catalog match",
    "catalog show",
    "policy check",
    "policy explain",
    "policy schema",
    "providers list",
    "providers check",
    "ca path",
    "ca show",
    "ca install",
    "ca uninstall",
    "ca status",
    "ca rotate",
    "ca csr",
    "ca import",
    "config explain",
    "config schema",
    "config template",
    "eval",
    "keys create",
    "keys list",
    "keys show",
    "keys quota",
    "inventory",
    "self-test",
    "doctor",
    "diag",
}
"""A contract with scripts: names are added, never changed."""


def commands(group: typer.Typer) -> Iterator[tuple[str, object]]:
    """Every command with its words and the function behind it."""
    for command in group.registered_commands:
        assert command.callback is not None
        yield command.name or command.callback.__name__, command.callback
    for sub in group.registered_groups:
        assert sub.typer_instance is not None
        yield from ((f"{sub.name} {name}", callback) for name, callback in commands(sub.typer_instance))


def test_the_commands_are_those_that_scripts_know() -> None:
    assert {name for name, _ in commands(app)} == COMMANDS


def test_every_command_says_what_it_does() -> None:
    assert [name for name, callback in commands(app) if not callback.__doc__] == []


def test_the_readme_lists_the_commands() -> None:
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    listed: set[str] = set()
    for words in re2.findall(r"(?m)^\| `drawbridge ([^`]+)` \|", readme):
        first, *others = words.split(" · ")
        group, *rest = first.split()
        named = [rest[0], *others] if rest and rest[0].islower() and rest[0].isalpha() else []
        listed.update(f"{group} {name}" for name in named) if named else listed.add(group)
    assert listed == COMMANDS


def test_the_version_is_told(drawbridge: Drawbridge) -> None:
    assert drawbridge("--version").stdout == f"drawbridge {__version__}\n"


def test_without_a_command_every_command_is_listed(drawbridge: Drawbridge) -> None:
    shown = drawbridge().output
    assert [name for name in COMMANDS if f" {name.split()[0]} " not in shown] == []


def test_options_are_explained(drawbridge: Drawbridge) -> None:
    result = drawbridge("audit", "list", "--help")
    assert result.exit_code == 0
    assert "--since" in result.stdout
    assert "Not before" in result.stdout


def test_a_command_that_is_none_is_a_usage_error(drawbridge: Drawbridge) -> None:
    assert drawbridge("fly").exit_code == 2
