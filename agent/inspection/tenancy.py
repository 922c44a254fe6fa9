"""Which headers tell a service whose accounts to let in: the policy's `tenants` on the catalog's rows. Pure.

A service enforces such a header for whoever stands between it and the client. So it must be set on every request to
its hosts, sign-in above all, and nothing that a client says may stand beside it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from agent.catalog import Catalog, bundled_never
from agent.catalog.paths import PathTemplate
from agent.catalog.tenants import TenantHeader, TenantValue
from agent.errors import ConfigError, PolicyError
from agent.guardrails.notes import Note
from agent.model.hostpattern import HostTable
from agent.model.surface import Surface
from agent.policy import Policy
from agent.policy.tenants import TenantRule

SIGN_IN = "sign-in"
"""The surface of hosts that are decrypted for such headers alone."""

_ONE = frozenset({TenantValue.TENANT_POLICY, TenantValue.DIRECTORY})
_WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")

type Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class _Imposed:
    """One header, ready to be set."""

    field: tuple[bytes, bytes]
    hosts: HostTable[bool]
    paths: tuple[PathTemplate, ...]


class Tenancy:
    """The headers that a policy sets."""

    def __init__(self, policy: Policy, rows: tuple[TenantHeader, ...]) -> None:
        """Raises PolicyError for an id that no row has, a value that the service cannot mean, and a host at which it
        does not read the header."""
        known = {row.id: row for row in rows}
        self._imposed: list[_Imposed] = []
        self._named: dict[str, None] = {}
        self._everywhere: list[tuple[str, str]] = []
        for name, rule in policy.tenants.items():
            row = known.get(name)
            if row is None:
                raise _wrong(name, "the catalog has no such header", f"known: {', '.join(known)}")
            hosts = _hosts(name, row, rule)
            self._imposed.append(_Imposed(_field(name, row, rule), hosts, _paths(row)))
            self._named |= dict.fromkeys(rule.hosts)
            self._everywhere += ((name, host) for host in row.hosts)

    def extended(self, catalog: Catalog) -> Catalog:
        """`catalog` with the hosts that the policy has decrypted for its headers alone: those that its rules name.
        Nothing but the headers is changed there. Raises PolicyError for one that is never decrypted, unless it is where
        the service reads the header."""
        hosts = tuple(
            host for host in self._named if host not in catalog.hosts and not catalog.surfaces_of(host)
        )
        if not hosts:
            return catalog
        surface = Surface(id=SIGN_IN, name="Sign-in", provider=SIGN_IN, hosts=hosts, websockets=True)
        try:
            bundled_never().check(
                (surface,), overrides={SIGN_IN: frozenset(host for _, host in self._everywhere)}
            )
        except ConfigError as error:
            raise PolicyError(
                f"tenants: {error}", hint="A header is set at sign-in only where its row says so."
            ) from error
        return Catalog((*catalog.surfaces, surface), version=catalog.version)

    def headers(self, host: str, plain_path: str) -> Headers:
        """What is set on a request, in the place of whatever the client says there. `host` is in lower case,
        `plain_path` normalised."""
        if not self._imposed:
            return ()
        return tuple(
            each.field
            for each in self._imposed
            if each.hosts.find(host)
            and (not each.paths or any(path.matches(plain_path) for path in each.paths))
        )

    def notes(self, catalog: Catalog) -> Iterator[Note]:
        """What an author should know: where the service would read a header and we cannot set it."""
        for name, host in self._everywhere:
            if host not in catalog.hosts and not catalog.surfaces_of(host.removeprefix("*.")):
                text = f"{host} is not decrypted, so the header is not set there: name it in 'hosts' if it must be"
                yield Note(pack="tenants", rule=name, key="hosts", text=text)


def _hosts(name: str, row: TenantHeader, rule: TenantRule) -> HostTable[bool]:
    table: HostTable[bool] = HostTable()
    for host in row.hosts:
        table.put(host, True)  # noqa: FBT003
    for host in rule.hosts:
        if row.hosts and host not in row.hosts and not table.find(host):
            raise _wrong(
                name, f"the service does not read it at {host}", f"it does at: {', '.join(row.hosts)}"
            )
        table.put(host, True)  # noqa: FBT003
    if not row.hosts and not rule.hosts:
        raise _wrong(name, "its hosts are the organisation's own", "name them in 'hosts'")
    return table


def _field(name: str, row: TenantHeader, rule: TenantRule) -> tuple[bytes, bytes]:
    most = 1 if row.kind in _ONE else row.limit
    if most and len(rule.allow) > most:
        raise _wrong(name, f"{len(rule.allow)} values are more than the service takes", f"at most {most}")
    check = _CHECKS[row.kind]
    for value in rule.allow:
        if not check(value):
            raise _wrong(name, f"'{value[:64]}' cannot be meant", f"the service wants {_WANTED[row.kind]}")
    if len(set(rule.allow)) < len(rule.allow):
        raise _wrong(name, "a value stands there twice", "some services refuse that")
    return row.header.lower().encode("ascii"), ",".join(rule.allow).encode("ascii")


def _paths(row: TenantHeader) -> tuple[PathTemplate, ...]:
    return tuple(PathTemplate.compile(path) for path in row.paths)


def _wrong(name: str, what: str, hint: str) -> PolicyError:
    return PolicyError(f"tenants.{name}: {what}", hint=f"{hint[:1].upper()}{hint[1:]}.")


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def _is_word(text: str) -> bool:
    return not set(text) - _WORD


def _is_organization(text: str) -> bool:
    return text.startswith("org-") and _is_word(text)


def _is_policy(text: str) -> bool:
    tenant, colon, policy = text.partition(":")
    return bool(colon) and _is_uuid(tenant) and _is_uuid(policy)


_CHECKS = {
    TenantValue.UUIDS: _is_uuid,
    TenantValue.ORGANIZATIONS: _is_organization,
    TenantValue.TENANTS: _is_word,
    TenantValue.DOMAINS: _is_word,
    TenantValue.ENTERPRISE: _is_word,
    TenantValue.TENANT_POLICY: _is_policy,
    TenantValue.DIRECTORY: _is_uuid,
}
_WANTED: Mapping[TenantValue, str] = {
    TenantValue.UUIDS: "UUIDs such as 01234567-89ab-cdef-0123-456789abcdef",
    TenantValue.ORGANIZATIONS: "ids such as org-abc",
    TenantValue.TENANTS: "ids or domain names of directories",
    TenantValue.DOMAINS: "domain names",
    TenantValue.ENTERPRISE: "the enterprise's id",
    TenantValue.TENANT_POLICY: "tenant and policy, two UUIDs with a colon between them",
    TenantValue.DIRECTORY: "the UUID of the directory",
}
