"""Bytes and JSON for the echo's voices: encoding, SSE events, and safe looks into what clients send."""

from __future__ import annotations

import json
from collections.abc import Iterator

from agent.errors import ContentError
from agent.gateway.echo.reply import JsonObject, Tool


def encode(value: object, *, indent: int | None = None) -> bytes:
    """`value` as JSON, in raw UTF-8 as providers write it; escaped only for lone surrogates."""
    separators = (",", ":") if indent is None else (",", ": ")
    try:
        return json.dumps(value, ensure_ascii=False, indent=indent, separators=separators).encode()
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent, separators=separators).encode()


def sse(value: object, *, event: str = "", newline: bytes = b"\n") -> bytes:
    """One server-sent event whose data is `value` as JSON."""
    name = b"event: " + event.encode() + newline if event else b""
    return name + b"data: " + encode(value) + newline + newline


def decode(body: bytes) -> JsonObject:
    """The JSON object in `body`. Raises ContentError where it is something else."""
    try:
        value = json.loads(body.decode())
    except (ValueError, RecursionError):
        raise ContentError("the body is not valid JSON") from None
    if not isinstance(value, dict):
        raise ContentError("the body is not a JSON object")
    return value


def objects(value: object) -> Iterator[JsonObject]:
    """The JSON objects in a list; nothing where `value` is no list."""
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                yield item


def member(value: JsonObject, *names: str) -> JsonObject:
    """The object at the first of `names` that holds one, or an empty object."""
    for name in names:
        if isinstance(found := value.get(name), dict):
            return found
    return {}


def word(value: JsonObject, *names: str) -> str:
    """The string at the first of `names` that holds one, or an empty string."""
    for name in names:
        if isinstance(found := value.get(name), str):
            return found
    return ""


def texts(content: object, *types: str) -> tuple[str, ...]:
    """The texts of a message's content: itself if it is a string, else its parts of one of these `type`s."""
    if isinstance(content, str):
        return (content,)
    return tuple(word(part, "text") for part in objects(content) if part.get("type") in types)


def functions(offered: Iterator[JsonObject]) -> tuple[Tool, ...]:
    """The functions in a list of their descriptions."""
    names = (word(one, "name") for one in offered)
    return tuple(Tool(name=name) for name in names if name)
