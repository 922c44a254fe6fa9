"""The command itself: runs the trials, shows them, decides the exit status."""

from __future__ import annotations

import platform
import sys
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from agent import __version__
from agent.cli.console import EXIT_FAILED, explains_errors, out, say_json
from agent.cli.self_test.trials import Outcome, try_all


@explains_errors
def self_test(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False
) -> None:
    """Find out whether this installation is whole: every module, the policy, certificates, files, one exchange.

    A supervisor and an engine of their own are started on free ports, between a provider on loopback and a client.
    Nothing on this machine is changed, and nothing leaves it. Exit status 0 only if everything worked.
    """
    outcomes = try_all()
    if as_json:
        say_json(report(outcomes))
    else:
        _show(outcomes)
    if not all(each.ok for each in outcomes):
        raise typer.Exit(EXIT_FAILED)


def report(outcomes: tuple[Outcome, ...]) -> dict[str, object]:
    """What came of every trial, as JSON has it."""
    return {
        "version": __version__,
        "frozen": hasattr(sys, "frozen"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "ok": all(each.ok for each in outcomes),
        "trials": [
            {"name": each.name, "ok": each.ok, "seconds": round(each.seconds, 3), "told": each.told}
            for each in outcomes
        ],
    }


def _show(outcomes: tuple[Outcome, ...]) -> None:
    kind = "frozen" if hasattr(sys, "frozen") else "not frozen"
    out().print(f"[bold]Drawbridge {__version__}[/]  {kind}, Python {platform.python_version()}")
    table = Table.grid(padding=(0, 2))
    for each in outcomes:
        mark = "[green]ok[/]" if each.ok else "[bold red]failed[/]"
        table.add_row(mark, each.name, f"[dim]{each.seconds:.2f} s[/]", escape(each.told))
    out().print(table)
