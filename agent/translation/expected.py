"""What a request promises, field by field: a value of the expected kind or a ContentError that names the field.

For requests, whose author can mend them; answers are read with `dialects.shapes`, which never complains. An absent
field and `null` are the same in every format.
"""

from __future__ import annotations

from agent.errors import ContentError
from agent.model.conversation import Json


def text(value: object, where: str) -> str:
    """A string; empty where absent."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise wrong(where, "a string")
    return value


def flag(value: object, where: str) -> bool | None:
    """True or false; None where absent."""
    if value is None or isinstance(value, bool):
        return value
    raise wrong(where, "true or false")


def count(value: object, where: str) -> int | None:
    """A whole number, also where it is written `1.0`; None where absent."""
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong(where, "a whole number")
    return value


def number(value: object, where: str) -> float | None:
    """A number; None where absent."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise wrong(where, "a number")
    return value


def array(value: object, where: str) -> list[object]:
    """An array; empty where absent."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise wrong(where, "an array")
    return value


def fields(value: object, where: str) -> dict[str, object]:
    """An object; empty where absent."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise wrong(where, "an object")
    return value


def schema(value: object, where: str) -> dict[str, Json]:
    """An object that holds a JSON Schema; empty where absent."""
    return fields(value, where)  # type: ignore[return-value]  # orjson reads nothing but `Json`


def strings(value: object, where: str) -> tuple[str, ...]:
    """An array of strings; empty where absent."""
    return tuple(text(item, f"{where}[{index}]") for index, item in enumerate(array(value, where)))


def others(value: dict[str, object], where: str, known: frozenset[str]) -> list[str]:
    """The paths of the fields that are not `known`. One that is null says nothing."""
    if known.issuperset(value):
        return []
    return [f"{where}.{key}" for key, one in value.items() if one is not None and key not in known]


def wrong(where: str, expected: str) -> ContentError:
    """The error for a field that is not what it should be."""
    return ContentError(f"{where} must be {expected}", hint=f"send {expected} as {where}, or leave it out")
