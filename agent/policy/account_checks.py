"""What must hold inside the policy's `accounts`: unique ids, names and hashes, and references that lead somewhere.

Works on the raw tree, as `cross_checks` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from agent.policy.source import Location, Problem, Source, Tree

_SECTIONS = ("customers", "teams", "users", "virtual_keys")
_NOUNS = {"customers": "customer", "teams": "team", "users": "user", "virtual_keys": "virtual key"}


def account_problems(source: Source) -> Iterator[Problem]:
    """Every violation in the `accounts` of the document of `source`."""
    accounts = source.tree.get("accounts") if isinstance(source.tree, dict) else None
    if not isinstance(accounts, dict):
        return
    for section in _SECTIONS:
        owners = list(_rows(accounts, section, ("accounts",)))
        yield from _unique(source, owners, "id", _NOUNS[section])
        for place, owner in owners:
            yield from _budgets(source, place, owner)
    keys = list(_rows(accounts, "virtual_keys", ("accounts",)))
    yield from _unique(source, keys, "hash", "virtual key", shown=False)
    for place, key in keys:
        providers = list(_rows(key, "providers", place))
        yield from _unique(source, providers, "provider", "provider of this key")
        for inner, provider in providers:
            yield from _budgets(source, inner, provider)
    yield from _references(accounts, "teams", "customer", "customers")
    yield from _references(accounts, "virtual_keys", "team", "teams")
    yield from _references(accounts, "virtual_keys", "customer", "customers")
    yield from _references(accounts, "bindings", "key", "virtual_keys")


def _rows(tree: dict[str, Tree], key: str, place: Location) -> Iterator[tuple[Location, dict[str, Tree]]]:
    rows = tree.get(key)
    for index, row in enumerate(rows if isinstance(rows, list) else ()):
        if isinstance(row, dict):
            yield (*place, key, index), row


def _unique(
    source: Source, rows: list[tuple[Location, dict[str, Tree]]], key: str, noun: str, *, shown: bool = True
) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for place, row in rows:
        value = row.get(key)
        if not isinstance(value, str):
            continue
        location = (*place, key)
        if value in first:
            what = f"'{value}' is" if shown else "this is"
            yield Problem(
                location=location,
                text=f"{what} already the {key} of the {noun} on line {first[value]}: each may stand only once",
            )
        first.setdefault(value, source.line(location))


def _budgets(source: Source, place: Location, owner: dict[str, Tree]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for location, budget in _rows(owner, "budgets", place):
        label = _label(budget)
        if label is None:
            continue
        if label in first:
            yield Problem(
                location=location,
                text=f"the budget on line {first[label]} is called '{label}', too: give each a 'name' of its own, "
                "or remove one",
            )
        first.setdefault(label, source.line(location))


def _label(budget: dict[str, Tree]) -> str | None:
    """As `agent.policy.accounts.Budget.label`."""
    name, per = budget.get("name"), budget.get("per")
    if isinstance(name, str):
        return name
    if not isinstance(per, str):
        return None
    return f"{'usd' if 'usd' in budget else 'tokens'}-{per}"


def _references(accounts: dict[str, Tree], section: str, key: str, target: str) -> Iterator[Problem]:
    known = {row["id"] for _, row in _rows(accounts, target, ()) if isinstance(row.get("id"), str)}
    names = sorted(str(each) for each in known)
    for place, row in _rows(accounts, section, ("accounts",)):
        name = row.get(key)
        if isinstance(name, str) and name not in known:
            close = get_close_matches(name[:128], names, n=1)
            guess = f": did you mean '{close[0]}'?" if close else ""
            yield Problem(
                location=(*place, key), text=f"'{name}' is no {_NOUNS[target]} of this policy{guess}"
            )
