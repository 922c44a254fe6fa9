"""What tells a request to a model wherever it is sent, as data: reads `telltales.toml`, strictly, and compares."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

import orjson

from agent.catalog import tables
from agent.catalog.paths import PathIndex, PathTemplate, parts_of
from agent.errors import ConfigError

_REQUIRED = frozenset({"dialect", "paths"})
_OPTIONAL = frozenset({"inside", "objects", "texts", "numbers", "present"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Telltale:
    """A format's body: the keys it must have, and what they hold."""

    dialect: str
    inside: str = ""
    objects: tuple[tuple[str, tuple[str, ...]], ...] = ()
    texts: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    present: tuple[str, ...] = ()

    def fits(self, document: object) -> bool:
        """Whether a JSON document has it."""
        if isinstance(document, dict) and self.inside:
            document = document.get(self.inside)
        if not isinstance(document, dict):
            return False
        return (
            all(_holds_objects(document.get(key), keys) for key, keys in self.objects)
            and all(isinstance(document.get(key), str) for key in self.texts)
            and all(type(document.get(key)) in (int, float) for key in self.numbers)
            and all(document.get(key) is not None for key in self.present)
        )


class Telltales:
    """The telltales that are known, found by path."""

    def __init__(self, rows: tuple[tuple[PathTemplate, Telltale], ...]) -> None:
        self.rows = rows
        self._paths = PathIndex(rows)

    def at(self, path: str) -> tuple[Telltale, ...]:
        """Those that a request at a normalised path may have."""
        parts = parts_of(path)
        return tuple(
            telltale for template, telltale in self._paths.candidates(parts[-1]) if template.fits(parts)
        )

    def recognised(self, path: str, body: bytes) -> str:
        """The dialect of a request at a normalised path, empty where its body (free of Content-Encoding) is no such
        request, or no JSON."""
        telltales = self.at(path)
        if not telltales or body.lstrip()[:1] != b"{":
            return ""
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError:
            return ""
        return next((telltale.dialect for telltale in telltales if telltale.fits(document)), "")


def bundled_telltales() -> Telltales:
    """The telltales shipped with the agent. Reads one small file."""
    text = (files("agent.catalog") / "telltales.toml").read_text(encoding="utf-8")
    return parse_telltales(text, source="agent/catalog/telltales.toml")


def parse_telltales(text: str, *, source: str) -> Telltales:
    """The telltales of a TOML text. Raises ConfigError naming `source` and the row."""
    document = tables.parse(text, source=source)
    tables.check_keys(document, frozenset({"telltale"}), frozenset(), where=source)
    rows: list[tuple[PathTemplate, Telltale]] = []
    for row in tables.rows(document, "telltale", where=source):
        where = f"{source}: telltale {row.get('dialect', '?')!r}"
        tables.check_keys(row, _REQUIRED, _OPTIONAL, where=where)
        telltale = Telltale(
            dialect=tables.text(row, "dialect", where=where),
            inside=tables.text(row, "inside", where=where),
            objects=_objects(row, where=where),
            texts=tables.texts(row, "texts", where=where),
            numbers=tables.texts(row, "numbers", where=where),
            present=tables.texts(row, "present", where=where),
        )
        if not (telltale.objects or telltale.texts or telltale.numbers or telltale.present):
            raise ConfigError(f"{where}: a path alone tells no format: name keys of the body")
        for path in tables.texts(row, "paths", where=where):
            try:
                rows.append((PathTemplate.compile(path), telltale))
            except ValueError as error:
                raise ConfigError(f"{where}: {error}") from error
    return Telltales(tuple(rows))


def _objects(row: tables.Table, *, where: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    held = tables.table(row, "objects", where=where)
    return tuple((key, tables.texts(held, key, where=f"{where}: objects")) for key in held)


def _holds_objects(value: object, keys: tuple[str, ...]) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and isinstance(value[0], dict)
        and all(key in value[0] for key in keys)
    )
