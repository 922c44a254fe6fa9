"""Whether a JSON value follows the types in which an SDK describes its requests, unknown fields not allowed."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import typing_extensions


def complaints(value: Any, expected: Any, at: str = "") -> Iterator[str]:
    """What does not fit, with its place."""
    expected = _bare(expected)
    origin, inner = typing.get_origin(expected), typing.get_args(expected)
    if typing_extensions.is_typeddict(expected):
        yield from _object(value, expected, at)
    elif origin in (typing.Union, types.UnionType):
        yield from _any_of(value, inner, at)
    elif origin is typing.Literal or origin is typing_extensions.Literal:
        if value not in inner:
            yield f"{at}: {value!r} is none of {', '.join(map(repr, inner))}"
    elif isinstance(origin, type) and issubclass(origin, Mapping):
        if isinstance(value, dict):
            for key, item in value.items():
                yield from complaints(item, inner[1], f"{at}.{key}")
        else:
            yield f"{at}: is no object"
    elif isinstance(origin, type) and issubclass(origin, Iterable):
        yield from _list(value, inner[0], at)
    elif not _plain(value, expected):
        yield f"{at}: {type(value).__name__} where {getattr(expected, '__name__', expected)} is expected"


def _bare(expected: Any) -> Any:
    while typing.get_origin(expected) in (
        typing.Annotated,
        typing_extensions.Required,
        typing_extensions.NotRequired,
    ):
        expected = typing.get_args(expected)[0]
    value = getattr(expected, "__value__", None)
    return _bare(value) if value is not None else expected


@cache
def _fields(expected: Any) -> Mapping[str, Any]:
    return typing_extensions.get_type_hints(expected, include_extras=True)


@cache
def _required(expected: Any) -> frozenset[str]:
    """Where a module postpones its annotations, `__required_keys__` knows nothing of what stands in them."""
    origins = {name: typing.get_origin(kind) for name, kind in _fields(expected).items()}
    said = {
        name for name, origin in origins.items() if origin in (typing.Required, typing_extensions.Required)
    }
    not_said = {
        name
        for name, origin in origins.items()
        if origin in (typing.NotRequired, typing_extensions.NotRequired)
    }
    return frozenset(said | expected.__required_keys__ - not_said)


def _object(value: Any, expected: Any, at: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{at}: is no object"
        return
    fields = _fields(expected)
    for name in sorted(_required(expected) - value.keys()):
        yield f"{at}.{name}: field required"
    for name, item in value.items():
        if name in fields:
            yield from complaints(item, fields[name], f"{at}.{name}")
        else:
            yield f"{at}.{name}: extra inputs are not permitted"


def _any_of(value: Any, options: Sequence[Any], at: str) -> Iterator[str]:
    """The complaints of the option that fits best: of the same kind and tag, if there is one."""
    best: tuple[bool, list[str]] | None = None
    for option in options:
        found = list(complaints(value, option, at))
        if not found:
            return
        tags = tuple(f"{at}.{tag}:" for tag in ("type", "role"))
        fits = isinstance(value, list) is _is_list(option) and not any(
            each.startswith(tags) for each in found
        )
        if best is None or (fits and not best[0]):
            best = (fits, found)
    yield from best[1] if best else ()


def _is_list(option: Any) -> bool:
    origin = typing.get_origin(_bare(option))
    return isinstance(origin, type) and issubclass(origin, Iterable) and not issubclass(origin, Mapping)


def _list(value: Any, inner: Any, at: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{at}: is no array"
        return
    for index, item in enumerate(value):
        yield from complaints(item, inner, f"{at}.{index}")


def _plain(value: Any, expected: Any) -> bool:
    if expected in (Any, object):
        return True
    if expected is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if expected is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if expected in (None, type(None)):
        return value is None
    return isinstance(value, expected) if isinstance(expected, type) else True
