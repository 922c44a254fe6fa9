"""`drawbridge inventory`: what AI there is on this machine. Looks by itself, beside a running agent and without one."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from agent.audit import EventRow, Trail
from agent.cli.console import explains_errors, out, say_json, settings_from
from agent.cli.policy_in_force import DEFAULT, policy_in_force
from agent.errors import AuditError, HostError
from agent.gateway.policy_file import PolicyFile
from agent.host.inventory import take_inventory
from agent.host.ownership import as_owner_of
from agent.host.paths import StatePaths
from agent.model.inventory import Found, FoundKind
from agent.model.record import IncidentKind

_DAYS = 30
_MAX_EVENTS = 1000
_TITLES = {
    FoundKind.APP: "Applications",
    FoundKind.COMMAND: "Commands",
    FoundKind.EDITOR_EXTENSION: "Extensions of editors",
    FoundKind.BROWSER_EXTENSION: "Extensions of browsers",
    FoundKind.MODEL_SERVER: "Servers of models",
    FoundKind.MCP_SERVER: "MCP servers",
}
_UNGOVERNED = {
    IncidentKind.UNKNOWN_HOST: "not in the catalog",
    IncidentKind.BYPASS: "the program refuses our certificate",
    IncidentKind.UNKNOWN_SURFACE: "a path that the catalog does not list",
}

type Host = dict[str, object]


@explains_errors
def inventory(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    policy_file: Annotated[Path | None, typer.Option("--policy", help=DEFAULT)] = None,
    state_dir: Annotated[Path | None, typer.Option(help="State directory of the agent.")] = None,
) -> None:
    """List the AI software, models and MCP servers of this machine, and AI hosts that nobody governs.

    Of the person who runs it; as root or administrator, of everybody. Names and versions are read, no content.
    """
    settings = settings_from({"state_dir": state_dir and str(state_dir.absolute())})
    rules = PolicyFile(policy_in_force(settings, policy_file)).rules
    taken = take_inventory(
        rules.apps,
        (row.software() for row in rules.policy.discovery.software),
        path=os.environ.get("PATH", os.defpath),
    )
    hosts, note = _ungoverned(StatePaths.under(settings.state_dir), since=time.time() - _DAYS * 86_400)
    if as_json:
        say_json(
            {
                "found": [_plain(each) for each in taken.found],
                "ungoverned_hosts": hosts,
                "unread": list(taken.unread),
                "notes": [note] if note else [],
            }
        )
        return
    for kind, title in _TITLES.items():
        if rows := [each for each in taken.found if each.kind is kind]:
            _show(title, rows)
    if hosts:
        _show_hosts(hosts)
    if not taken.found:
        out().print("No AI software was found.")
    if taken.unread:
        out().print(Text(f"Not readable: the homes of {', '.join(taken.unread)}", style="yellow"))
    if note:
        out().print(Text(note, style="yellow"))


def _show(title: str, rows: Sequence[Found]) -> None:
    shown = {
        "name": [each.name for each in rows],
        "version": [each.version for each in rows],
        "of": [each.host for each in rows],
        "transport": [each.transport for each in rows],
        "port": [str(each.port or "") for each in rows],
        "models": [", ".join(each.models) for each in rows],
        "user": [each.user for each in rows],
        "where": [each.place for each in rows],
    }
    columns = {name: cells for name, cells in shown.items() if any(cells)}
    table = Table(*columns, title=title, title_justify="left", box=None, pad_edge=False, header_style="dim")
    for cells in zip(*columns.values(), strict=True):
        table.add_row(*map(Text, cells))
    out().print(table)
    out().print()


def _show_hosts(hosts: Iterable[Host]) -> None:
    title = f"AI hosts that nobody governs, of the last {_DAYS} days"
    table = Table(
        *("host", "app", "why", "last seen"),
        title=title,
        title_justify="left",
        box=None,
        pad_edge=False,
        header_style="dim",
    )
    for each in hosts:
        table.add_row(*(Text(str(each[key])) for key in ("host", "app", "why", "last_seen")))
    out().print(table)
    out().print()


def _plain(found: Found) -> dict[str, object]:
    values = {**asdict(found), "kind": found.kind.value, "models": list(found.models)}
    return {name: value for name, value in values.items() if value or name in ("kind", "id", "name")}


def _ungoverned(paths: StatePaths, *, since: float) -> tuple[list[Host], str]:
    """Hosts where models may be asked unseen, as the audit trail tells, and what is to be said of that."""
    found: dict[tuple[str, str, str], Host] = {}
    if not paths.spool.exists():
        return [], ""
    try:
        for kind, why in _UNGOVERNED.items():
            with as_owner_of(paths.root):
                rows: Sequence[EventRow] = Trail(paths).events(
                    since=since, kind=kind.value, limit=_MAX_EVENTS
                )
            for row in rows:
                moment = datetime.fromtimestamp(row.time_ms / 1e3).astimezone()
                last = moment.isoformat(timespec="seconds")
                known = found.setdefault(
                    (kind.value, row.host or "", row.app or ""),
                    {"host": row.host or "", "app": row.app or "", "kind": kind.value, "why": why},
                )
                known.setdefault("last_seen", last)  # the newest stands first
    except (AuditError, HostError) as error:
        return [], f"The audit trail is not read: {error}"
    return list(found.values()), ""
