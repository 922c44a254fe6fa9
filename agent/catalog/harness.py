"""Reads what is known of agents' own tools and sessions: `harness.toml`, strictly."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files

from agent.catalog.patterns import fits, is_plain
from agent.errors import ConfigError
from agent.model.tool import ToolKind

_SOURCE = "agent/catalog/harness.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Harness:
    """`local_tools`: names, in lower case, of tools whose calls stay on the machine. `session_headers` and
    `session_keys` name a conversation; `continuing_keys` say that the provider keeps what came before. `tool_kinds`
    say what the tools of an agent do: exact names and patterns, in lower case, by the agent."""

    local_tools: frozenset[str] = frozenset()
    session_headers: tuple[str, ...] = ()
    session_keys: tuple[str, ...] = ()
    continuing_keys: tuple[str, ...] = ()
    tool_kinds: tuple[tuple[str, Mapping[str, ToolKind]], ...] = ()

    def kind(self, tool: str, app: str = "") -> ToolKind:
        """What `tool` does. The agent's own names go before those of others, exact ones before patterns."""
        name = tool.lower()
        tables = sorted((each for each in self.tool_kinds), key=lambda each: each[0] != app)
        for _, kinds in tables:
            if (kind := kinds.get(name)) is not None:
                return kind
        for _, kinds in tables:
            for pattern, kind in kinds.items():
                if not is_plain(pattern) and fits(pattern, name):
                    return kind
        return ToolKind.OTHER


def bundled_harness() -> Harness:
    """The facts shipped with the agent. Reads one small file."""
    return parse_harness(
        (files("agent.catalog") / "harness.toml").read_text(encoding="utf-8"), source=_SOURCE
    )


def parse_harness(text: str, *, source: str) -> Harness:
    """The facts in a TOML text. Raises ConfigError naming `source` and the key."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: {error}", hint="mend the TOML syntax") from error
    _only(document, {"tools", "kinds", "conversation"}, source)
    rows = document.get("tools", [])
    if not isinstance(rows, list):
        raise ConfigError(f"{source}: tools must be a list of tables")
    local: set[str] = set()
    for row in rows:
        if not isinstance(row, dict):
            raise ConfigError(f"{source}: tools must be a list of tables")
        where = f"{source}: tools {row.get('agent', '?')!r}"
        _only(row, {"agent", "names"}, where)
        local.update(name.lower() for name in _words(row, "names", where))
    conversation = document.get("conversation", {})
    where = f"{source}: conversation"
    if not isinstance(conversation, dict):
        raise ConfigError(f"{where} must be a table")
    _only(conversation, {"headers", "keys", "continues"}, where)
    return Harness(
        local_tools=frozenset(local),
        session_headers=_words(conversation, "headers", where),
        session_keys=_words(conversation, "keys", where),
        continuing_keys=_words(conversation, "continues", where),
        tool_kinds=tuple(_kinds(document, source)),
    )


def _kinds(document: dict[str, object], source: str) -> Iterator[tuple[str, Mapping[str, ToolKind]]]:
    rows = document.get("kinds", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ConfigError(f"{source}: kinds must be a list of tables")
    for row in rows:
        agent = row.get("agent")
        where = f"{source}: kinds {agent!r}"
        if not isinstance(agent, str) or not agent:
            raise ConfigError(f"{where}: agent must be a word")
        _only(row, {"agent", *ToolKind}, where)
        named: dict[str, ToolKind] = {}
        for kind in ToolKind:
            for name in _words(row, kind, where):
                if named.setdefault(name.lower(), kind) is not kind:
                    raise ConfigError(f"{where}: {name!r} is of two kinds")
        yield agent, named


def _only(table: dict[str, object], known: set[str], where: str) -> None:
    if unknown := sorted(set(table) - known):
        raise ConfigError(
            f"{where}: unknown key {', '.join(unknown)}", hint=f"known: {', '.join(sorted(known))}"
        )


def _words(table: dict[str, object], key: str, where: str) -> tuple[str, ...]:
    words = table.get(key, [])
    if not isinstance(words, list) or not all(isinstance(word, str) and word for word in words):
        raise ConfigError(f"{where}: {key} must be a list of words")
    return tuple(words)
