"""What every command shares: the terminal, the settings of this machine, and how errors are shown."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from functools import wraps

import typer
from rich.console import Console
from rich.markup import escape

from agent.errors import DrawbridgeError
from agent.host.managed import managed_source
from agent.host.ownership import become_owner_of
from agent.host.paths import StatePaths, config_file, state_directory
from agent.host.settings import Settings, load_settings

EXIT_FAILED = 1
EXIT_USAGE = 2
# what scripts of device management ask for, of `status --exit-code` and `doctor`
EXIT_DEGRADED, EXIT_OFF, EXIT_UNTRUSTED, EXIT_STALE = 10, 20, 30, 40
_PIPE_WIDTH = 200


def out() -> Console:
    """The terminal, for answers. Made anew so that tests and pipes see the stream of the moment.

    A pipe has no width: nothing is cut off for it, unless COLUMNS says so.
    """
    terminal = sys.stdout.isatty()
    width = None if terminal or "COLUMNS" in os.environ else _PIPE_WIDTH
    # no emoji: it would make a disc of the `:CD:` in a fingerprint
    return Console(width=width, soft_wrap=not terminal, highlight=False, emoji=False)


def err() -> Console:
    """The terminal, for what goes wrong."""
    return Console(stderr=True, soft_wrap=True, highlight=False, emoji=False)


def say_json(value: object) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def settings_from(command_line: Mapping[str, object] | None = None) -> Settings:
    """The settings of this machine. Raises ConfigError."""
    return load_settings(
        command_line=command_line or {},
        environ=os.environ,
        managed=managed_source(),
        config_file=config_file(),
        default_state_dir=state_directory(),
    )


def state_paths(command_line: Mapping[str, object] | None = None) -> StatePaths:
    """The files of the state directory in force. Raises ConfigError."""
    return StatePaths.under(settings_from(command_line).state_dir)


def as_its_owner(paths: StatePaths) -> StatePaths:
    """The files of an agent, which may belong to another account: root is that account from now on. They are for nobody
    else to open, and none of their links may lead root elsewhere."""
    become_owner_of(paths.root)
    return paths


def explains_errors[**P, T](command: Callable[P, T]) -> Callable[P, T]:
    """Show a DrawbridgeError as what, where and how to mend it, and exit with status 1."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except DrawbridgeError as error:
            err().print(f"[bold red]error:[/] {escape(str(error))}")
            if error.hint():
                err().print(f"[dim]hint:[/]  {escape(error.hint())}")
            raise typer.Exit(EXIT_FAILED) from error

    return wrapped
