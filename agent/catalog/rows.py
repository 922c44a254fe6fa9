"""Reads catalog rows from TOML, strictly: an unknown or missing key names its row and is an error."""

from __future__ import annotations

import tomllib
from importlib.resources import files

from agent.errors import ConfigError
from agent.model.surface import Endpoint, Surface

_REQUIRED = frozenset({"id", "name", "provider", "hosts"})
_OPTIONAL = frozenset({"speaks", "endpoints", "http2", "prefix", "origin", "key_header"})
_ENDPOINT_KEYS = frozenset({"path", "dialect", "operation"})


def bundled_surfaces() -> tuple[Surface, ...]:
    """The surfaces shipped with the agent, in file order. Reads one small file."""
    text = (files("agent.catalog") / "surfaces.toml").read_text(encoding="utf-8")
    return parse_surfaces(text, source="agent/catalog/surfaces.toml")


def parse_surfaces(text: str, *, source: str) -> tuple[Surface, ...]:
    """Surfaces of a TOML text. Raises ConfigError naming `source` and the row."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: {error}", hint="mend the TOML syntax") from error
    _keys(document, frozenset({"surface"}), frozenset({"speaks"}), where=source)
    speaks = {
        name: tuple(_endpoint(row, where=f"{source}: speaks.{name}") for row in rows)
        for name, rows in document.get("speaks", {}).items()
    }
    surfaces = tuple(_surface(row, speaks, source=source) for row in document["surface"])
    seen: dict[str, str] = {}
    for surface in surfaces:
        for key in (surface.id, *surface.hosts):
            if key in seen:
                raise ConfigError(f"{source}: {key!r} is in rows {seen[key]!r} and {surface.id!r}")
            seen[key] = surface.id
    return surfaces


def _surface(row: object, speaks: dict[str, tuple[Endpoint, ...]], *, source: str) -> Surface:
    if not isinstance(row, dict):
        raise ConfigError(f"{source}: a surface must be a table")
    where = f"{source}: surface {row.get('id', '?')!r}"
    _keys(row, _REQUIRED, _OPTIONAL, where=where)
    endpoints: list[Endpoint] = []
    for name in row.get("speaks", ()):
        if name not in speaks:
            raise ConfigError(f"{where}: speaks unknown {name!r}", hint=f"known: {', '.join(speaks)}")
        endpoints += speaks[name]
    endpoints += [_endpoint(entry, where=where) for entry in row.get("endpoints", ())]
    hosts = tuple(row["hosts"])
    for host in hosts:
        if (
            not isinstance(host, str)
            or host != host.lower()
            or not host.removeprefix("*.").replace("-", "").replace(".", "").isalnum()
        ):
            raise ConfigError(
                f"{where}: {host!r} is no host name", hint='use "host.example" or "*.host.example"'
            )
    return Surface(
        id=row["id"],
        name=row["name"],
        provider=row["provider"],
        hosts=hosts,
        endpoints=tuple(endpoints),
        http2=bool(row.get("http2", False)),
        prefix=row.get("prefix", ""),
        origin=row.get("origin", ""),
        key_header=row.get("key_header", ""),
    )


def _endpoint(row: object, *, where: str) -> Endpoint:
    if not isinstance(row, dict):
        raise ConfigError(f"{where}: an endpoint must be a table")
    _keys(row, frozenset({"path", "dialect"}), _ENDPOINT_KEYS, where=where)
    return Endpoint(**row)


def _keys(row: dict[str, object], required: frozenset[str], optional: frozenset[str], *, where: str) -> None:
    if missing := required - row.keys():
        raise ConfigError(f"{where}: missing {', '.join(sorted(missing))}")
    if unknown := row.keys() - required - optional:
        known = ", ".join(sorted(required | optional))
        raise ConfigError(f"{where}: unknown {', '.join(sorted(unknown))}", hint=f"known keys: {known}")
