"""`drawbridge keys`: make virtual keys, and see what they may use and have used."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.markup import escape
from rich.table import Table

from agent.accounts.book import Book, KeyEntry
from agent.accounts.keys import hashed, new_key
from agent.accounts.ledgerfile import read_ledger
from agent.accounts.meters import NANO, Meter, Unit
from agent.accounts.quota import QuotaReport, standing
from agent.accounts.store import DAY_SECONDS, HISTORY_DAYS, Use
from agent.accounts.stores import FILE, store_for
from agent.accounts.tally import Reading, Tally
from agent.cli.console import as_its_owner, explains_errors, out, say_json, settings_from, state_paths
from agent.cli.policy_in_force import DEFAULT, policy_in_force
from agent.errors import ConfigError
from agent.gateway.policy_file import read_policy
from agent.host.secrets import keep_in_keyring, read_secret
from agent.policy.accounts import Accounts, VirtualKey

app = typer.Typer(help="Virtual keys: make them, and see what they have left.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
PolicyOption = Annotated[Path | None, typer.Option(help=DEFAULT)]
Name = Annotated[str, typer.Argument(metavar="ID", help="The key's id in the policy.")]


@app.command()
@explains_errors
def create(
    name: Annotated[str, typer.Argument(metavar="ID", help="A name for the key.")],
    *,
    team: Annotated[str | None, typer.Option(help="The team it belongs to.")] = None,
    customer: Annotated[str | None, typer.Option(help="The customer, where it has no team.")] = None,
    expires: Annotated[str | None, typer.Option(help="RFC 3339, such as 2027-12-31T00:00:00Z.")] = None,
    keep: Annotated[
        str | None,
        typer.Option("--keyring", metavar="SERVICE/NAME", help="Put the key into the system's keyring, too."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key. It is shown this once; the policy gets its hash, as the row that is printed."""
    key = new_key()
    row = {"id": name, "hash": hashed(key), "team": team, "customer": customer, "expires": expires}
    given = {field: value for field, value in row.items() if value is not None}
    try:
        VirtualKey.model_validate(given)
    except ValidationError as error:
        raise ConfigError(f"this would be no valid key: {_first(error)}") from None
    reference = None
    if keep is not None:
        reference = f"keyring:{keep}"
        keep_in_keyring(reference, key)
    if as_json:
        say_json({"key": key, "row": given, "reference": reference})
        return
    out().print(f"[bold]{key}[/]\n")
    out().print(
        "Shown this once: keep it where keys are kept. For the policy, below accounts.virtual_keys:\n"
    )
    lines = [
        f'{field}: "{value}"' if field == "expires" else f"{field}: {value}" for field, value in given.items()
    ]
    out().print(escape("    - " + "\n      ".join(lines)))
    if reference is not None:
        out().print(f"\nAlso in the keyring: {escape(reference)}")


@app.command("list")
@explains_errors
def list_keys(*, policy: PolicyOption = None, as_json: AsJson = False) -> None:
    """The keys of the policy."""
    rows = [_facts(entry) for entry in _book(policy).keys.values()]
    if as_json:
        say_json(rows)
        return
    table = Table("key", "belongs to", "state", "providers", "budgets", box=None, pad_edge=False)
    for row in rows:
        providers = row["providers"]
        table.add_row(
            str(row["id"]),
            str(row["team"] or row["customer"] or ""),
            str(row["state"]),
            "all" if providers is None else ", ".join(map(str, _items(providers))) or "none",
            ", ".join(map(str, _items(row["budgets"]))),
        )
    out().print(table if rows else "The policy has no virtual keys.")


@app.command()
@explains_errors
def show(name: Name, *, policy: PolicyOption = None, as_json: AsJson = False) -> None:
    """What a key may use, and every budget and limit that holds for it."""
    book = _book(policy)
    entry = _entry(book, name)
    facts = _facts(entry)
    facts["holds"] = [
        {"tier": each.tier.value, "owner": each.owner, "name": each.name, "limit": _shown(each, each.limit)}
        for each in book.meters_of(entry, "")
    ]
    if as_json:
        say_json(facts)
        return
    table = Table.grid(padding=(0, 2))
    for field in ("id", "description", "state", "expires", "team", "customer", "providers", "mcp_tools"):
        value = facts[field]
        table.add_row(f"[dim]{field}[/]", escape("" if value is None else str(value)))
    for each in book.meters_of(entry, ""):
        table.add_row(f"[dim]{each.tier}[/]", escape(f"{each.owner}: {each.name} {_shown(each, each.limit)}"))
    out().print(table)


@app.command()
@explains_errors
def quota(
    name: Name,
    *,
    user: Annotated[str, typer.Option(help="In the hands of this account: its budgets, too.")] = "",
    policy: PolicyOption = None,
    state_dir: Annotated[Path | None, typer.Option(help="State directory of the agent.")] = None,
    as_json: AsJson = False,
) -> None:
    """What a key has used and has left. Of calls under way a running agent knows more: GET /v1/quota."""
    book = _book(policy)
    entry = _entry(book, name)
    root = as_its_owner(state_paths({"state_dir": state_dir and str(state_dir.absolute())})).root
    report = _report(book, entry, user, root)
    if as_json:
        say_json(report.document())
        return
    table = Table("tier", "owner", "name", "used", "limit", box=None, pad_edge=False)
    for meter, reading in report.meters:
        table.add_row(
            meter.tier.value, meter.owner, meter.name, _shown(meter, reading.used), _shown(meter, meter.limit)
        )
    out().print(table if report.meters else f"Nothing limits the virtual key '{escape(name)}'.")
    cost = sum(use.nano_usd for use in report.history) / NANO
    requests = sum(use.requests for use in report.history)
    out().print(f"\n{requests} requests, {cost:.2f} US dollars in the last {HISTORY_DAYS} days")


def _report(book: Book, entry: KeyEntry, user: str, root: Path) -> QuotaReport:
    now = time.time()
    meters = book.meters_of(entry, user)
    since = int(now) // DAY_SECONDS - HISTORY_DAYS + 1
    if book.section.store.shared:
        readings, history = asyncio.run(_shared(book.section, meters, entry.row.id, now, since))
    else:
        with read_ledger(root / FILE) as file:
            tally, history = Tally(file.slots()), file.history(entry.row.id, since)
        readings = [tally.read(meter, now) for meter in meters]
    return standing(entry, list(zip(meters, readings, strict=True)), history, now)


async def _shared(
    section: Accounts, meters: Sequence[Meter], key: str, now: float, since: int
) -> tuple[Sequence[Reading], Sequence[Use]]:
    store = await asyncio.to_thread(store_for, section, state=Path(), secret=read_secret)
    try:
        return await store.read(meters, now), await store.history(key, since)
    finally:
        await store.close()


def _book(policy: Path | None) -> Book:
    found = read_policy(policy_in_force(settings_from(), policy))
    return Book(found.accounts or Accounts())


def _entry(book: Book, name: str) -> KeyEntry:
    if (entry := book.keys.get(name)) is None:
        raise ConfigError(
            f"the policy has no virtual key '{name}'", hint="List them: `drawbridge keys list`."
        )
    return entry


def _facts(entry: KeyEntry) -> dict[str, object]:
    row = entry.row
    expired = entry.expires_at is not None and time.time() >= entry.expires_at
    return {
        "id": row.id,
        "description": row.description,
        "state": "expired" if expired else "active" if row.active else "switched off",
        "expires": row.expires,
        "bound_only": row.hash is None,
        "team": entry.team.id if entry.team is not None else None,
        "customer": entry.customer.id if entry.customer is not None else None,
        "providers": None if row.providers is None else [each.provider for each in row.providers],
        "mcp_tools": None if row.mcp_tools is None else list(row.mcp_tools),
        "budgets": [budget.label for budget in row.budgets],
    }


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _shown(meter: Meter, amount: int) -> str:
    if meter.unit is Unit.NANO_USD:
        return f"${amount / NANO:,.2f}"
    return f"{amount:,}"


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return ": ".join((*map(str, first["loc"]), first["msg"].removeprefix("Value error, ")))
