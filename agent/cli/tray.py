"""`drawbridge tray`, for those who ask for help: it runs by a way of its own, see `agent.__main__`."""

from __future__ import annotations

import typer

from agent.tray.command import main


def tray(context: typer.Context) -> None:
    """Show an icon on this desktop: what the agent does, what it decided, a pause as the policy allows.

    `drawbridge tray --help` lists its options.
    """
    raise typer.Exit(main(context.args))
