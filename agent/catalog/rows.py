"""Reads catalog rows from TOML, strictly: an unknown or missing key names its row and is an error.

The rows of APIs are in `surfaces.toml`, those of web pages and desktop apps in `chats.toml`.
"""

from __future__ import annotations

from importlib.resources import files

from agent.catalog import tables
from agent.errors import ConfigError
from agent.model.hostpattern import HostTemplate, is_template
from agent.model.surface import Endpoint, Kind, Surface

_REQUIRED = frozenset({"id", "name", "provider", "hosts"})
_FILES = ("surfaces.toml", "chats.toml")
_OPTIONAL = frozenset(
    {
        "speaks",
        "endpoints",
        "kind",
        "shares",
        "apps",
        "http2",
        "websockets",
        "own",
        "prefix",
        "origin",
        "key_header",
    }
)
_ENDPOINT_KEYS = frozenset({"operation", "socket", "app", "seal"})
_LABEL = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


def bundled_surfaces() -> tuple[Surface, ...]:
    """The surfaces shipped with the agent, in file order. Reads small files."""
    surfaces: list[Surface] = []
    for name in _FILES:
        text = (files("agent.catalog") / name).read_text(encoding="utf-8")
        surfaces += parse_surfaces(text, source=f"agent/catalog/{name}")
    _refuse_twins(tuple(surfaces), source="agent/catalog")
    return tuple(surfaces)


def parse_surfaces(text: str, *, source: str) -> tuple[Surface, ...]:
    """Surfaces of a TOML text. Raises ConfigError naming `source` and the row."""
    document = tables.parse(text, source=source)
    tables.check_keys(document, frozenset({"surface"}), frozenset({"speaks"}), where=source)
    named = document.get("speaks", {})
    if not isinstance(named, dict):
        raise ConfigError(f"{source}: speaks must be a table")
    speaks = {name: _endpoints(rows, where=f"{source}: speaks.{name}") for name, rows in named.items()}
    rows = _items(document, "surface", where=source)
    surfaces = tuple(_surface(row, speaks, source=source) for row in rows)
    _refuse_twins(surfaces, source=source)
    return surfaces


def _refuse_twins(surfaces: tuple[Surface, ...], *, source: str) -> None:
    seen: dict[tuple[str, str], str] = {}
    shared = {host for surface in surfaces if surface.shares for host in surface.hosts}
    for surface in surfaces:
        hosts = () if surface.shares else surface.hosts
        keys = [("id", surface.id), *(("host", host) for host in hosts)]
        if clash := sorted(shared.intersection(hosts)):
            raise ConfigError(
                f"{source}: the row {surface.id!r} has the host {clash[0]!r} alone, which another row shares",
                hint="say shares = true in both",
            )
        if surface.prefix:
            keys.append(("prefix", surface.prefix))
        for key in keys:
            if key in seen:
                raise ConfigError(
                    f"{source}: the {key[0]} {key[1]!r} is in rows {seen[key]!r} and {surface.id!r}"
                )
            seen[key] = surface.id


def _surface(row: object, speaks: dict[str, tuple[Endpoint, ...]], *, source: str) -> Surface:
    if not isinstance(row, dict):
        raise ConfigError(f"{source}: a surface must be a table")
    where = f"{source}: surface {row.get('id', '?')!r}"
    tables.check_keys(row, _REQUIRED, _OPTIONAL, where=where)
    endpoints: list[Endpoint] = []
    for name in _items(row, "speaks", where=where):
        if not isinstance(name, str) or name not in speaks:
            raise ConfigError(f"{where}: speaks unknown {name!r}", hint=f"known: {', '.join(speaks)}")
        endpoints += speaks[name]
    endpoints += _endpoints(row.get("endpoints", []), where=where)
    own = tables.flag(row, "own", where=where)
    surface = Surface(
        id=tables.text(row, "id", where=where),
        name=tables.text(row, "name", where=where),
        provider=tables.text(row, "provider", where=where),
        hosts=tuple(_host(host, where=where) for host in _items(row, "hosts", where=where)),
        endpoints=tuple(endpoints),
        kind=_kind(row, where=where),
        shares=tables.flag(row, "shares", where=where),
        apps=tables.texts(row, "apps", where=where),
        http2=tables.flag(row, "http2", where=where),
        websockets=tables.flag(row, "websockets", where=where),
        own=own,
        prefix=tables.text(row, "prefix", where=where),
        origin=tables.text(row, "origin", where=where),
        key_header=tables.text(row, "key_header", where=where),
    )
    if bool(surface.hosts) == own:
        raise ConfigError(f"{where}: hosts is {'given, but the gateway itself has none' if own else 'empty'}")
    if surface.prefix and not (surface.origin.startswith("https://") and surface.key_header):
        raise ConfigError(f"{where}: a prefix needs an https origin and a key_header")
    return surface


def _kind(row: dict[str, object], *, where: str) -> Kind:
    value = row.get("kind", Kind.API.value)
    try:
        return Kind(value)  # type: ignore[arg-type]
    except ValueError:
        known = ", ".join(Kind)
        raise ConfigError(f"{where}: kind {value!r} is unknown", hint=f"known: {known}") from None


def _host(host: object, *, where: str) -> str:
    name = host
    if isinstance(host, str) and is_template(host):
        try:
            name = HostTemplate.compile(host).specimen
        except ValueError as error:
            raise ConfigError(f"{where}: {error}") from error
    labels = name.removeprefix("*.").split(".") if isinstance(name, str) else []
    if not isinstance(host, str) or len(labels) < 2 or not all(map(_is_label, labels)):
        raise ConfigError(
            f"{where}: {host!r} is no host name",
            hint='use "host.example", "*.host.example" or "{name}.host.example"',
        )
    return host


def _is_label(label: str) -> bool:
    return bool(label) and label[0] != "-" != label[-1] and not set(label) - _LABEL


def _endpoints(rows: object, *, where: str) -> tuple[Endpoint, ...]:
    if not isinstance(rows, list):
        raise ConfigError(f"{where}: endpoints must be a list of tables")
    return tuple(_endpoint(row, where=where) for row in rows)


def _endpoint(row: object, *, where: str) -> Endpoint:
    if not isinstance(row, dict):
        raise ConfigError(f"{where}: an endpoint must be a table")
    tables.check_keys(row, frozenset({"path", "dialect"}), _ENDPOINT_KEYS, where=where)
    return Endpoint(**{key: tables.text(row, key, where=where) for key in row})


def _items(row: dict[str, object], key: str, *, where: str) -> list[object]:
    value = row.get(key, [])
    if not isinstance(value, list):
        raise ConfigError(f"{where}: {key} must be a list")
    return value
