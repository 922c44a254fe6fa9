"""`drawbridge config`: the settings of this machine and where each comes from."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from agent.cli.console import explains_errors, out, say_json, settings_from

app = typer.Typer(help="The settings of this machine.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """The settings of this machine."""


@app.command()
@explains_errors
def explain(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False
) -> None:
    """Show every setting, its value and its origin."""
    settings = settings_from()
    rows = [
        (name, getattr(settings, name), origin.source.value, origin.place)
        for name, origin in sorted(settings.origins.items())
    ]
    if as_json:
        say_json(
            {
                name: {"value": _plain(value), "source": source, "place": place}
                for name, value, source, place in rows
            }
        )
        return
    table = Table("setting", "value", "origin", box=None, pad_edge=False)
    for name, value, source, place in rows:
        table.add_row(name, escape(str(_plain(value))), escape(f"{source} {place}".strip()))
    out().print(table)


def _plain(value: object) -> object:
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, tuple):
        return [str(each) for each in value]
    return str(value)
