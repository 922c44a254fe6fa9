"""What AI software is looked for on a machine, as data: reads the rows from TOML, strictly.

Which of it is there: `sighting`. Who lists directories: `agent/host/software.py` and its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING

from agent.catalog import tables
from agent.errors import ConfigError
from agent.model.app import App
from agent.model.inventory import Layout, McpConfig, ModelServer, Place, Software, Source, Wanted

if TYPE_CHECKING:
    from agent.catalog.tables import Table

PLATFORMS = ("linux", "macos", "windows")
FORMATS = ("json", "toml", "yaml")
_SOURCES = tuple(each.value for each in Source)
_ID = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


def platform_name(platform: str) -> str:
    """How rows name `sys.platform`."""
    return {"darwin": "macos", "win32": "windows"}.get(platform, "linux")


def bundled_wanted(platform: str, apps: Iterable[App], own: Iterable[Software] = ()) -> Wanted:
    """What is looked for on `platform` (as rows name it). `apps` give names to rows that have none; `own` rows take the
    place of those with their id. Reads one small file."""
    text = (files("agent.catalog") / "inventory.toml").read_text(encoding="utf-8")
    return parse_wanted(text, platform, apps, own, source="agent/catalog/inventory.toml")


def parse_wanted(
    text: str, platform: str, apps: Iterable[App], own: Iterable[Software] = (), *, source: str
) -> Wanted:
    """The rows of a TOML text that concern `platform`. Raises ConfigError naming `source` and the row."""
    document = tables.parse(text, source=source)
    kinds = frozenset({"software", "place", "server", "mcp"})
    tables.check_keys(document, frozenset(), kinds, where=source)
    known = {app.id: app for app in apps}
    software = [
        _software(row, known, where=_where(source, "software", row, "id"))
        for row in tables.rows(document, "software", where=source)
    ]
    ids = [each.id for each in software]
    if twin := next((each for each in ids if ids.count(each) > 1), ""):
        raise ConfigError(f"{source}: the id {twin!r} is in two rows")
    places = [
        _place(row, platform, where=_where(source, "place", row, "source"))
        for row in tables.rows(document, "place", where=source)
    ]
    servers = [
        _server(row, where=_where(source, "server", row, "app"))
        for row in tables.rows(document, "server", where=source)
    ]
    configs = [
        _config(row, platform, where=_where(source, "mcp", row, "app"))
        for row in tables.rows(document, "mcp", where=source)
    ]
    return Wanted(
        software=tuple(({each.id: each for each in software} | {each.id: each for each in own}).values()),
        places=tuple(each for each in places if each.paths),
        servers=tuple(servers),
        configs=tuple(each for each in configs if each.paths),
    )


def _where(source: str, kind: str, row: Table, key: str) -> str:
    return f"{source}: {kind} {row.get(key, '?')!r}"


def _software(row: Table, known: dict[str, App], *, where: str) -> Software:
    tables.check_keys(row, frozenset({"id"}), frozenset({"name", "vendor", *_SOURCES}), where=where)
    row_id = tables.text(row, "id", where=where)
    if set(row_id) - _ID:
        raise ConfigError(f"{where}: an id is made of lower-case letters, digits and '-'")
    app = known.get(row_id)
    name = tables.text(row, "name", where=where) or (app.name if app is not None else "")
    if not name:
        raise ConfigError(f"{where}: is no app of the catalog, so it needs a name")
    names = {
        each: tuple(name.lower() for name in tables.texts(row, each.value, where=where)) for each in Source
    }
    if not any(names.values()):
        raise ConfigError(f"{where}: has nothing to be found by", hint=f"one of: {', '.join(_SOURCES)}")
    if any(not name.strip("*") for each in names.values() for name in each):
        raise ConfigError(f"{where}: '*' alone is everything")
    vendor = tables.text(row, "vendor", where=where) or (app.vendor if app is not None else "")
    found = MappingProxyType({source: each for source, each in names.items() if each})
    return Software(id=row_id, name=name, vendor=vendor, names=found)


def _place(row: Table, platform: str, *, where: str) -> Place:
    tables.check_keys(
        row, frozenset({"source", "layout"}), frozenset({"host", "any", *PLATFORMS}), where=where
    )
    return Place(
        source=Source(_one_of(row, "source", _SOURCES, where=where)),
        layout=Layout(_one_of(row, "layout", tuple(each.value for each in Layout), where=where)),
        paths=_paths(row, platform, where=where),
        host=tables.text(row, "host", where=where),
    )


def _server(row: Table, *, where: str) -> ModelServer:
    tables.check_keys(row, frozenset({"app"}), frozenset({"models", "names"}), where=where)
    models = tables.text(row, "models", where=where)
    names = tables.texts(row, "names", where=where)
    if bool(models) != bool(names):
        raise ConfigError(f"{where}: 'models' and 'names' go together")
    if models and not models.startswith("/"):
        raise ConfigError(f"{where}: models must be a path, such as /v1/models")
    return ModelServer(app=tables.text(row, "app", where=where), models=models, names=names)


def _config(row: Table, platform: str, *, where: str) -> McpConfig:
    tables.check_keys(row, frozenset({"app", "format", "keys"}), frozenset({"any", *PLATFORMS}), where=where)
    keys = tuple(tuple(each.split("/")) for each in tables.texts(row, "keys", where=where))
    if not keys:
        raise ConfigError(f"{where}: needs at least one of 'keys'")
    return McpConfig(
        app=tables.text(row, "app", where=where),
        format=_one_of(row, "format", FORMATS, where=where),
        keys=keys,
        paths=_paths(row, platform, where=where),
    )


def _paths(row: Table, platform: str, *, where: str) -> tuple[str, ...]:
    """Those of the platform. All are checked, whatever the platform."""
    for key in ("any", *PLATFORMS):
        for path in tables.texts(row, key, where=where):
            if not path.startswith(("~/", "/", "%")) or ".." in path.split("/") or "\\" in path:
                raise ConfigError(
                    f"{where}: {path!r} is no path from '~/', '/' or a %VARIABLE%",
                    hint="write '/' on Windows, too",
                )
    return tables.texts(row, platform, where=where) + tables.texts(row, "any", where=where)


def _one_of(row: Table, key: str, allowed: tuple[str, ...], *, where: str) -> str:
    word = tables.text(row, key, where=where)
    if word not in allowed:
        raise ConfigError(f"{where}: there is no {key} {word!r}", hint=f"one of: {', '.join(allowed)}")
    return word
