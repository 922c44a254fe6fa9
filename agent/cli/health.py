"""`drawbridge health`: what is wrong with the agent, since when, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from agent.cli.console import EXIT_FAILED, explains_errors, out, say_json, settings_from
from agent.control.client import Control

_STYLES = {"note": "cyan", "low": "yellow", "medium": "bold yellow", "high": "bold red"}


@explains_errors
def health(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    state_dir: Annotated[Path | None, typer.Option(help="State directory of the agent.")] = None,
) -> None:
    """Show what is wrong with the agent, since when, and what to do. Exit status 1 where something is."""
    found = Control(settings_from({"state_dir": state_dir and str(state_dir.absolute())})).ask("health")
    if as_json:
        say_json(found)
    elif not found["health"]:
        out().print("[green]ok[/] nothing is wrong")
    else:
        for line in warning_lines(found["health"]):
            out().print(line)
    if found["state"] == "degraded":
        raise typer.Exit(EXIT_FAILED)


def warning_lines(warnings: Iterable[Mapping[str, Any]]) -> Iterator[Text]:
    """A paragraph for each warning."""
    for each in warnings:
        since = datetime.fromtimestamp(each["since"]).astimezone()
        yield Text.assemble(
            (f"{each['severity']:6} ", _STYLES.get(each["severity"], "")),
            (each["title"], "bold"),
            f": {each['text']}" if each["text"] else "",
            (f"  since {since:%Y-%m-%d %H:%M}", "dim"),
            f"\n       {each['remedy']}",
        )
