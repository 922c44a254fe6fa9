"""`drawbridge ca install`, `uninstall` and `status`: our roots in the trust stores of this machine."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from agent.cli.console import EXIT_FAILED, err, explains_errors, out, say_json, settings_from, state_paths
from agent.errors import HostError
from agent.host.arrangement import setup_lock
from agent.host.company import load_company
from agent.host.device_root import Stage, load_root, rotation
from agent.host.journal import Change, Journal, Outcome, Report, Undone, Wanted
from agent.host.key_seal import KeyFiles, key_seal
from agent.host.lasting import roots_for
from agent.host.ownership import as_owner_of
from agent.host.pairs import utc_now
from agent.host.paths import StatePaths
from agent.host.trust.files import PublicFiles
from agent.host.trust.probe import Sample, sample_of_company, sample_of_device
from agent.host.trust.store import Access, Root, TrustStore
from agent.host.trust.stores import (
    Machine,
    failed,
    manages,
    mend,
    trust_drivers,
    trust_stores,
    trust_wanted,
    withdraw,
)
from agent.host.trust.survey import Row, State, survey_files, survey_programs, survey_stores
from agent.host.trusted_roots import trusted_roots

_SAMPLE_HOST = "api.openai.com"  # a name for the leaf that programs are shown

StateDir = Annotated[Path | None, typer.Option(help="State directory of the agent.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
Java = Annotated[bool, typer.Option("--java", help="The trust stores of Java runtimes, too.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@explains_errors
def install_roots(
    *,
    dry_run: DryRun = False,
    java: Java = False,
    if_managed: Annotated[
        bool, typer.Option("--if-managed", help="Do nothing unless the setting manage_trust is os.")
    ] = False,
    state_dir: StateDir = None,
) -> None:
    """Have this machine trust the root: as root in the system's stores, as a user in that user's browsers."""
    if if_managed and settings_from().manage_trust != "os":
        out().print("manage_trust is none: somebody else sees to the trust stores of this machine")
        return
    machine, paths = Machine.this(), paths_of(state_dir)
    roots = roots_for(machine, paths)
    stores = trust_stores(machine, java=java)
    for root in roots:
        out().print(f"[bold]{escape(root.subject)}[/]\n[dim]SHA-256 {root.sha256}[/]")
    if dry_run:
        _say_plan(trust_wanted(machine, roots, stores))
        _say_left_out(machine, stores, roots)
        return
    with trust_journal(machine) as journal:
        lost = bring_about(machine, journal, roots, stores)
    _say_left_out(machine, stores, roots)
    if lost:
        raise typer.Exit(EXIT_FAILED)


@explains_errors
def uninstall_roots(*, dry_run: DryRun = False) -> None:
    """Take the root out of every store into which `ca install` has put it; others stay."""
    machine = Machine.this()
    changes = trusted_before(machine)
    if not changes:
        out().print("nothing was installed by this account")
        return
    if dry_run:
        for change in reversed(changes):
            out().print(f"would undo {change.kind} in {escape(change.scope)}")
        return
    with trust_journal(machine) as journal:
        lost = _say_undone(journal.restore(journal.kinds))
    if lost:
        raise typer.Exit(EXIT_FAILED)


@explains_errors
def status(*, java: Java = False, as_json: AsJson = False, state_dir: StateDir = None) -> None:
    """Show who trusts the root: every store, and programs, really asked. Exit status 1: one that should does not."""
    machine, paths = Machine.this(), paths_of(state_dir)
    roots = roots_for(machine, paths)
    rows = [
        *survey_stores(trust_stores(machine, java=java), roots),
        survey_files(PublicFiles(machine.public, machine.store), roots),
        *survey_programs(sample_of(paths), environ=os.environ),
    ]
    turning = rotation(paths, utc_now()) if os.access(paths.ca, os.R_OK) else None
    if as_json:
        say_json(
            {
                "roots": [{"subject": root.subject, "sha256": root.sha256} for root in roots],
                "rotation": turning.stage if turning else None,
                "rows": [asdict(row) for row in rows],
                "complete": not any(row.lacks for row in rows),
            }
        )
    else:
        for root in roots:
            out().print(f"[bold]{escape(root.subject)}[/]\n[dim]SHA-256 {root.sha256}[/]")
        if turning is not None and turning.stage is not Stage.NONE:
            until = f", the other is forgotten on {turning.until:%Y-%m-%d}" if turning.until else ""
            out().print(f"rotation: {turning.stage}{until}")
        out().print(_table(rows))
    if any(row.lacks for row in rows):
        raise typer.Exit(EXIT_FAILED)


def paths_of(state_dir: Path | None) -> StatePaths:
    """The agent's files."""
    return state_paths({"state_dir": state_dir and str(state_dir.absolute())})


def roots_before(paths: StatePaths) -> tuple[Root, ...]:
    """The roots that are to be trusted as long as nothing is changed, none on a device without an authority."""
    return tuple(map(Root.of, trusted_roots(paths, utc_now())))


@contextmanager
def trust_journal(machine: Machine) -> Iterator[Journal]:
    """The journal of everything that is changed in the OS, with the drivers of trust alone, locked."""
    places = machine.setup
    places.prepare()
    with setup_lock(places):
        yield Journal(places.journal, trust_drivers(machine))


def trusted_before(machine: Machine) -> tuple[Change, ...]:
    """What was changed in trust stores by this account."""
    journal = Journal(machine.setup.journal, trust_drivers(machine))
    return tuple(each for each in journal.changes if each.kind in journal.kinds)


def bring_about(
    machine: Machine, journal: Journal, roots: tuple[Root, ...], stores: Sequence[TrustStore]
) -> bool:
    """Install `roots`, take out those of ours that are none any more, and say so; whether something failed."""
    lost = _say_done([journal.bring_about(each) for each in trust_wanted(machine, roots, stores)])
    if not lost and machine.privileged and mend(stores, roots):
        out().print("[green]rebuilt[/] the system's files, which lacked the root")
    lost |= _say_undone(withdraw(journal, roots))
    if machine.privileged:
        PublicFiles(machine.public, machine.store).refresh()
    return lost


def follow(paths: StatePaths, before: tuple[Root, ...]) -> bool:
    """After the roots have changed: bring the stores in step into which we had put one of those `before`; whether there
    are any."""
    machine = Machine.this()
    if not trusted_before(machine):
        return False
    with trust_journal(machine) as journal:
        if not manages(journal, before):
            return False
        kinds = {change.kind for change in journal.changes}
        stores = [each for each in trust_stores(machine, java=True) if each.kind in kinds]
        bring_about(machine, journal, roots_for(machine, paths), stores)
    return True


def sample_of(paths: StatePaths) -> Sample | None:
    """A leaf to show to programs, where this account can sign one."""
    with suppress(HostError, PermissionError), as_owner_of(paths.root):
        files, now = KeyFiles(key_seal(), migrates=False), utc_now()
        if (company := load_company(paths, files)) is not None:
            return sample_of_company(company, company.sample, now=now)
        if (root := load_root(paths, files)) is not None:
            return sample_of_device(root, _SAMPLE_HOST, now=now)
    return None


def _say_plan(wanted: tuple[Wanted, ...]) -> None:
    for each in wanted:
        out().print(f"would change {each.kind}: {escape(each.scope)}")
    if not wanted:
        out().print("nothing to do")


def _say_left_out(machine: Machine, stores: Iterable[TrustStore], roots: Iterable[Root]) -> None:
    for store in stores:
        for site in store.sites():
            if site.access in (Access.UNKNOWN, Access.FORBIDDEN) and not _trusts(store, site.place, roots):
                out().print(f"[yellow]left out[/] {escape(site.title)}: {escape(site.remedy)}")
    if machine.privileged and machine.platform not in ("darwin", "win32"):
        out().print("[dim]Browsers' own stores belong to users: each runs drawbridge ca install.[/]")


def _trusts(store: TrustStore, place: str, roots: Iterable[Root]) -> bool:
    try:
        return all(store.trusts(place, root) for root in roots)
    except HostError:
        return False


def _say_done(outcomes: Iterable[Outcome]) -> bool:
    lost = False
    for each in outcomes:
        where = f"{each.wanted.kind}: {escape(each.wanted.scope)}"
        if each.error:
            lost = True
            err().print(f"[bold red]failed[/] {where}: {escape(each.error)}")
            if each.hint:
                err().print(f"[dim]hint:[/]  {escape(each.hint)}")
        else:
            out().print(f"[green]{'installed' if each.done else 'as it was'}[/] {where}")
    return lost


def _say_undone(reports: tuple[Report, ...]) -> bool:
    for each in reports:
        where = f"{each.change.kind}: {escape(each.change.scope)}"
        match each.undone:
            case Undone.RESTORED:
                out().print(f"[green]removed[/] {where}")
            case Undone.LEFT:
                out().print(f"[yellow]left[/] {where}: {escape(each.reason)}")
            case Undone.FAILED:
                err().print(f"[bold red]failed[/] {where}: {escape(each.reason)}")
    return bool(failed(reports))


_COLOURS = {State.TRUSTED: "green", State.NOT_THERE: "dim", State.MISSING: "red"}


def _table(rows: Iterable[Row]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("store or program", "state", "what to do"):
        table.add_column(name, overflow="fold")
    for row in rows:
        colour = _COLOURS.get(row.state, "yellow")
        say = "; ".join(filter(None, (row.reason, "" if row.state is State.TRUSTED else row.remedy)))
        table.add_row(escape(row.name), f"[{colour}]{row.state}[/]", escape(say))
    return table
