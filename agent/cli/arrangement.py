"""`drawbridge setup` and `drawbridge restore`: the operating system's settings, changed and taken back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Column, Table

from agent.cli.console import EXIT_FAILED, err, explains_errors, out, say_json, settings_from
from agent.errors import DrawbridgeError
from agent.host.arrangement import Row, State, aims, arrangement
from agent.host.journal import Report, Undone
from agent.host.lasting import lasting_drivers, lasting_wanted, refresh_public
from agent.host.lock import is_locked
from agent.host.paths import SetupPaths, StatePaths, setup_paths, state_directory
from agent.host.runfile import read_runfile
from agent.host.settings import Settings
from agent.host.settings_request import Request, take

User = Annotated[
    bool,
    typer.Option("--user", help="This user's settings, not the machine's: the default for all but root."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Tell what would be done, and do nothing.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
StateDir = Annotated[Path | None, typer.Option(help="State directory of the agent.")]


@explains_errors
def setup(
    *,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    user: User = False,
    manage_proxy: Annotated[str | None, typer.Option(help="none or pac, whatever the settings say.")] = None,
    manage_environment: Annotated[
        str | None, typer.Option(help="none or all, whatever the settings say.")
    ] = None,
    state_dir: StateDir = None,
    requested: Annotated[
        Path | None, typer.Option(hidden=True, help="Do what the service asks for in this file.")
    ] = None,
) -> None:
    """Lead AI traffic here: change what the settings manage_proxy, manage_environment and manage_trust ask for.

    Every change is noted first, and `drawbridge restore` undoes it. Done again it changes nothing. The agent must run:
    no setting may lead to where nobody answers.
    """
    places = setup_paths(user=user)
    uncaptured = False
    if requested is not None:
        request = take(requested)
        uncaptured = request is Request.SETUP_UNCAPTURED
        if request is None:
            return
        if request is Request.RESTORE:
            _restore(places, everything=False, as_json=as_json)
            return
    settings = settings_from(
        {
            "state_dir": state_dir and str(state_dir.absolute()),
            "manage_proxy": manage_proxy,
            "manage_environment": manage_environment,
            "capture": "none" if uncaptured else None,
        }
    )
    paths = StatePaths.under(settings.state_dir)
    if not dry_run:
        places.prepare()
    wanted = aims(settings, paths, places, ports=_ports(settings, paths))
    lasting = lasting_wanted(settings, paths, places)
    found = arrangement(places, lasting=lasting_drivers(places))
    rows = found.look(wanted, lasting) if dry_run else found.apply(wanted, lasting)
    if not dry_run:
        refresh_public(places)
    _show_rows(rows, settings, as_json=as_json)
    if any(row.state is State.FAILED for row in rows):
        raise typer.Exit(EXIT_FAILED)


@explains_errors
def restore(
    *,
    if_not_running: Annotated[
        bool, typer.Option("--if-not-running", help="Do nothing where an agent or its supervisor runs.")
    ] = False,
    only_proxy: Annotated[
        bool,
        typer.Option(
            "--only-proxy", help="Only what leads traffic to the agent; trust in its certificate stays."
        ),
    ] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    user: User = False,
    state_dir: StateDir = None,
) -> None:
    """Undo every change made in the operating system, the newest first.

    What somebody else has changed since is left as it is. Needs no network, no policy and no running agent, and works
    with a broken configuration. Exit status 1 if something could not be undone: it is tried again the next time.
    """
    if if_not_running and _runs(state_dir):
        if as_json:
            say_json([])
        else:
            out().print("An agent runs: nothing was changed.")
        return
    places = setup_paths(user=user)
    if not dry_run:
        _restore(places, everything=not only_proxy, as_json=as_json)
        return
    found = arrangement(places, lasting=lasting_drivers(places))
    changes = [each for each in found.changes() if not only_proxy or each in found.following]
    _show([(each.kind, each.scope, "would be restored", "") for each in changes], as_json=as_json)


def _restore(places: SetupPaths, *, everything: bool, as_json: bool) -> None:
    reports = arrangement(places, lasting=lasting_drivers(places)).restore(everything=everything)
    _show_reports(reports, as_json=as_json)
    if any(report.undone is Undone.FAILED for report in reports):
        raise typer.Exit(EXIT_FAILED)


def _runs(state_dir: Path | None) -> bool:
    directory = state_dir.absolute() if state_dir is not None else None
    if directory is None:
        try:
            directory = settings_from().state_dir
        except DrawbridgeError as error:
            directory = state_directory()
            err().print(
                f"[bold yellow]warning:[/] {escape(str(error))}: {escape(str(directory))} is looked at"
            )
    paths = StatePaths.under(directory)
    return is_locked(paths.supervisor_lock) or is_locked(paths.lock)


def _ports(settings: Settings, paths: StatePaths) -> tuple[int, int]:
    """Those of the agent that runs; else those of the settings."""
    try:
        running = read_runfile(paths)
    except DrawbridgeError:  # it is another user's: the machine's service
        running = None
    if running is not None:
        return running.proxy_port, running.gateway_port
    return settings.proxy_port, settings.gateway_port


def _show_rows(rows: Sequence[Row], settings: Settings, *, as_json: bool) -> None:
    asked = {name: getattr(settings, name) for name in ("manage_proxy", "manage_environment", "manage_trust")}
    words = " and ".join(f"{name} {value}" for name, value in asked.items() if value != "none")
    if words:
        nothing = (
            f"Nothing was found here that could be changed for {words}: no desktop that keeps proxy settings. "
            "Start programs by: drawbridge exec -- PROGRAM"
        )
    else:
        nothing = "Nothing is asked for: manage_proxy, manage_environment and manage_trust are none."
    _show(
        [(row.kind, row.scope, row.state.value, row.reason) for row in rows], as_json=as_json, nothing=nothing
    )


def _show_reports(reports: Sequence[Report], *, as_json: bool) -> None:
    _show(
        [(each.change.kind, each.change.scope, each.undone.value, each.reason) for each in reports],
        as_json=as_json,
    )


def _show(
    rows: Sequence[tuple[str, str, str, str]], *, as_json: bool, nothing: str = "There is nothing to restore."
) -> None:
    if as_json:
        say_json([dict(zip(("kind", "scope", "state", "reason"), row, strict=True)) for row in rows])
    elif not rows:
        out().print(nothing)
    else:
        table = Table("setting", Column("where", overflow="fold"), "state", "", box=None, pad_edge=False)
        for row in rows:
            table.add_row(*map(escape, row))
        out().print(table)
