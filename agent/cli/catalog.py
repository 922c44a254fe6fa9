"""`drawbridge catalog`: which AI services are known under the policy in force, and what becomes of a URL."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.markup import escape
from rich.table import Table

from agent.catalog import Catalog, bundled_never, bundled_rows, bundled_telltales
from agent.catalog.paths import normalise
from agent.cli.console import EXIT_FAILED, explains_errors, out, say_json, settings_from
from agent.cli.policy_in_force import DEFAULT, policy_in_force
from agent.errors import ConfigError
from agent.gateway.policy_file import read_rules
from agent.inspection import RuleBook
from agent.model.surface import Endpoint, Kind, Surface
from agent.policy import DistrustAction, UnknownSurface

app = typer.Typer(help="The AI services that are known, and what becomes of a URL.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
PolicyOption = Annotated[Path | None, typer.Option(help=DEFAULT)]
_OFF = "off: catalog_with in the policy turns it on"


@app.command("list")
@explains_errors
def list_surfaces(
    *,
    kind: Annotated[Kind | None, typer.Option(help="Only rows of this kind.")] = None,
    policy: PolicyOption = None,
    as_json: AsJson = False,
) -> None:
    """Show the rows in force, in their order, and those that are off."""
    catalog = _rules(policy).catalog
    rows = [row for row in catalog.surfaces if kind in (None, row.kind)]
    off = [row for row in bundled_rows().surfaces if catalog.row(row.id) is None and kind in (None, row.kind)]
    if as_json:
        say_json(
            {
                "version": catalog.version,
                "surfaces": [_facts(row) for row in rows],
                "off": [_facts(row) for row in off],
            }
        )
        return
    table = Table(box=None, pad_edge=False)
    for name in ("id", "kind", "name", "hosts", "formats"):
        table.add_column(name, overflow="fold")
    for row in rows:
        _add(table, row, "")
    for row in off:
        _add(table, row, "dim")
    out().print(table)
    hosts = len(catalog.hosts)
    out().print(
        f"catalog [bold]{escape(catalog.version)}[/]: {len(rows)} rows, {hosts} hosts; {len(off)} off (dim)"
    )


@app.command()
@explains_errors
def show(
    name: Annotated[str, typer.Argument(metavar="ID", help="Id of a row.")],
    *,
    policy: PolicyOption = None,
    as_json: AsJson = False,
) -> None:
    """Show everything a row says."""
    catalog = _rules(policy).catalog
    row = catalog.row(name)
    state = "in force"
    if row is None:
        row = next((each for each in bundled_rows().surfaces if each.id == name), None)
        if row is None:
            raise ConfigError(f"the catalog has no row {name!r}", hint="drawbridge catalog list shows them.")
        state = _OFF if row.optional else "left out by the policy"
    facts = {"state": state, **_facts(row)}
    if as_json:
        say_json(facts)
        return
    table = Table.grid(padding=(0, 2))
    for key, value in facts.items():
        if key == "endpoints" or value in ("", [], False):
            continue
        shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        table.add_row(f"[dim]{key.replace('_', ' ')}[/]", escape(shown))
    out().print(table)
    paths = Table("path", "dialect", "operation", "socket", "app", box=None, pad_edge=False)
    for each in row.endpoints:
        paths.add_row(
            *map(escape, (each.path, each.dialect, each.operation, each.socket or "-", each.app or "-"))
        )
    out().print(paths)


@app.command()
@explains_errors
def match(
    url: Annotated[str, typer.Argument(help="https://host/path, or a host alone.")],
    *,
    app_id: Annotated[str, typer.Option("--app", help="Catalog id of the program that asks.")] = "",
    method: Annotated[str, typer.Option(help="HTTP method.")] = "POST",
    policy: PolicyOption = None,
    as_json: AsJson = False,
) -> None:
    """Tell whether a request is decrypted and read, by which row, and why. Exit status 1 where it is not decrypted."""
    host, path = _split(url)
    report = _report(_rules(policy), host, path, app_id, method.upper())
    if as_json:
        say_json(report)
    else:
        table = Table.grid(padding=(0, 2))
        for key, value in report.items():
            if value not in ("", None):
                table.add_row(f"[dim]{key.replace('_', ' ')}[/]", escape(str(value)))
        out().print(table)
    if report["traffic"] != "decrypted":
        raise typer.Exit(EXIT_FAILED)


def _report(rules: RuleBook, host: str, path: str, app_id: str, method: str) -> dict[str, object]:
    catalog = rules.catalog
    plain = normalise(path)
    found = catalog.found(host, plain, app=app_id)
    report: dict[str, object] = {"host": host, "path": plain, "catalog": catalog.version}
    if found is None:
        return report | {"traffic": "tunnelled", "why": _why_tunnelled(host)}
    endpoint = found.endpoint
    why = _why(rules, plain, method, never=found.never, endpoint=endpoint)
    traffic = "decrypted"
    if catalog.pins(host, app_id):
        passes = rules.policy.client_distrust.action is DistrustAction.TUNNEL
        traffic = "tunnelled" if passes else "refused"
        why = f"{app_id} accepts only the vendor's certificates, and client_distrust says what follows"
    report |= {
        "traffic": traffic,
        "why": why,
        "surface": found.surface.id,
        "kind": found.surface.kind.value,
        "never": found.never,
        "tier": "http, for clients that offer HTTP/2" if catalog.needs_http2(host) else "relay",
    }
    if endpoint is not None:
        report |= {
            "endpoint": endpoint.path,
            "dialect": endpoint.dialect,
            "operation": endpoint.operation,
            "socket": endpoint.socket,
            "app": app_id or endpoint.app,
        }
    return report


def _why(rules: RuleBook, path: str, method: str, *, never: bool, endpoint: Endpoint | None) -> str:
    if never:
        return "passed on unread: the row says that this path is never looked at"
    if endpoint is not None:
        return "an inference path: read and judged"
    telltales = bundled_telltales().at(path)
    if telltales and method == "POST":
        does = {
            UnknownSurface.REPORT: "reported and passed on unread",
            UnknownSurface.INSPECT: "reported and judged",
            UnknownSurface.BLOCK: "reported and refused",
        }[rules.policy.unknown_surface]
        formats = ", ".join(telltale.dialect for telltale in telltales)
        return f"no listed path, but a body of {formats} is recognised there: {does}"
    return "passed on unread: not an inference path"


def _why_tunnelled(host: str) -> str:
    if (never := bundled_never().find(host)) is not None:
        return f"{never.of} uses the host for {never.why}: it is never decrypted"
    off = next((row for row in bundled_rows().surfaces if row.optional and _has(row, host)), None)
    if off is not None:
        return f"the row {off.id} is {_OFF}"
    return "the host is not in the catalog: tunnelled blindly, never decrypted"


def _has(row: Surface, host: str) -> bool:
    return Catalog((row,)).surface(host) is not None


def _split(url: str) -> tuple[str, str]:
    """Host and path (without query) of a URL, which may lack its scheme. Raises ConfigError."""
    parts = urlsplit(url if "://" in url else f"https://{url}")
    try:
        host = parts.hostname
    except ValueError:
        host = None
    if not host:
        raise ConfigError(f"{url!r} has no host", hint="Write https://host/path.")
    return host, parts.path or "/"


def _rules(named: Path | None) -> RuleBook:
    path = policy_in_force(settings_from(), named)
    return read_rules(path / "policy.yaml" if path.is_dir() else path, examples=False)


def _add(table: Table, row: Surface, style: str) -> None:
    formats = ", ".join(dict.fromkeys(endpoint.dialect for endpoint in row.endpoints))
    shown = (row.id, row.kind.value, row.name, ", ".join(row.hosts) or "this machine", formats)
    table.add_row(*map(escape, shown), style=style)


def _facts(row: Surface) -> dict[str, object]:
    return {
        "id": row.id,
        "name": row.name,
        "kind": row.kind.value,
        "provider": row.provider,
        "hosts": list(row.hosts),
        "apps": list(row.apps),
        "shares": row.shares,
        "optional": row.optional,
        "http2": row.http2,
        "websockets": row.websockets,
        "pinned": list(row.pinned),
        "misread": list(row.misread),
        "never": list(row.never),
        "base_url_prefix": row.prefix,
        "endpoints": [
            {
                "path": each.path,
                "dialect": each.dialect,
                "operation": each.operation,
                "socket": each.socket,
                "app": each.app,
            }
            for each in row.endpoints
        ],
    }
