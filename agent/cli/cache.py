"""`drawbridge cache`: what the cache of answers on this machine holds, and emptying it. Works beside a running agent,
which notices within a second."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from agent.caching.ports import StoreStats
from agent.caching.sqlite import SqliteStore
from agent.cli.console import as_its_owner, explains_errors, out, say_json, state_paths

app = typer.Typer(help="The cache of answers of this machine.", no_args_is_help=True)

StateDir = Annotated[Path | None, typer.Option(help="State directory of the agent.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

_UNBOUNDED = 2**62  # nothing is put here: the agent's policy says what fits


@app.command()
@explains_errors
def stats(*, as_json: AsJson = False, state_dir: StateDir = None) -> None:
    """Show how many answers are kept and what they take. A store on a server has its own tools."""
    store = _store(state_dir)
    found = StoreStats(entries=0) if store is None else asyncio.run(_stats(store))
    if as_json:
        say_json(asdict(found))
        return
    if not found.entries:
        out().print("The cache is empty.")
        return
    age = "" if found.oldest_at is None else f", the oldest {_age(time.time() - found.oldest_at)} old"
    expired = f", {found.expired} of them expired" if found.expired else ""
    out().print(f"{found.entries} answers{expired}, {found.size / 1024:,.0f} KiB{age}")


@app.command()
@explains_errors
def clear(
    *,
    key: Annotated[
        str | None, typer.Option("--key", metavar="ID", help="Only answers to this virtual key, by its id.")
    ] = None,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Forget all answers, or those to one virtual key."""
    store = _store(state_dir)
    count = 0 if store is None else asyncio.run(_clear(store, key))
    if as_json:
        say_json({"cleared": count})
    else:
        whose = f" to [bold]{escape(key)}[/]" if key is not None else ""
        out().print(f"[green]ok[/] {count} answers{whose} are forgotten")


def _store(state_dir: Path | None) -> SqliteStore | None:
    """The local store; None where there has never been one."""
    path = as_its_owner(state_paths({"state_dir": state_dir and str(state_dir.absolute())})).answers
    return SqliteStore(path, max_entries=_UNBOUNDED, max_bytes=_UNBOUNDED) if path.exists() else None


async def _stats(store: SqliteStore) -> StoreStats:
    try:
        await store.open()
        return await store.stats()
    finally:
        await store.close()


async def _clear(store: SqliteStore, owner: str | None) -> int:
    try:
        await store.open()
        return await store.clear(owner)
    finally:
        await store.close()


def _age(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} seconds"
