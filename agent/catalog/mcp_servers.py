"""The MCP servers that a client's configuration names: their names and kind of transport, nothing else of them. Pure.

Arguments, addresses, headers and environment values hold secrets: they are not looked at further than to tell whether
a server is a program of this machine or somewhere else.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator

import orjson
import yaml

from agent.errors import ContentError

MAX_SERVERS = 256
"""Of one file."""

_MAX_NAME = 128  # characters
_LOCAL = ("command", "cmd")
_REMOTE = ("url", "serverUrl", "httpUrl", "uri", "endpoint")
_KINDS = {
    "stdio": "stdio",
    "local": "stdio",
    "builtin": "builtin",
    "sse": "sse",
    "ws": "ws",
    "http": "http",
    "remote": "http",
    "streamable-http": "http",
    "streamable_http": "http",
}


def servers(data: bytes, form: str, keys: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, str], ...]:
    """Name and transport (empty where it does not show) of every server below one of `keys`, each once. `form` is json
    (with comments), toml or yaml. Raises ContentError."""
    document = _parsed(data, form)
    found: dict[str, str] = {}
    for path in keys:
        for table in _below(document, path):
            for name, entry in _entries(table):
                if len(found) >= MAX_SERVERS:
                    return tuple(found.items())
                if name and isinstance(entry, dict):
                    found.setdefault(name[:_MAX_NAME], _transport(entry))
    return tuple(found.items())


def _parsed(data: bytes, form: str) -> object:
    try:
        match form:
            case "toml":
                return tomllib.loads(data.decode("utf-8"))
            case "yaml":
                return yaml.safe_load(data)
            case _:
                return orjson.loads(without_comments(data.decode("utf-8-sig")))
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise ContentError(f"is no {form.upper()}") from error


def _below(node: object, path: tuple[str, ...]) -> Iterator[object]:
    if not path:
        yield node
        return
    if not isinstance(node, dict):
        return
    first, *rest = path
    nodes = list(node.values()) if first == "*" else [node[first]] if first in node else []
    for each in nodes:
        yield from _below(each, tuple(rest))


def _entries(table: object) -> Iterator[tuple[str, object]]:
    if isinstance(table, dict):
        for name, entry in table.items():
            yield str(name), entry
    elif isinstance(table, list):
        for entry in table:
            if isinstance(entry, dict):
                yield str(entry.get("name", "")), entry


def _transport(entry: dict[object, object]) -> str:
    said = entry.get("type") or entry.get("transport")
    if isinstance(said, str) and (kind := _KINDS.get(said.lower())):
        return kind
    if any(entry.get(key) for key in _LOCAL):
        return "stdio"
    return "http" if any(entry.get(key) for key in _REMOTE) else ""


def without_comments(text: str) -> str:
    """JSON as editors write it (comments, commas before a closing bracket), as plain JSON."""
    kept: list[str] = []
    at, size = 0, len(text)
    while at < size:
        char = text[at]
        if char == '"':
            end = _string_end(text, at)
            kept.append(text[at:end])
            at = end
        elif text.startswith("//", at):
            end = text.find("\n", at)
            at = size if end < 0 else end
        elif text.startswith("/*", at):
            end = text.find("*/", at + 2)
            at = size if end < 0 else end + 2
        elif char in "]}":
            _drop_comma(kept)
            kept.append(char)
            at += 1
        else:
            kept.append(char)
            at += 1
    return "".join(kept)


def _string_end(text: str, start: int) -> int:
    at = start + 1
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text[at] == '"':
            return at + 1
        else:
            at += 1
    return len(text)


def _drop_comma(kept: list[str]) -> None:
    """Take away a comma that nothing follows."""
    last = len(kept) - 1
    while last >= 0 and kept[last].isspace():
        last -= 1
    if last >= 0 and kept[last] == ",":
        del kept[last]
