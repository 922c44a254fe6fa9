"""`drawbridge providers`: whom requests can go to, and whether they would get there."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from agent.catalog import bundled_providers
from agent.cli.console import EXIT_FAILED, explains_errors, out, say_json, settings_from
from agent.cli.policy_in_force import DEFAULT, policy_in_force
from agent.errors import ConfigError
from agent.host.earlier import read_earlier
from agent.host.paths import setup_paths
from agent.host.secrets import read_secret
from agent.host.settings import Settings
from agent.host.upstream import settled
from agent.model.provider import Provider, Scheme
from agent.model.references import shown
from agent.policy import Policy
from agent.routing.configured import ConfiguredProvider, configured

app = typer.Typer(help="Providers: which there are, and whether they can be reached.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
PolicyOption = Annotated[Path | None, typer.Option(help=DEFAULT)]
_SHOWN = {
    Scheme.NONE: "no key",
    Scheme.BEARER: "bearer key",
    Scheme.SIGV4: "AWS signature, or a bearer key",
    Scheme.GOOGLE: "Google token",
}


@app.command("list")
@explains_errors
def list_providers(*, policy: PolicyOption = None, as_json: AsJson = False) -> None:
    """Show the providers of the catalog, and those that the policy configures."""
    rows = bundled_providers()
    own = configured(_policy(settings_from(), policy).providers, {row.id: row for row in rows})
    if as_json:
        say_json(
            {
                "configured": [_facts(each.row, each) for each in own.values()],
                "catalog": [_facts(row, None) for row in rows],
            }
        )
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("id", no_wrap=True)  # it is what a policy is to name
    for name in ("name", "formats", "shows", "configured"):
        table.add_column(name, overflow="fold")
    used = {each.row.id for each in own.values()}
    for each in own.values():
        keys = ", ".join(shown(key.key) for key in each.keys) or "no key needed"
        _add(table, each.id, each.row, each.scheme, f"[green]yes[/] {escape(keys)}")
    for row in rows:
        if row.id not in used:
            _add(table, row.id, row, row.scheme, "[dim]no[/]")
    out().print(table)


def _add(table: Table, name: str, row: Provider, scheme: Scheme, mark: str) -> None:
    formats = ", ".join(dict.fromkeys(spoken.dialect for spoken in row.speaks))
    table.add_row(escape(name), escape(row.name), formats, _shows(row, scheme), mark)


def _shows(row: Provider, scheme: Scheme) -> str:
    return f"key in {row.key_header}" if scheme is Scheme.HEADER else _SHOWN[scheme]


def _facts(row: Provider, own: ConfiguredProvider | None) -> dict[str, object]:
    facts: dict[str, object] = {
        "id": own.id if own else row.id,
        "name": row.name,
        "dialects": [spoken.dialect for spoken in row.speaks],
        "scheme": (own.scheme if own else row.scheme).value,
        "key_env": row.key_env,
        "parameters": dict(own.parameters if own else row.parameters),
        "local": row.local,
        "source": row.source,
    }
    if own is not None:
        keys = [{"name": key.name, "key": shown(key.key)} for key in own.keys]
        facts |= {"uses": row.id, "private": own.private, "keys": keys}
    return facts


@app.command()
@explains_errors
def check(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID...]", help="Only these; default: all.")
    ] = None,
    *,
    model: Annotated[
        str, typer.Option(help="The model to ask, as the provider calls it; default: a small one.")
    ] = "",
    timeout: Annotated[float, typer.Option(min=0.1, max=600, help="Seconds to wait for each answer.")] = 30.0,
    policy: PolicyOption = None,
    as_json: AsJson = False,
) -> None:
    """Ask each configured provider for one word, with each of its keys, as the agent would.

    Costs a few tokens. Exit status 1 where one cannot be used; what is wrong is said with how to mend it.
    """
    settings = settled(settings_from(), os.environ, read_earlier(setup_paths().earlier))
    own = configured(_policy(settings, policy).providers, {row.id: row for row in bundled_providers()})
    if unknown := [each for each in ids or () if each not in own]:
        raise ConfigError(
            f"the policy has no provider {', '.join(unknown)}", hint=f"It has: {', '.join(own) or 'none'}."
        )
    chosen = [own[each] for each in ids] if ids else list(own.values())
    if not chosen:
        raise ConfigError(
            "the policy names no provider",
            hint="Add a section, such as providers: {openai: {}}, see docs/providers.md.",
        )
    results = asyncio.run(_check(settings, chosen, model, timeout))
    if as_json:
        say_json([{**result, "ok": not result["problem"]} for result in results])
    else:
        _show(results)
    if any(result["problem"] for result in results):
        raise typer.Exit(EXIT_FAILED)


async def _check(
    settings: Settings, chosen: list[ConfiguredProvider], model: str, seconds: float
) -> list[dict[str, object]]:
    # imported late: `list` needs none of it
    from agent.credentials import Credentials
    from agent.gateway.provider_check import ProviderCheck
    from agent.gateway.small_requests import SmallRequests
    from agent.gateway.transport.base import TransportConfig
    from agent.gateway.transport.factory import build_transport

    transport = await build_transport(
        TransportConfig(
            resolve={(r.host, r.port): (r.address, r.address_port) for r in settings.resolve},
            ca_file=settings.upstream_ca_file,
            proxy_url=settings.upstream_proxy or "",
            direct=settings.upstream_direct,
        )
    )
    requests = SmallRequests(transport, seconds=seconds)
    credentials = Credentials(read_secret, requests, clock=time.monotonic, now=time.time)
    checks = ProviderCheck(requests, credentials, clock=time.monotonic)
    try:
        found = await asyncio.gather(*(checks.check(provider, model) for provider in chosen))
    finally:
        await transport.aclose()
    return [
        {name: getattr(result, name) for name in result.__slots__} for results in found for result in results
    ]


def _show(results: list[dict[str, object]]) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("", "provider", "key", "model", "status", "time", "problem"):
        table.add_column(name, overflow="fold")
    for result in results:
        problem, hint = str(result["problem"]), str(result["hint"])
        told = f"{escape(problem)}\n[dim]{escape(hint)}[/]" if hint else escape(problem)
        table.add_row(
            "[bold red]✗[/]" if problem else "[green]✓[/]",
            *(escape(str(result[name])) for name in ("provider", "key", "model")),
            str(result["status"] or ""),
            f"{result['milliseconds']} ms" if result["status"] else "",
            told,
        )
    out().print(table)


def _policy(settings: Settings, named: Path | None) -> Policy:
    from agent.gateway.policy_file import read_policy

    path = policy_in_force(settings, named)
    return read_policy(path / "policy.yaml" if path.is_dir() else path)
