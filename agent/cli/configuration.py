"""`drawbridge config`: the settings of this machine, where each comes from, and what device management imports."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from agent.cli.console import EXIT_USAGE, err, explains_errors, out, say_json, settings_from
from agent.errors import ConfigError
from agent.host.files import read_limited
from agent.host.mdm import (
    Deployment,
    Template,
    document,
    read_root,
    read_values,
    render,
    settings_schema,
    settings_table,
    starter_values,
)
from agent.host.setting_rows import Row
from agent.host.settings import Origin, Settings, setting_rows

CERTIFICATE_LIMIT = 64 * 1024  # bytes
_HIDDEN = "(set, not shown)"

app = typer.Typer(help="The settings of this machine, and of all of yours.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """The settings of this machine, and of all of yours."""


@app.command()
@explains_errors
def explain(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False
) -> None:
    """Show every setting: its value, where it comes from, and what lower sources said in vain."""
    settings, rows = settings_from(), {row.name: row for row in setting_rows()}
    if as_json:
        say_json(explained(settings, rows))
        return
    table = Table("setting", "value", "origin", "place", "overridden", box=None, pad_edge=False)
    for name, origin in sorted(settings.origins.items()):
        value = _shown(rows[name], getattr(settings, name))
        lower = [
            f"{_shown(rows[name], each.value)} ({each.origin.source.value} {each.origin.place})"
            for each in settings.overridden.get(name, ())
        ]
        cells = (str(value), origin.source.value, origin.place, "\n".join(lower))
        table.add_row(name, *(escape(cell) for cell in cells))
    out().print(table)


def explained(settings: Settings, rows: Mapping[str, Row]) -> dict[str, object]:
    """Every setting with its value, origin, what was overridden and when a change takes hold; no secrets."""
    return {
        name: {
            **_said(rows[name], getattr(settings, name), origin),
            "overridden": [
                _said(rows[name], each.value, each.origin) for each in settings.overridden.get(name, ())
            ],
            "takes_hold": rows[name].key.takes_hold.value,
        }
        for name, origin in sorted(settings.origins.items())
    }


@app.command()
@explains_errors
def schema(
    *,
    markdown: Annotated[bool, typer.Option("--markdown", help="A table for people instead.")] = False,
) -> None:
    """Print the JSON Schema of the settings, as of managed.json."""
    _print(settings_table(setting_rows()).encode() if markdown else document(settings_schema(setting_rows())))


@app.command()
@explains_errors
def template(
    kind: Annotated[Template, typer.Argument(help="What your device management takes.")],
    *,
    assign: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A value to deploy; may be repeated."),
    ] = None,
    ca: Annotated[
        list[Path] | None,
        typer.Option("--ca", help="mobileconfig: a root certificate to trust (PEM or DER); may be repeated."),
    ] = None,
    organization: Annotated[str, typer.Option(help="mobileconfig: who deploys it.")] = "Your organization",
    team_id: Annotated[
        str, typer.Option(help="mobileconfig: the team that the package is signed by, ten characters.")
    ] = "",
) -> None:
    """Print what a service of device management imports: profile, template, manifest or file of settings.

    Without --set it holds a few values to begin with; admx, adml and jamf describe every setting and hold none.
    """
    if assign and not kind.holds_values:
        _usage(f"{kind.value} describes every setting and holds no values: leave --set out")
    if (ca or team_id) and kind is not Template.MOBILECONFIG:
        _usage("--ca and --team-id are for mobileconfig")
    if team_id and not (len(team_id) == 10 and team_id.isascii() and team_id.isalnum()):
        _usage("a team has ten letters and digits")
    rows = setting_rows()
    values = read_values(rows, assign, kind.system) if assign else starter_values(rows, kind.system)
    roots = tuple(read_root(_certificate(file), str(file)) for file in ca or ())
    wanted = Deployment(values=values, organization=organization, team_id=team_id.upper(), roots=roots)
    _print(render(kind, rows, wanted))


def _certificate(file: Path) -> bytes:
    data = read_limited(file, limit=CERTIFICATE_LIMIT)
    if data is None:
        raise ConfigError(f"there is no file {file}")
    return data


def _usage(problem: str) -> None:
    err().print(f"[bold red]error:[/] {escape(problem)}")
    raise typer.Exit(EXIT_USAGE)


def _print(data: bytes) -> None:
    """Bytes as they are: line ends and encodings are part of these formats."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)


def _said(row: Row, value: object, origin: Origin) -> dict[str, object]:
    return {"value": _shown(row, value), "source": origin.source.value, "place": origin.place}


def _shown(row: Row, value: object) -> object:
    if value is None or isinstance(value, int):
        return value
    if row.key.secret:
        return _HIDDEN
    if isinstance(value, tuple):
        return [str(each) for each in value]
    return str(value)
