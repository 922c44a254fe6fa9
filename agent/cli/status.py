"""`drawbridge status`: is the agent up, and under which policy."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from agent.cli.console import EXIT_FAILED, explains_errors, out, say_json, state_paths
from agent.cli.local_agent import ask_agent
from agent.gateway.local import STATUS_PATH
from agent.host.runfile import read_runfile
from agent.host.settings_state import read_state


@explains_errors
def status(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    state_dir: Annotated[Path | None, typer.Option(help="State directory of the agent.")] = None,
) -> None:
    """Tell whether the agent is up, and what it does. Exit status 0 only if it is up and answers."""
    paths = state_paths({"state_dir": state_dir and str(state_dir.absolute())})
    settings = read_state(paths.settings_state)
    led: dict[str, object] = {}
    if settings is not None:
        led = {"settings": settings.led.value, "settings_problems": list(settings.reasons)}
    running = read_runfile(paths)
    if running is None:
        if as_json:
            say_json({"running": False, "state_dir": str(paths.root), **led})
        else:
            out().print(
                f"Drawbridge is not running on {escape(str(paths.root))}. Start it: [bold]drawbridge up[/]"
            )
        raise typer.Exit(EXIT_FAILED)
    facts: dict[str, object] = {"running": True, **ask_agent(paths, running, STATUS_PATH), **led}
    if as_json:
        say_json(facts)
        return
    table = Table.grid(padding=(0, 2))
    for name, value in facts.items():
        if name == "started_at":
            name, value = "up for", f"{time.time() - running.started_at:.0f} s"
        if isinstance(value, list):
            value = "; ".join(map(str, value))
        if isinstance(value, dict):
            value = ", ".join(f"{key} {each}" for key, each in value.items())
        table.add_row(f"[dim]{name.replace('_', ' ')}[/]", escape(str(value)))
    out().print(table)
