"""`drawbridge supervise`, for those who ask for help: it runs by a way of its own, see `agent.__main__`."""

from __future__ import annotations

import typer

from agent.supervisor.command import main


def supervise(context: typer.Context) -> None:
    """What a service manager starts: holds the ports, restarts the engine, and stands in for it.

    `drawbridge supervise --help` lists its options.
    """
    raise typer.Exit(main(context.args))
