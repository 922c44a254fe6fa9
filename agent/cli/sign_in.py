"""`drawbridge sign-in` and `drawbridge sign-out`: who a person is to the company, by its identity provider."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from agent.cli.console import EXIT_FAILED, err, explains_errors, out, say_json, settings_from
from agent.control.client import Control
from agent.errors import ConfigError
from agent.signin.device_code import Invitation
from agent.signin.here import person_of
from agent.signin.person import Person

StateDir = Annotated[Path | None, typer.Option(help="State directory of the agent.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@explains_errors
def sign_in(
    *,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address instead of opening it in a browser.")
    ] = False,
    code: Annotated[
        bool,
        typer.Option(
            "--code", help="Sign in with a code on another device, where the machine's settings allow it."
        ),
    ] = False,
    renew: Annotated[
        bool,
        typer.Option(
            "--renew", help="Only renew, without asking anybody: for timers. Exit status 1 if it cannot."
        ),
    ] = False,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Sign in with the company's identity provider, in the browser.

    Who you are then stands in the audit trail, and rules of the policy and virtual keys can be about you and your
    groups. Your password is typed on the provider's page only; the agent is given no token that opens anything.
    """
    person = _person(state_dir)
    if renew:
        found = person.renew()
        if found is None:
            raise ConfigError("there is nothing here that renews a sign-in", hint="Run: drawbridge sign-in")
    elif code:
        found = person.sign_in_elsewhere(_invite)
    else:
        found = person.sign_in(_print_address if no_browser else _open)
    if as_json:
        say_json(found)
    else:
        _welcome(found)


@explains_errors
def sign_out(
    *,
    everywhere: Annotated[
        bool,
        typer.Option(
            "--everywhere", help="Also open the provider's page that ends your session in the browser."
        ),
    ] = False,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Sign out: the agent forgets who you are, and the provider forgets this sign-in where it offers that."""
    done = _person(state_dir).sign_out(everywhere=_open if everywhere else None)
    if as_json:
        say_json({"was": done.was, "revoked": done.revoked, "problem": done.problem})
        return
    out().print(f"[green]ok[/] {escape(done.was)} is signed out" if done.was else "Nobody was signed in.")
    if done.problem:
        err().print(f"[yellow]The provider could not be told:[/] {escape(done.problem)}")
        raise typer.Exit(EXIT_FAILED)


def standing_line(standing: Mapping[str, Any]) -> str:
    """How a person stands, in one line, without markup; empty where sign-in is not set up."""
    match standing.get("state"):
        case "signed_in":
            return f"signed in as {standing['name']}"
        case "grace":
            return f"signed in as {standing['name']}, not renewed, until {_moment(standing['until'])}"
        case "expired":
            return f"the sign-in of {standing['name']} has expired: drawbridge sign-in"
        case "signed_out":
            refused = standing.get("why") == "refused"
            return "signed out" + (": the identity provider would not renew it" if refused else "")
        case _:
            return ""


def _person(state_dir: Path | None) -> Person:
    settings = settings_from({"state_dir": state_dir and str(state_dir.absolute())})
    return person_of(Control(settings), settings)


def _welcome(found: Mapping[str, Any]) -> None:
    groups = found["groups"]
    out().print(
        f"[green]ok[/] signed in as [bold]{escape(found['name'])}[/]"
        + (f" ({escape(found['full_name'])})" if found["full_name"] else "")
    )
    listed = ", ".join(groups[:10]) + (f" and {len(groups) - 10} more" if len(groups) > 10 else "")
    if found["groups_left_out"]:
        listed = "the provider leaves them out: docs/sign-in.md"
    out().print(f"[dim]groups:[/] {escape(listed or 'none')}")
    out().print(f"[dim]counts until:[/] {_moment(found['until'])}, if nothing renews it")


def _open(address: str) -> bool:
    err().print(f"Your browser opens. If it does not, open this address: [dim]{escape(address)}[/]")
    return webbrowser.open(address)


def _print_address(address: str) -> bool:
    sys.stderr.write(f"Open this address in a browser on this machine:\n{address}\n")
    sys.stderr.flush()
    return True


def _invite(invitation: Invitation) -> None:
    err().print(
        f"On any device, open [bold]{escape(invitation.address)}[/] and type [bold]{escape(invitation.code)}[/]\n"
        "[dim]Only type a code that you asked for yourself.[/]"
    )


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds).astimezone():%d %b %H:%M}"
