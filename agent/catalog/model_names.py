"""Whose a model is by its name alone, as data: reads the rows from TOML, strictly."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

from agent.catalog import tables
from agent.catalog.patterns import fits
from agent.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Models that share a kind of name, and the ids of the catalog's providers that have them, the maker first."""

    models: tuple[str, ...]
    providers: tuple[str, ...]

    def has(self, name: str) -> bool:
        """Whether `name` (lower case) is one of them."""
        return any(fits(pattern, name) for pattern in self.models)


def bundled_families() -> tuple[Family, ...]:
    """The families shipped with the agent, in file order. Reads one small file."""
    text = (files("agent.catalog") / "model_names.toml").read_text(encoding="utf-8")
    return parse_families(text, source="agent/catalog/model_names.toml")


def parse_families(text: str, *, source: str) -> tuple[Family, ...]:
    """Families of a TOML text. Raises ConfigError naming `source`."""
    document = tables.parse(text, source=source)
    tables.check_keys(document, frozenset({"family"}), frozenset(), where=source)
    families: list[Family] = []
    for row in tables.rows(document, "family", where=source):
        tables.check_keys(row, frozenset({"models", "providers"}), frozenset(), where=f"{source}: family")
        family = Family(
            models=tables.texts(row, "models", where=source),
            providers=tables.texts(row, "providers", where=source),
        )
        if not family.models or not family.providers:
            raise ConfigError(f"{source}: a family needs models and providers")
        families.append(family)
    return tuple(families)
