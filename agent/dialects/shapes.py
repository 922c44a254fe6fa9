"""Narrowing of JSON values: what is not of the expected shape reads as empty, never as an error."""

from __future__ import annotations

from collections.abc import Iterator

from agent.dialects.jsontext import parse
from agent.errors import ContentError


def json_object(body: bytes) -> dict[str, object]:
    """The object that the body holds. Raises ContentError as `jsontext.parse` does, and where it is no object."""
    value = parse(body)
    if not isinstance(value, dict):
        raise ContentError("the body is JSON but not an object")
    return value


def mapping(value: object) -> dict[str, object]:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: object) -> Iterator[tuple[int, dict[str, object]]]:
    """The objects in an array with their indices; nothing where it is none."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, dict):
                yield index, item


def string(value: object) -> str:
    """`value` if it is a string, else the empty one."""
    return value if isinstance(value, str) else ""


def integer(value: object) -> int | None:
    """`value` if it is a whole number (true and false are none), else None."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def most(value: object) -> int | None:
    """`value` if it bounds a number of tokens: 0 or more, and whole; `100.0`, which some languages write for 100, is.
    Servers take negative ones for no bound at all."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    whole = integer(value)
    return whole if whole is not None and whole >= 0 else None


def holds_prose(value: object) -> bool:
    """Whether a string in the value has white space between words: what somebody said, not an id or a token. Keys do
    not count."""
    match value:
        case str():
            return len(value.split(maxsplit=1)) > 1
        case dict():
            return any(map(holds_prose, value.values()))
        case list():
            return any(map(holds_prose, value))
    return False
