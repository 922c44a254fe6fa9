"""Puts the commands together."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from agent import __version__
from agent.cli import (
    apps,
    arrangement,
    audit,
    authority,
    cache,
    catalog,
    configuration,
    dashboard,
    demo,
    event_stream,
    explain,
    fingerprint,
    gateway,
    health,
    inventory,
    keys,
    launch,
    pause,
    policy,
    providers,
    scan,
    sign_in,
    status,
    top,
    up,
)
from agent.cli.console import out
from agent.cli.diag import diag
from agent.cli.doctor import doctor
from agent.cli.eval import evaluate
from agent.cli.self_test import self_test
from agent.cli.supervise import supervise
from agent.cli.tray import tray

_RUN = "Run it"
_HAPPENED = "What happened"
_GATEWAY = "The gateway"
_POLICY = "Policies and guardrails"
_MACHINE = "This machine"

app = typer.Typer(
    name="drawbridge",
    help="The gate between the AI tools on this machine and the models they talk to, and one API over all of them.",
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
        bool,
        typer.Option(
            "--version",
            callback=lambda value: _version(value=value),
            is_eager=True,
            help="Print the version.",
        ),
    ] = False,
) -> None:
    """The gate between the AI tools on this machine and the models they talk to, and one API over all of them."""
    del version


app.command("demo", rich_help_panel=_RUN)(demo.demo)
app.command("up", rich_help_panel=_RUN)(up.up)
app.command(
    "supervise",
    rich_help_panel=_RUN,
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)(supervise)
app.command("gateway", rich_help_panel=_RUN)(gateway.gateway)
app.command(
    "exec",
    rich_help_panel=_RUN,
    options_metavar="[OPTIONS] -- COMMAND [ARGS]...",
    context_settings={
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "allow_interspersed_args": False,
    },
)(launch.launch)
app.command("status", rich_help_panel=_RUN)(status.status)
app.command("health", rich_help_panel=_RUN)(health.health)
app.command("top", rich_help_panel=_RUN)(top.top)
app.command("dashboard", rich_help_panel=_RUN)(dashboard.dashboard)
app.command(
    "tray",
    rich_help_panel=_RUN,
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)(tray)
app.command("pause", rich_help_panel=_RUN)(pause.pause)
app.command("resume", rich_help_panel=_RUN)(pause.resume)
app.command("sign-in", rich_help_panel=_RUN)(sign_in.sign_in)
app.command("sign-out", rich_help_panel=_RUN)(sign_in.sign_out)
app.command("events", rich_help_panel=_HAPPENED)(event_stream.events)
app.add_typer(apps.app, name="apps", rich_help_panel=_HAPPENED)
app.add_typer(audit.app, name="audit", rich_help_panel=_HAPPENED)
app.command("explain", rich_help_panel=_HAPPENED)(explain.explain)
app.add_typer(providers.app, name="providers", rich_help_panel=_GATEWAY)
app.add_typer(keys.app, name="keys", rich_help_panel=_GATEWAY)
app.add_typer(cache.app, name="cache", rich_help_panel=_GATEWAY)
app.add_typer(policy.app, name="policy", rich_help_panel=_POLICY)
app.add_typer(catalog.app, name="catalog", rich_help_panel=_POLICY)
app.command("scan", rich_help_panel=_POLICY)(scan.scan)
app.command("eval", rich_help_panel=_POLICY)(evaluate)
app.command("fingerprint", rich_help_panel=_POLICY)(fingerprint.fingerprint)
app.command("doctor", rich_help_panel=_MACHINE)(doctor)
app.command("diag", rich_help_panel=_MACHINE)(diag)
app.command("inventory", rich_help_panel=_MACHINE)(inventory.inventory)
app.command("setup", rich_help_panel=_MACHINE)(arrangement.setup)
app.command("restore", rich_help_panel=_MACHINE)(arrangement.restore)
app.add_typer(authority.app, name="ca", rich_help_panel=_MACHINE)
app.add_typer(configuration.app, name="config", rich_help_panel=_MACHINE)
app.command("self-test", rich_help_panel=_MACHINE)(self_test)


def main() -> None:
    """The entry point of the command `drawbridge`."""
    for stream in (sys.stdout, sys.stderr):
        if (reconfigure := getattr(stream, "reconfigure", None)) is not None:
            reconfigure(encoding="utf-8", errors="replace")
    app(prog_name="drawbridge")
