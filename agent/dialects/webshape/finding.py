"""Pointers made ready to be followed: a document goes in, the places come out to which a pointer leads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

import orjson

from agent.dialects.jsontext import parse
from agent.errors import ContentError
from agent.model.content import Address, Path
from agent.model.pointers import Filter, Fit, Pointer, Step

_MISSING = object()
_WHOLE: Address = ((), ())
"""The address of the value that a whole document is, where that is a text: the string, not its spelling."""

type Find = Callable[[object], Sequence[Found]]
"""Follows a pointer. Raises ContentError where a text should hold a JSON document and does not."""

type _Fits = Callable[[object], str | None]
"""The names that conditions take from a value; None where it does not fit them."""

type _Walk = Callable[[object, Address, Path, str, list[Found]], None]
"""What is left of a pointer, from a value on: finished documents, the path in this one, names, what was found."""


class Found:
    """A place: its address in the document that was asked, its value, and the names that the pointer took on the way.
    A plain class, for events make thousands of them."""

    __slots__ = ("address", "name", "value")

    def __init__(self, address: Address, value: object, name: str = "") -> None:
        self.address = address
        self.value = value
        self.name = name


def compiled(pointer: Pointer) -> Find:
    """The pointer, ready to be followed."""
    conditions = [*pointer.filters, *(each for step in pointer.steps for each in step.filters)]
    if all(map(_is_key, pointer.steps)) and not any(each.test is Fit.NAMES for each in conditions):
        return _straight(pointer)
    fits, walk = _fitting(pointer.filters), _walk(pointer.steps)

    def find(document: object) -> Sequence[Found]:
        name = fits(document) if fits is not None else ""
        if name is None:
            return ()
        found: list[Found] = []
        walk(document, (), (), name, found)
        return found

    return find


def fits(pointer: Pointer) -> Callable[[object], bool]:
    """Whether the pointer leads anywhere."""
    find = compiled(pointer)
    return lambda document: bool(find(document))


def text_of(value: object) -> str:
    """How a scalar is written in JSON, without the quotes of a text; empty for what holds others."""
    if isinstance(value, str):
        return value
    return "" if isinstance(value, (dict, list)) or value is _MISSING else orjson.dumps(value).decode()


def _child(value: object, key: str) -> object:
    """What stands under a key, or at a place of a list; `_MISSING` where nothing does."""
    if type(value) is dict:
        return value.get(key, _MISSING)
    if type(value) is list and key.isdecimal() and len(key) < 9 and int(key) < len(value):
        return value[int(key)]
    return _MISSING


def _is_key(step: Step) -> bool:
    return step.key is not None and not step.into_json and not step.key.isdecimal()


def _straight(pointer: Pointer) -> Find:
    """The common case: keys and conditions, one place at most, always the same address."""
    keys = tuple(step.key or "" for step in pointer.steps)
    address: Address = (keys,) if keys else _WHOLE
    checked = tuple((key, _fitting(step.filters)) for key, step in zip(keys, pointer.steps, strict=True))
    root = _fitting(pointer.filters)

    def find(document: object) -> Sequence[Found]:
        if root is not None and root(document) is None:
            return ()
        value = document
        for key, fits in checked:
            if type(value) is not dict or key not in value:
                return ()
            value = value[key]
            if fits is not None and fits(value) is None:
                return ()
        return (Found(address, value),)

    return find


def _walk(steps: tuple[Step, ...]) -> _Walk:
    if not steps:
        return _arrive
    step, onward = steps[0], _walk(steps[1:])
    fits = _fitting(step.filters)
    if step.into_json:
        return _into_json(fits, onward)
    return _every_child(step, fits, onward) if step.key is None else _one_child(step.key, fits, onward)


def _arrive(value: object, outer: Address, path: Path, name: str, found: list[Found]) -> None:
    found.append(Found((*outer, path) if path or outer else _WHOLE, value, name))


def _into_json(fits: _Fits | None, onward: _Walk) -> _Walk:
    def walk(value: object, outer: Address, path: Path, name: str, found: list[Found]) -> None:
        if not isinstance(value, str) or not value:
            return
        inner = _document_in(value)
        if (own := fits(inner) if fits is not None else "") is not None:
            onward(inner, (*outer, path), (), name + own, found)

    return walk


def _one_child(key: str, fits: _Fits | None, onward: _Walk) -> _Walk:
    def walk(value: object, outer: Address, path: Path, name: str, found: list[Found]) -> None:
        item = _child(value, key)
        if item is _MISSING:
            return
        if fits is not None:
            own = fits(item)
            if own is None:
                return
            name += own
        onward(item, outer, (*path, int(key) if type(value) is list else key), name, found)

    return walk


def _every_child(step: Step, fits: _Fits | None, onward: _Walk) -> _Walk:
    named = step.named

    def walk(value: object, outer: Address, path: Path, name: str, found: list[Found]) -> None:
        items: Iterable[tuple[str | int, object]]
        if type(value) is list:
            items = enumerate(value)
        elif type(value) is dict:
            items = value.items()
        else:
            return
        for key, item in items:
            own = fits(item) if fits is not None else ""
            if own is not None:
                known = f"{name}/{key}{own}" if named else name + own
                onward(item, outer, (*path, key), known, found)

    return walk


def _document_in(text: str) -> object:
    try:
        return parse(text)
    except ContentError:
        raise ContentError("a text that should hold a JSON document does not") from None


def _fitting(filters: tuple[Filter, ...]) -> _Fits | None:
    """The conditions, ready; None where there are none."""
    if not filters:
        return None
    first, *more = map(_fit, filters)
    if not more:
        return first

    def fits(value: object) -> str | None:
        names = first(value)
        for each in more:
            if names is None or (own := each(value)) is None:
                return None
            names += own
        return names

    return fits


def _fit(condition: Filter) -> _Fits:
    test, values, path = condition.test, condition.values, condition.path
    asks = _ASKS[test]
    (key, *deeper) = path

    def fits(value: object) -> str | None:
        held = value.get(key, _MISSING) if type(value) is dict else _child(value, key)
        for each in deeper:
            held = _child(held, each)
        if held is _MISSING:
            return "" if test is Fit.IS_NOT else None
        if test is Fit.NAMES:
            return f"/{text_of(held)[:100]}"
        text = held if type(held) is str else text_of(held)
        return "" if asks(text, values) else None

    return fits


_ASKS: Mapping[Fit, Callable[[str, tuple[str, ...]], bool]] = MappingProxyType(
    {
        Fit.HAS: lambda _, __: True,
        Fit.NAMES: lambda _, __: True,
        Fit.IS: lambda text, values: text in values,
        Fit.IS_NOT: lambda text, values: text not in values,
        Fit.BEGINS: lambda text, values: text.startswith(values),
        Fit.ENDS: lambda text, values: text.endswith(values),
    }
)
