"""`drawbridge audit`: read the trail, and prove that it is whole. Works beside a running agent and without one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from agent.audit import EventRow, Trail, VerifyReport
from agent.cli.console import EXIT_FAILED, as_its_owner, explains_errors, out, say_json, state_paths
from agent.cli.events import details, listing
from agent.model.record import IncidentKind

app = typer.Typer(help="The audit trail of this machine.", no_args_is_help=True)

StateDir = Annotated[Path | None, typer.Option(help="State directory of the agent.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

_KINDS = ("exchange", *(kind.value for kind in IncidentKind), "audit.dropped", "audit.truncated")
_UNITS: Mapping[str, int] = {"s": 1, "m": 60, "h": 3600, "d": 24 * 3600, "w": 7 * 24 * 3600}


def _known_kind(kind: str | None) -> str | None:
    if kind is not None and kind not in _KINDS:
        raise typer.BadParameter(f"{kind!r} is no kind of event; known: {', '.join(_KINDS)}")
    return kind


@app.command("list")
@explains_errors
def list_events(
    *,
    since: Annotated[
        str | None,
        typer.Option(metavar="AGE|TIME", help="Not before: 30m, 1h, 7d, or a time such as 2026-01-31T08:00."),
    ] = None,
    decision: Annotated[
        Literal["allow", "alert", "pseudonymize", "mask", "redact", "ask", "block"] | None,
        typer.Option(help="Only this decision."),
    ] = None,
    host: Annotated[str | None, typer.Option(help="Only this host, by its exact name.")] = None,
    kind: Annotated[
        str | None,
        typer.Option(help="Only events of this kind: exchange, or a kind of incident.", callback=_known_kind),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 20,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """List the newest events, the newest first.

    The reference that a blocked person was shown is the first column.
    """
    now = time.time()
    begin = None if since is None else _moment(since, now)
    rows = _trail(state_dir).events(since=begin, decision=decision, host=host, kind=kind, limit=limit)
    if as_json:
        say_json([_plain(row) for row in rows])
    elif rows:
        out().print(listing(rows, now=now))
    else:
        out().print("No event fits." if any((since, decision, host, kind)) else "The trail is empty.")


@app.command()
@explains_errors
def show(
    reference: Annotated[
        str, typer.Argument(metavar="REF", help="An event's id, the start or the end of it.")
    ],
    *,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Show one event: who asked whom for what, what was found, and which rule decided."""
    event = _trail(state_dir).show(reference)
    if as_json:
        say_json(event.document)
        return
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in details(event):
        table.add_row(Text(name, style="dim"), Text(value))
    out().print(table)


@app.command()
@explains_errors
def verify(*, as_json: AsJson = False, state_dir: StateDir = None) -> None:
    """Check that no event was changed, removed, moved or cut off. Exit status 1 where one was."""
    report = _trail(state_dir).verify()
    if as_json:
        say_json(asdict(report))
    else:
        _tell(report)
    if not report.ok:
        raise typer.Exit(EXIT_FAILED)


def _tell(report: VerifyReport) -> None:
    dropped = f", and {report.dropped} more that retention dropped" if report.dropped else ""
    if report.problem is None:
        out().print(f"[green]ok[/] the chain of {report.events} events is unbroken{dropped}")
    else:
        problem = report.problem
        out().print(
            f"[bold red]{problem.kind.value}[/] at event [bold]{problem.seq}[/]: {escape(problem.text)}\n"
            f"The {report.events} events before it hold{dropped}."
        )
    for note in report.notes:
        out().print(f"[yellow]note[/] {escape(note)}")


def _trail(state_dir: Path | None) -> Trail:
    return Trail(as_its_owner(state_paths({"state_dir": state_dir and str(state_dir.absolute())})))


def _plain(row: EventRow) -> dict[str, object]:
    moment = datetime.fromtimestamp(row.time_ms / 1e3).astimezone()
    return {"time": moment.isoformat(timespec="milliseconds"), **asdict(row)}


def _moment(since: str, now: float) -> float:
    """The Unix time that `--since` means. Raises BadParameter."""
    number, unit = since[:-1], since[-1:]
    if unit in _UNITS and number.isascii() and number.isdigit() and len(number) < 10:
        return now - int(number) * _UNITS[unit]
    try:
        return datetime.fromisoformat(since).astimezone().timestamp()
    except (ValueError, OverflowError, OSError):
        raise typer.BadParameter(
            f"{since!r} is neither an age such as 30m, 1h, 7d nor a time", param_hint="--since"
        ) from None
