"""The apps as data: reads their rows from TOML, strictly. An unknown or missing key names its row.

How an app is told from facts about a process or a request: `recognition`.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from agent.catalog import tables
from agent.errors import ConfigError
from agent.model.app import App, AppKind, HeaderMark

if TYPE_CHECKING:
    from agent.catalog.tables import Table

_REQUIRED = frozenset({"id", "name", "vendor", "kind"})
_LISTS = (
    "names",
    "paths",
    "scripts",
    "modules",
    "bundles",
    "teams",
    "signing_ids",
    "signers",
    "packages",
    "user_agents",
)
_OPTIONAL = frozenset({*_LISTS, "headers", "hosted_by"})
_NO_GLOB = frozenset("#!?[")  # `patterns` reads two of them in a way of its own
_ID = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")

type Groups = dict[str, tuple[str, ...]]


def bundled_apps() -> tuple[App, ...]:
    """The apps shipped with the agent, in file order. Reads one small file."""
    text = (files("agent.catalog") / "apps.toml").read_text(encoding="utf-8")
    return parse_apps(text, source="agent/catalog/apps.toml")


def parse_apps(text: str, *, source: str) -> tuple[App, ...]:
    """Apps of a TOML text. Raises ConfigError naming `source` and the row."""
    document = tables.parse(text, source=source)
    tables.check_keys(document, frozenset({"app"}), frozenset({"groups"}), where=source)
    table = tables.table(document, "groups", where=source)
    groups = {name: tables.texts(table, name, where=f"{source}: groups") for name in table}
    rows = tables.rows(document, "app", where=source)
    apps = tuple(_app(row, groups, where=f"{source}: app {row.get('id', '?')!r}") for row in rows)
    ids = [app.id for app in apps]
    if twin := next((each for each in ids if ids.count(each) > 1), ""):
        raise ConfigError(f"{source}: the id {twin!r} is in two rows")
    for app in apps:
        if strangers := set(app.hosted_by) - set(ids):
            raise ConfigError(
                f"{source}: app {app.id!r}: hosted_by names {min(strangers)!r}, which is no app"
            )
    return apps


def _app(row: Table, groups: Groups, *, where: str) -> App:
    tables.check_keys(row, _REQUIRED, _OPTIONAL, where=where)
    app_id = tables.text(row, "id", where=where)
    if set(app_id) - _ID:
        raise ConfigError(f"{where}: an id is made of lower-case letters, digits and '-'")
    hosts: list[str] = []
    for host in tables.texts(row, "hosted_by", where=where):
        hosts += groups.get(host, (host,))
    for key in _LISTS:
        if any(set(each) & _NO_GLOB for each in tables.texts(row, key, where=where)):
            raise ConfigError(f"{where}: {key}: only '*' stands for something else than itself")
    try:
        headers = tuple(map(HeaderMark.parse, tables.texts(row, "headers", where=where)))
    except ValueError as error:
        raise ConfigError(f"{where}: headers: {error}") from None
    return App(
        id=app_id,
        name=tables.text(row, "name", where=where),
        vendor=tables.text(row, "vendor", where=where),
        kind=_kind(row, where=where),
        headers=headers,
        hosted_by=tuple(dict.fromkeys(each for each in hosts if each != app_id)),
        **{key: tables.texts(row, key, where=where) for key in _LISTS},
    )


def _kind(row: Table, *, where: str) -> AppKind:
    word = tables.text(row, "kind", where=where)
    try:
        return AppKind(word)
    except ValueError:
        raise ConfigError(
            f"{where}: there is no kind {word!r}", hint=f"one of: {', '.join(AppKind)}"
        ) from None
