"""Reads values out of TOML tables, strictly: whatever is missing, unknown or of another type names its place."""

from __future__ import annotations

import tomllib

from agent.errors import ConfigError

type Table = dict[str, object]


def parse(text: str, *, source: str) -> Table:
    """The document that `text` is. Raises ConfigError naming `source`."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: {error}", hint="mend the TOML syntax") from error


def check_keys(row: Table, required: frozenset[str], optional: frozenset[str], *, where: str) -> None:
    """Raises ConfigError where a key of `row` is missing or unknown."""
    if missing := required - row.keys():
        raise ConfigError(f"{where}: missing {', '.join(sorted(missing))}")
    if unknown := row.keys() - required - optional:
        known = ", ".join(sorted(required | optional))
        raise ConfigError(f"{where}: unknown {', '.join(sorted(unknown))}", hint=f"known keys: {known}")


def rows(row: Table, key: str, *, where: str) -> tuple[Table, ...]:
    """The list of tables under `key`."""
    value = row.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise ConfigError(f"{where}: {key} must be a list of tables")
    return tuple(value)


def table(row: Table, key: str, *, where: str) -> Table:
    """The table under `key`, empty where there is none."""
    value = row.get(key, {})
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: {key} must be a table")
    return value


def text(row: Table, key: str, *, where: str, may_be_empty: bool = False) -> str:
    """The text under `key`, empty where there is none."""
    value = row.get(key, "")
    if not isinstance(value, str) or (key in row and not value and not may_be_empty):
        raise ConfigError(f"{where}: {key} must be a text")
    return value


def texts(row: Table, key: str, *, where: str) -> tuple[str, ...]:
    """The list of texts under `key`."""
    value = row.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        raise ConfigError(f"{where}: {key} must be a list of texts")
    return tuple(value)


def text_table(row: Table, key: str, *, where: str) -> dict[str, str]:
    """The table of texts under `key`; a text may be empty."""
    found: dict[str, str] = {}
    for name, value in table(row, key, where=where).items():
        if not isinstance(value, str):
            raise ConfigError(f"{where}: {key}.{name} must be a text")
        found[name] = value
    return found


def flag(row: Table, key: str, *, where: str) -> bool:
    """True or false under `key`; false where there is none."""
    value = row.get(key, False)
    if not isinstance(value, bool):
        raise ConfigError(f"{where}: {key} must be true or false")
    return value


def count(row: Table, key: str, *, where: str) -> int:
    """The whole number above 0 under `key`; 0 where there is none."""
    value = row.get(key, 0)
    if type(value) is not int or (key in row and value < 1):
        raise ConfigError(f"{where}: {key} must be a whole number above 0")
    return value
