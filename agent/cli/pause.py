"""`drawbridge pause` and `drawbridge resume`: AI traffic passes unseen for a while, as the policy allows."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from agent.cli.console import explains_errors, out, say_json, settings_from
from agent.control.client import Control

StateDir = Annotated[Path | None, typer.Option(help="State directory of the agent.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@explains_errors
def pause(
    minutes: Annotated[int, typer.Argument(min=1, max=24 * 60, help="For how long; it ends by itself.")],
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the audit trail.")] = "",
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Let new connections to AI services pass unseen for a while, where the policy allows that.

    The gateway goes on guarding, and so do open connections, and hosts to which policy lets nothing pass unseen.
    """
    found = _control(state_dir).ask("pause", {"minutes": minutes, "reason": reason})
    if as_json:
        say_json(found)
        return
    ends = datetime.fromtimestamp(found["pause"]["ends_at"]).astimezone()
    out().print(
        f"[bold yellow]paused[/] until {ends:%H:%M:%S}, then it guards again. End it now: [bold]drawbridge resume[/]\n"
        "[dim]New connections pass unseen, each is recorded. Open connections, the gateway and hosts that policy never "
        "lets pass unseen are guarded as before.[/]"
    )


@explains_errors
def resume(*, as_json: AsJson = False, state_dir: StateDir = None) -> None:
    """End a pause. Connections that it let pass are cut, so that programs come again."""
    found = _control(state_dir).ask("resume")
    if as_json:
        say_json(found)
    elif found["ended"]:
        out().print(f"[green]ok[/] {escape(str(found['state']))} again")
    else:
        out().print("There was no pause.")


def _control(state_dir: Path | None) -> Control:
    return Control(settings_from({"state_dir": state_dir and str(state_dir.absolute())}))
