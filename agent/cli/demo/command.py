"""The command itself: its options, its progress line, its exit status."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from agent import __version__
from agent.cli.console import EXIT_FAILED, err, explains_errors, out, say_json


@explains_errors
def demo(
    *,
    policy: Annotated[
        Path | None,
        typer.Option(
            help="Policy file instead of the demo's own. The gateway, whose providers it would have to name, is "
            "then left out."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """See it work in seconds, without any account: the vendors' SDKs, a real agent, providers on this machine.

    What is taken out of prompts and answers, what is blocked, and the gateway: one API, failover, a budget, the cache.

    Exit status 0 only if everything went as promised.
    """
    from agent.cli.demo import display, rehearsal  # the parts take half a second to import

    if not as_json:
        out().print(
            f"[bold]Drawbridge {__version__} demo[/]  real requests of two vendors' SDKs, "
            "on this machine only"
        )
    with _progress(quiet=as_json) as progress:
        report = rehearsal.perform(policy and policy.absolute(), progress)
    if as_json:
        say_json(display.document(report))
    else:
        display.show(report, out())
    if not report.ok:
        raise typer.Exit(EXIT_FAILED)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[str], None]]:
    """A line on a terminal that says what is being done; nothing elsewhere."""
    terminal = err()
    if quiet or not terminal.is_terminal:
        yield lambda _text: None
        return
    with terminal.status("starting") as status:
        yield status.update
