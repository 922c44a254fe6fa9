"""`drawbridge events`: what was recorded, asked of the running agent; for accounts that cannot read the trail, their
own. `drawbridge audit list` reads the trail itself."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from agent.audit import EventRow
from agent.cli.console import explains_errors, out, say_json, settings_from
from agent.cli.events import listing
from agent.control.client import Control

_PAUSE = 1.0  # seconds between two looks
_PAGE = 500


@explains_errors
def events(
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as events come.")] = False,
    kind: Annotated[
        str | None, typer.Option(help="exchange, or the kind of an incident, such as paused.")
    ] = None,
    decision: Annotated[str | None, typer.Option(help="A decision, such as redact.")] = None,
    host: Annotated[str | None, typer.Option(help="Only of this host.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=_PAGE, help="How many at most, the newest.")] = 20,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document; with --follow one a line.")
    ] = False,
    state_dir: Annotated[Path | None, typer.Option(help="State directory of the agent.")] = None,
) -> None:
    """Show events of the running agent, oldest first. Accounts that are no administrators see their own."""
    control = Control(settings_from({"state_dir": state_dir and str(state_dir.absolute())}))
    wish = {"kind": kind, "decision": decision, "host": host}
    found = control.ask("events", {**wish, "limit": limit})["events"][::-1]
    _show(found, as_json=as_json, lines=follow)
    last = max((row["seq"] for row in found), default=None)
    if last is None and follow:
        newest = control.ask("events", {"limit": 1})["events"]
        last = newest[0]["seq"] if newest else 0
    try:
        while follow:
            time.sleep(_PAUSE)
            found = control.ask("events", {**wish, "after": last, "limit": _PAGE})["events"]
            if found:
                _show(found, as_json=as_json, lines=True)
                last = found[-1]["seq"]
    except KeyboardInterrupt:
        return


def _show(rows: Iterable[dict[str, Any]], *, as_json: bool, lines: bool) -> None:
    rows = list(rows)
    if as_json and not lines:
        say_json(rows)
    elif as_json:
        for row in rows:
            out().print_json(data=row, indent=None)
    elif rows:
        table = listing(EventRow(**row) for row in rows)
        table.show_header = not lines
        out().print(table)
    elif not lines:
        out().print("No event fits.")
