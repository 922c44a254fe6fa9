"""Puts the commands together."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from agent import __version__
from agent.cli import (
    audit,
    authority,
    cache,
    configuration,
    demo,
    explain,
    fingerprint,
    gateway,
    keys,
    launch,
    policy,
    providers,
    scan,
    status,
    top,
    up,
)
from agent.cli.console import out
from agent.cli.eval import evaluate

app = typer.Typer(
    name="drawbridge",
    help="The gate between the AI tools on this machine and the models they talk to.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _version(*, value: bool) -> None:
    if value:
        out().print(f"drawbridge {__version__}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=lambda value: _version(value=value), is_eager=True)
    ] = False,
) -> None:
    """The gate between the AI tools on this machine and the models they talk to."""
    del version


app.command("demo")(demo.demo)
app.command("up")(up.up)
app.command("gateway")(gateway.gateway)
app.command(
    "exec",
    context_settings={
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "allow_interspersed_args": False,
    },
)(launch.launch)
app.command("status")(status.status)
app.command("top")(top.top)
app.command("scan")(scan.scan)
app.command("explain")(explain.explain)
app.command("eval")(evaluate)
app.command("fingerprint")(fingerprint.fingerprint)
app.add_typer(audit.app, name="audit")
app.add_typer(cache.app, name="cache")
app.add_typer(policy.app, name="policy")
app.add_typer(providers.app, name="providers")
app.add_typer(keys.app, name="keys")
app.add_typer(authority.app, name="ca")
app.add_typer(configuration.app, name="config")


def main() -> None:
    """The entry point of the command `drawbridge`."""
    for stream in (sys.stdout, sys.stderr):
        if (reconfigure := getattr(stream, "reconfigure", None)) is not None:
            reconfigure(encoding="utf-8", errors="replace")
    app()
