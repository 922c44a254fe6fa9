"""`drawbridge status`: is the agent up, what does it do, and under which policy. For people and for MDM scripts."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from agent.cli.console import (
    EXIT_DEGRADED,
    EXIT_FAILED,
    EXIT_OFF,
    EXIT_STALE,
    explains_errors,
    out,
    say_json,
    settings_from,
)
from agent.cli.health import warning_lines
from agent.cli.sign_in import standing_line
from agent.control.client import Control, NotRunningError
from agent.host.lock import is_locked
from agent.host.settings_state import read_state

_STYLES = {
    "guarding": "bold green",
    "serving": "bold green",
    "observing": "bold cyan",
    "paused": "bold yellow",
    "degraded": "bold yellow",
    "draining": "bold yellow",
}


@explains_errors
def status(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    exit_code: Annotated[
        bool,
        typer.Option(
            "--exit-code",
            help="Say it by the exit status: 0 well, 10 degraded, 20 paused, 40 the policy on disk is not in force, "
            "1 not running.",
        ),
    ] = False,
    state_dir: Annotated[Path | None, typer.Option(help="State directory of the agent.")] = None,
) -> None:
    """Tell whether the agent is up, and what it does. Exit status 0 only if it is up and answers."""
    control = Control(settings_from({"state_dir": state_dir and str(state_dir.absolute())}), nodes=True)
    led: dict[str, object] = {}
    if (settings := read_state(control.paths.settings_state)) is not None:
        led = {"settings": settings.led.value, "settings_problems": list(settings.reasons)}
    try:
        facts = {**control.ask("status"), **led}
    except NotRunningError as error:
        supervised = is_locked(control.paths.supervisor_lock)
        if as_json:
            say_json(
                {"running": False, "state_dir": str(control.paths.root), "supervised": supervised, **led}
            )
        elif supervised:
            out().print(
                f"The engine on {escape(str(control.paths.root))} does not run: its supervisor stands in for it, and "
                "starts it again. See its log."
            )
        else:
            out().print(f"{escape(str(error))}. {escape(error.hint())}")
        raise typer.Exit(EXIT_FAILED) from None
    if as_json:
        say_json(facts)
    else:
        _show(facts)
    if exit_code and (code := code_of(facts)):
        raise typer.Exit(code)


def code_of(facts: Mapping[str, Any]) -> int:
    """The exit status that says how an agent is that answers."""
    if facts.get("pause") is not None:
        return EXIT_OFF
    codes = {each["code"] for each in facts.get("health", ())}  # a central node has none
    if "policy_refused" in codes:
        return EXIT_STALE
    return EXIT_DEGRADED if facts["state"] == "degraded" else 0


def _shown(name: str, value: Any) -> str:
    """A fact in words; empty where it is not worth a line."""
    if name == "sign_in":
        return standing_line(value)
    if name == "pause":
        if value is None:
            return ""
        return (
            f"{(value['ends_at'] - time.time()) / 60:.0f} more minutes, by {value['user']}: {value['reason']}"
        )
    if value is None:
        return ""
    if isinstance(value, list):
        return "; ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{key} {each}" for key, each in value.items())
    return str(value)


def _show(facts: Mapping[str, Any]) -> None:
    console = out()
    table = Table.grid(padding=(0, 2))
    word = str(facts["state"])
    table.add_row("[dim]state[/]", f"[{_STYLES.get(word, 'bold')}]{escape(word)}[/]")
    for name, value in facts.items():
        if name in ("running", "state", "health"):
            continue
        if name == "started_at":
            name, value = "up for", f"{time.time() - value:.0f} s"
        if shown := _shown(name, value):
            table.add_row(f"[dim]{name.replace('_', ' ')}[/]", escape(shown))
    console.print(table)
    for line in warning_lines(facts.get("health", ())):
        console.print(line)
