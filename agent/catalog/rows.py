"""Reads catalog rows from TOML, strictly: an unknown or missing key names its row and is an error.

The rows of APIs are in `surfaces.toml`, those that few know in `surfaces_more.toml`, those of coding agents in
`agents.toml`, those of web pages and desktop apps in `chats.toml`, or in `chats_more.toml` where their formats are
shapes; `uploads.toml` adds where files are uploaded. A policy may bring a file of the same form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from agent.catalog import tables
from agent.catalog.hosts import checked_host
from agent.errors import ConfigError
from agent.model.surface import Confidence, Endpoint, Kind, Surface

_REQUIRED = frozenset({"id", "name", "provider", "hosts"})
_FILES = ("surfaces.toml", "surfaces_more.toml", "agents.toml", "chats.toml", "chats_more.toml")
_OPTIONAL = frozenset(
    {
        "speaks",
        "endpoints",
        "kind",
        "shares",
        "never",
        "apps",
        "http2",
        "websockets",
        "pinned",
        "optional",
        "misread",
        "own",
        "prefix",
        "origin",
        "key_header",
        "confidence",
        "seen",
    }
)
_ENDPOINT_KEYS = frozenset(
    {"dialect", "operation", "socket", "app", "file_id", "upload_url", "upload_id", "sealed", "seal"}
)
_UPLOADS = "uploads.toml"
_UPLOAD_KEYS = frozenset(
    {"name", "provider", "hosts", "kind", "shares", "http2", "websockets", "confidence", "seen"}
)
_REFUSALS = range(400, 500)
_DIGITS = frozenset("0123456789")

type Speaks = Mapping[str, tuple[Endpoint, ...]]
"""Dialects by the name under which a row says that it speaks them, with the paths where they are usually spoken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """A catalog as it is written: its version, its rows in order, and the names that a row may use in `speaks`."""

    version: str
    surfaces: tuple[Surface, ...]
    speaks: Speaks


@cache
def bundled_rows() -> Rows:
    """The catalog shipped with the agent, in file order; the first file tells the version. Read once in a process."""
    version = ""
    surfaces: tuple[Surface, ...] = ()
    speaks: Speaks = MappingProxyType({})
    for name in _FILES:
        text = (files("agent.catalog") / name).read_text(encoding="utf-8")
        read = parse_rows(text, source=f"agent/catalog/{name}", speaks=speaks)
        version, surfaces, speaks = version or read.version, surfaces + read.surfaces, read.speaks
    text = (files("agent.catalog") / _UPLOADS).read_text(encoding="utf-8")
    surfaces = with_uploads(surfaces, text, source=f"agent/catalog/{_UPLOADS}")
    refuse_twins(surfaces, source="agent/catalog")
    return Rows(version=version, surfaces=surfaces, speaks=speaks)


def bundled_surfaces() -> tuple[Surface, ...]:
    """The surfaces shipped with the agent, in file order. Reads small files."""
    return bundled_rows().surfaces


def parse_surfaces(text: str, *, source: str) -> tuple[Surface, ...]:
    """Surfaces of a TOML text. Raises ConfigError naming `source` and the row."""
    return parse_rows(text, source=source).surfaces


def parse_rows(text: str, *, source: str, speaks: Speaks = MappingProxyType({})) -> Rows:
    """The catalog of a TOML text, whose rows may also say that they speak what `speaks` names. Raises ConfigError
    naming `source` and the row."""
    document = tables.parse(text, source=source)
    tables.check_keys(document, frozenset({"surface"}), frozenset({"speaks", "version"}), where=source)
    named = document.get("speaks", {})
    if not isinstance(named, dict):
        raise ConfigError(f"{source}: speaks must be a table")
    known = dict(speaks)
    known |= {name: _endpoints(rows, where=f"{source}: speaks.{name}") for name, rows in named.items()}
    rows = _items(document, "surface", where=source)
    surfaces = tuple(_surface(row, known, source=source) for row in rows)
    refuse_twins(surfaces, source=source)
    return Rows(version=_version(document, where=source), surfaces=surfaces, speaks=MappingProxyType(known))


def _version(document: dict[str, object], *, where: str) -> str:
    version = tables.text(document, "version", where=where)
    shape = "".join("0" if character in _DIGITS else character for character in version)
    if version and shape.partition(".")[0] != "0000-00-00":
        raise ConfigError(f"{where}: version {version!r} must begin with a date such as 2026-11-27")
    return version


def with_uploads(surfaces: tuple[Surface, ...], text: str, *, source: str) -> tuple[Surface, ...]:
    """`surfaces` with the endpoints that a TOML text adds to them: each of its rows names a surface. One that is not
    there is made of the row, which then must say what a surface says. Raises ConfigError."""
    document = tables.parse(text, source=source)
    tables.check_keys(document, frozenset({"upload"}), frozenset(), where=source)
    known = {surface.id: surface for surface in surfaces}
    for row in tables.rows(document, "upload", where=source):
        where = f"{source}: upload {row.get('surface', '?')!r}"
        tables.check_keys(row, frozenset({"surface", "endpoints"}), _UPLOAD_KEYS, where=where)
        name = tables.text(row, "surface", where=where)
        if (surface := known.get(name)) is None:
            about = {key: value for key, value in row.items() if key != "surface"}
            known[name] = _surface({"id": name, **about}, {}, source=source)
        else:
            added = _endpoints(row["endpoints"], where=where)
            known[name] = replace(surface, endpoints=(*surface.endpoints, *added))
    return tuple(known.values())


def refuse_twins(surfaces: tuple[Surface, ...], *, source: str) -> None:
    """Raises ConfigError, naming `source`, for rows that have an id, a host or a prefix in common and should not."""
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


def _surface(row: object, speaks: Speaks, *, source: str) -> Surface:
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
        hosts=tuple(checked_host(host, where=where) for host in _items(row, "hosts", where=where)),
        endpoints=tuple(endpoints),
        kind=_kind(row, where=where),
        shares=tables.flag(row, "shares", where=where),
        never=tables.texts(row, "never", where=where),
        apps=tables.texts(row, "apps", where=where),
        http2=tables.flag(row, "http2", where=where),
        websockets=tables.flag(row, "websockets", where=where),
        pinned=tables.texts(row, "pinned", where=where),
        misread=_statuses(row, where=where),
        optional=tables.flag(row, "optional", where=where),
        own=own,
        prefix=tables.text(row, "prefix", where=where),
        origin=tables.text(row, "origin", where=where),
        key_header=tables.text(row, "key_header", where=where),
        confidence=_confidence(row, where=where),
        seen=_month(row, where=where),
    )
    if bool(surface.hosts) == own:
        raise ConfigError(f"{where}: hosts is {'given, but the gateway itself has none' if own else 'empty'}")
    if surface.prefix and not (surface.origin.startswith("https://") and surface.key_header):
        raise ConfigError(f"{where}: a prefix needs an https origin and a key_header")
    return surface


def _statuses(row: dict[str, object], *, where: str) -> tuple[int, ...]:
    values = _items(row, "misread", where=where)
    statuses = tuple(value for value in values if type(value) is int and value in _REFUSALS)
    if len(statuses) != len(values):
        raise ConfigError(f"{where}: misread must be a list of HTTP statuses from 400 to 499")
    return statuses


def _kind(row: dict[str, object], *, where: str) -> Kind:
    value = row.get("kind", Kind.API.value)
    try:
        return Kind(value)  # type: ignore[arg-type]
    except ValueError:
        known = ", ".join(Kind)
        raise ConfigError(f"{where}: kind {value!r} is unknown", hint=f"known: {known}") from None


def _confidence(row: dict[str, object], *, where: str) -> Confidence:
    value = row.get("confidence", Confidence.DOCUMENTED.value)
    if value not in [each.value for each in Confidence]:
        raise ConfigError(f"{where}: confidence {value!r} is unknown", hint=f"known: {', '.join(Confidence)}")
    return Confidence(str(value))


def _month(row: dict[str, object], *, where: str) -> str:
    value = tables.text(row, "seen", where=where)
    year, _, month = value.partition("-")
    plain = len(value) == 7 and year.isdecimal() and month.isdecimal() and value.isascii()
    if value and not (plain and "01" <= month <= "12"):
        raise ConfigError(f"{where}: seen must be a month such as 2026-08")
    return value


def _endpoints(rows: object, *, where: str) -> tuple[Endpoint, ...]:
    if not isinstance(rows, list):
        raise ConfigError(f"{where}: endpoints must be a list of tables")
    return tuple(_endpoint(row, where=where) for row in rows)


def _endpoint(row: object, *, where: str) -> Endpoint:
    if not isinstance(row, dict):
        raise ConfigError(f"{where}: an endpoint must be a table")
    tables.check_keys(row, frozenset({"path"}), _ENDPOINT_KEYS, where=where)
    if not row.keys() & {"dialect", "socket"}:
        raise ConfigError(f"{where}: an endpoint needs a dialect, or a socket")
    if str(row["path"]).endswith("/**"):
        raise ConfigError(f"{where}: {row['path']} must not end in '/**': an endpoint is one path")
    texts = {key: tables.text(row, key, where=where) for key in row if key != "sealed"}
    return Endpoint(**texts, sealed=tables.flag(row, "sealed", where=where))


def _items(row: dict[str, object], key: str, *, where: str) -> list[object]:
    value = row.get(key, [])
    if not isinstance(value, list):
        raise ConfigError(f"{where}: {key} must be a list")
    return value
