"""The hosts that are never decrypted, as data: reads `never.toml`, strictly, and refuses rows that cover one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files

from agent.catalog import tables
from agent.catalog.hosts import checked_host
from agent.errors import ConfigError
from agent.model.hostpattern import HostTable, is_template, overlap
from agent.model.surface import Surface

_KEYS = frozenset({"of", "why", "hosts"})


class Why(StrEnum):
    """What such a host is for."""

    SIGN_IN = "sign-in"
    UPDATES = "updates"
    CONTROL = "control"
    TELEMETRY = "telemetry"


@dataclass(frozen=True, slots=True, kw_only=True)
class NeverHost:
    """One host, as the catalog writes hosts, and whose it is."""

    host: str
    of: str
    why: Why


class NeverTable:
    """The hosts that are never decrypted."""

    def __init__(self, rows: Iterable[NeverHost]) -> None:
        self.rows = tuple(rows)
        self._table: HostTable[NeverHost] = HostTable()
        for row in self.rows:
            self._table.put(row.host, row)

    def find(self, host: str) -> NeverHost | None:
        """The row of a host name in any case, None where it may be decrypted."""
        return self._table.find(host.lower().rstrip("."))

    def covered(self, host: str) -> tuple[NeverHost, ...]:
        """The rows that a host of the catalog, as it is written there, would decrypt."""
        if host.startswith("*.") or is_template(host):
            return tuple(row for row in self.rows if overlap(host, row.host))
        found = self._table.find(host)
        return (found,) if found is not None else ()

    def check(
        self, surfaces: Iterable[Surface], *, overrides: Mapping[str, frozenset[str]] | None = None
    ) -> None:
        """Raises ConfigError for the first row that covers a host which is never decrypted. `overrides` names, by id of
        a row, those hosts that a policy insists on."""
        for surface in surfaces:
            allowed = (overrides or {}).get(surface.id, frozenset())
            for host in surface.hosts:
                for row in self.covered(host):
                    if row.host not in allowed:
                        raise _refused(surface, host, row)


def bundled_never() -> NeverTable:
    """The table shipped with the agent. Reads one small file."""
    text = (files("agent.catalog") / "never.toml").read_text(encoding="utf-8")
    return parse_never(text, source="agent/catalog/never.toml")


def parse_never(text: str, *, source: str) -> NeverTable:
    """The table of a TOML text. Raises ConfigError naming `source` and the row."""
    document = tables.parse(text, source=source)
    tables.check_keys(document, frozenset({"never"}), frozenset(), where=source)
    found: dict[str, NeverHost] = {}
    for row in tables.rows(document, "never", where=source):
        where = f"{source}: never of {row.get('of', '?')!r}"
        tables.check_keys(row, _KEYS, frozenset(), where=where)
        of, why = tables.text(row, "of", where=where), _why(row, where=where)
        for each in tables.texts(row, "hosts", where=where):
            host = checked_host(each, where=where)
            if host in found:
                raise ConfigError(f"{where}: {host!r} stands twice")
            found[host] = NeverHost(host=host, of=of, why=why)
    return NeverTable(found.values())


def _why(row: tables.Table, *, where: str) -> Why:
    word = tables.text(row, "why", where=where)
    try:
        return Why(word)
    except ValueError:
        raise ConfigError(f"{where}: {word!r} is no reason", hint=f"one of: {', '.join(Why)}") from None


def _refused(surface: Surface, host: str, row: NeverHost) -> ConfigError:
    covered = repr(host) if host == row.host else f"{host!r}, which covers {row.host!r}"
    return ConfigError(
        f"catalog row {surface.id!r} has {covered}: {row.of} uses it for {row.why}, and it is never decrypted",
        hint="Name the hosts that are asked for models, not a suffix around them. Where there is no other way (headers "
        f"for tenants at a sign-in page), let the policy's row say: overrides_never: [{row.host!r}]",
    )
