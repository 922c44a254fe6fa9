"""Makes the catalog in force: the bundled rows or a policy's file, and what the policy leaves out, turns on and adds.

A row of the policy that has the id of another takes its place. What no row may do is checked here, whoever wrote it.
"""

from __future__ import annotations

from collections.abc import Iterable

from agent.catalog import Catalog, Rows, bundled_never, bundled_rows, parse_rows
from agent.catalog.rows import refuse_twins
from agent.errors import ConfigError, PolicyError
from agent.inspection.companions import Companions
from agent.model.surface import Surface
from agent.policy import Policy

MAX_CATALOG = 1024 * 1024
"""Bytes of a catalog file."""

_CHANGED = "+policy"


def catalog_of(policy: Policy, companions: Companions) -> Catalog:
    """The catalog under a policy. Raises PolicyError, naming the row."""
    try:
        return _made(policy, _base(policy, companions))
    except ConfigError as error:
        raise PolicyError(str(error), hint=error.hint()) from error


def _base(policy: Policy, companions: Companions) -> Rows:
    """The bundled rows, or those of the policy's file and the gateway's own."""
    bundled = bundled_rows()
    name = policy.catalog_file
    if name is None:
        return bundled
    read = parse_rows(companions.text(name), source=name, speaks=bundled.speaks)
    if not read.version:
        raise PolicyError(
            f"{name}: missing version", hint='Write the date of its last change first: version = "2026-11-27"'
        )
    if any(row.own for row in read.surfaces):
        raise PolicyError(f"{name}: no row may say own: the gateway's own paths are not replaced")
    gateway = tuple(row for row in bundled.surfaces if row.own)
    refuse_twins((*gateway, *read.surfaces), source=name)
    return Rows(version=f"{read.version} ({name})", surfaces=(*gateway, *read.surfaces), speaks=read.speaks)


def _made(policy: Policy, base: Rows) -> Catalog:
    added = policy.surfaces(base.speaks)
    _check_names(policy, base)
    without = {*policy.catalog_without, *(row.id for row in added)}
    chosen = tuple(
        row
        for row in base.surfaces
        if row.id not in without and (not row.optional or row.id in policy.catalog_with)
    )
    surfaces = (*chosen, *added)
    bundled_never().check(
        surfaces, overrides={row.id: frozenset(row.overrides_never) for row in policy.catalog}
    )
    _refuse_prefix_twins(policy, surfaces)
    changed = policy.catalog or policy.catalog_with or policy.catalog_without
    return Catalog(surfaces, version=base.version + _CHANGED if changed else base.version)


def _check_names(policy: Policy, base: Rows) -> None:
    """What the policy says of rows must be of rows that there are: of the bundled ones it was told when it was read."""
    own = frozenset(row.id for row in base.surfaces if row.own)
    known = frozenset(row.id for row in base.surfaces)
    if taken := own & {*policy.catalog_without, *(row.id for row in policy.catalog)}:
        raise PolicyError(f"catalog: {min(taken)!r} is the gateway itself, and is not replaced or left out")
    _refuse("catalog_without", policy.catalog_without, known)
    _refuse("catalog_with", policy.catalog_with, known)
    if policy.catalog_file is None:
        return
    every = known | {row.id for row in policy.catalog} | {"unknown"}
    for access in policy.access:
        _refuse(f"rule {access.id}", access.surfaces, every)
    for guardrail in policy.guardrails:
        _refuse(f"rule {guardrail.id}", guardrail.surfaces, every)
    for cached in policy.cache.rules:
        _refuse("cache", cached.surfaces, every)


def _refuse(where: str, names: Iterable[str], known: frozenset[str]) -> None:
    if missing := sorted(set(names) - known):
        raise PolicyError(f"{where}: {missing[0]!r} is no row of the catalog")


def _refuse_prefix_twins(policy: Policy, surfaces: tuple[Surface, ...]) -> None:
    for row in policy.catalog:
        twins = [other.id for other in surfaces if row.prefix and other.prefix == row.prefix]
        if len(twins) > 1:
            raise PolicyError(f"catalog: the prefix {row.prefix!r} is in rows {twins[0]!r} and {twins[1]!r}")
