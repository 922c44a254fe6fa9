"""The headers that let in only the accounts of certain organisations, as data: reads `tenants.toml`, strictly."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files

from agent.catalog import tables
from agent.catalog.hosts import checked_host
from agent.catalog.paths import PathTemplate
from agent.errors import ConfigError

_REQUIRED = frozenset({"id", "header", "hosts", "kind", "source"})
_OPTIONAL = frozenset({"paths", "note", "limit"})
_TOKEN = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~"
)  # RFC 9110 5.6.2


class TenantValue(StrEnum):
    """What the value of such a header is. All but the last two are lists, joined by commas without spaces."""

    UUIDS = "uuids"
    ORGANIZATIONS = "organizations"  # org-…
    TENANTS = "tenants"  # ids or domain names of directories
    DOMAINS = "domains"
    ENTERPRISE = "enterprise"
    TENANT_POLICY = "tenant-policy"  # <tenant id>:<policy id>
    DIRECTORY = "directory"  # one tenant id


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantHeader:
    """One header. `hosts` are written as in the catalog, none where only the organisation knows them; no `paths` mean
    every path; `limit` is the most values that the service takes, 0 where that is not documented."""

    id: str
    header: str
    hosts: tuple[str, ...]
    paths: tuple[str, ...]
    kind: TenantValue
    note: str
    source: str
    limit: int = 0


def bundled_tenant_headers() -> tuple[TenantHeader, ...]:
    """The headers shipped with the agent, in file order. Reads one small file."""
    text = (files("agent.catalog") / "tenants.toml").read_text(encoding="utf-8")
    return parse_tenant_headers(text, source="agent/catalog/tenants.toml")


def parse_tenant_headers(text: str, *, source: str) -> tuple[TenantHeader, ...]:
    """The headers of a TOML text. Raises ConfigError naming `source` and the row."""
    document = tables.parse(text, source=source)
    tables.check_keys(document, frozenset({"tenant"}), frozenset(), where=source)
    found: dict[str, TenantHeader] = {}
    for row in tables.rows(document, "tenant", where=source):
        where = f"{source}: tenant {row.get('id', '?')!r}"
        header = _header(row, where=where)
        if header.id in found:
            raise ConfigError(f"{where}: the id stands in two rows")
        found[header.id] = header
    return tuple(found.values())


def _header(row: tables.Table, *, where: str) -> TenantHeader:
    tables.check_keys(row, _REQUIRED, _OPTIONAL, where=where)
    header = TenantHeader(
        id=tables.text(row, "id", where=where),
        header=tables.text(row, "header", where=where),
        hosts=tuple(checked_host(host, where=where) for host in tables.texts(row, "hosts", where=where)),
        paths=tables.texts(row, "paths", where=where),
        kind=_kind(row, where=where),
        note=tables.text(row, "note", where=where),
        source=tables.text(row, "source", where=where),
        limit=tables.count(row, "limit", where=where),
    )
    if set(header.header) - _TOKEN:
        raise ConfigError(f"{where}: {header.header!r} is no name of a header")
    for path in header.paths:
        try:
            PathTemplate.compile(path)
        except ValueError as error:
            raise ConfigError(f"{where}: {error}") from error
    return header


def _kind(row: tables.Table, *, where: str) -> TenantValue:
    word = tables.text(row, "kind", where=where)
    try:
        return TenantValue(word)
    except ValueError:
        raise ConfigError(
            f"{where}: there is no kind {word!r}", hint=f"one of: {', '.join(TenantValue)}"
        ) from None
