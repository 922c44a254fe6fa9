"""Fields of a request, read with their types: what is absent or null is not given, what has the wrong type is an error
that names the field."""

from __future__ import annotations

from agent.errors import ContentError

type Document = dict[str, object]


def text(document: Document, key: str) -> str:
    """A string, empty where it is not given."""
    value = document.get(key)
    if value is None:
        return ""
    if type(value) is not str:
        raise wrong(key, "a string")
    return value


def number(document: Document, key: str) -> float | None:
    """A number."""
    value = document.get(key)
    if value is None:
        return None
    if type(value) is not float and type(value) is not int:
        raise wrong(key, "a number")
    return float(value)


def whole(document: Document, key: str) -> int | None:
    """A whole number; `100.0`, which some languages write for 100, is one."""
    value = document.get(key)
    if value is None:
        return None
    if type(value) is float and value.is_integer():
        return int(value)
    if type(value) is not int:
        raise wrong(key, "a whole number")
    return value


def flag(document: Document, key: str) -> bool | None:
    """True or false."""
    value = document.get(key)
    if value is not None and type(value) is not bool:
        raise wrong(key, "true or false")
    return value


def array(document: Document, key: str) -> list[object]:
    """An array, empty where it is not given."""
    value = document.get(key)
    if value is None:
        return []
    if type(value) is not list:
        raise wrong(key, "an array")
    return value


def nested(document: Document, key: str) -> Document:
    """An object, empty where it is not given."""
    value = document.get(key)
    if value is None:
        return {}
    if type(value) is not dict:
        raise wrong(key, "an object")
    return value


def texts(document: Document, key: str) -> tuple[str, ...]:
    """An array of strings, or one string alone."""
    value = document.get(key)
    if type(value) is str:
        return (value,)
    found = array(document, key)
    if not all(type(item) is str for item in found):
        raise wrong(key, "a string or an array of strings")
    return tuple(str(item) for item in found)


def entry(items: list[object], index: int, path: str) -> Document:
    """The object at `index` of the array `path`."""
    value = items[index]
    if type(value) is not dict:
        raise wrong(f"{path}[{index}]", "an object")
    return value


def wrong(path: str, expected: str) -> ContentError:
    """The error for a field that is not what the format promises."""
    return ContentError(f"`{path}` must be {expected}", hint=f"Send {expected} in `{path}`.")
