"""Pointers made ready to be followed: a document goes in, the places come out to which a pointer leads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import orjson

from agent.dialects.jsontext import parse
from agent.errors import ContentError
from agent.model.content import Address, Path
from agent.model.pointers import Filter, Fit, Pointer, Step

_MISSING = object()
_WHOLE: Address = ((), ())
"""The address of the value that a whole document is, where that is a text: the string, not its spelling."""

type Find = Callable[[object], list[Found]]
"""Follows a pointer. Raises ContentError where a text should hold a JSON document and does not."""


@dataclass(frozen=True, slots=True)
class Found:
    """A place: its address in the document that was asked, where it stands among others (`place` sorts as the document
    reads), its value, and the names that the pointer takes on the way."""

    address: Address
    place: tuple[int, ...]
    value: object
    name: str = ""


def compiled(pointer: Pointer) -> Find:
    """The pointer, ready to be followed."""
    keys = tuple(step.key for step in pointer.steps if _is_plain(step))
    if len(keys) == len(pointer.steps) and not pointer.filters and keys:
        return _straight(tuple(key for key in keys if key is not None))
    steps, filters = pointer.steps, pointer.filters

    def find(document: object) -> list[Found]:
        found: list[Found] = []
        if (name := _fitting(filters, document)) is not None:
            _follow(steps, 0, document, _Place((), (), (), name), found)
        return found

    return find


def fits(pointer: Pointer) -> Callable[[object], bool]:
    """Whether the pointer leads anywhere."""
    find = compiled(pointer)
    return lambda document: bool(find(document))


def child(value: object, key: str) -> object:
    """What stands under a key, or at a place of a list; `_MISSING` where nothing does."""
    if type(value) is dict:
        return value.get(key, _MISSING)
    if type(value) is list and key.isdecimal() and len(key) < 9 and int(key) < len(value):
        return value[int(key)]
    return _MISSING


def text_of(value: object) -> str:
    """How a scalar is written in JSON, without the quotes of a text; empty for what holds others."""
    if isinstance(value, str):
        return value
    return "" if isinstance(value, (dict, list)) or value is _MISSING else orjson.dumps(value).decode()


@dataclass(frozen=True, slots=True)
class _Place:
    """How far a pointer has been followed: finished documents, the path in this one, the order, the names."""

    outer: Address
    path: Path
    order: tuple[int, ...]
    name: str

    @property
    def address(self) -> Address:
        return (*self.outer, self.path) if self.path or self.outer else _WHOLE

    def below(self, step: str | int, order: int, name: str) -> _Place:
        return _Place(self.outer, (*self.path, step), (*self.order, order), self.name + name)


def _is_plain(step: Step) -> bool:
    return step.key is not None and not step.into_json and not step.filters and not step.key.isdecimal()


def _straight(keys: tuple[str, ...]) -> Find:
    """The common case: keys only, one place at most, always the same address."""
    address: Address = (keys,)

    def find(document: object) -> list[Found]:
        value, order = document, 0
        for key in keys:
            if type(value) is not dict:
                return []
            value = value.get(key, _MISSING)
            if value is _MISSING:
                return []
        if type(document) is dict and len(document) > 1:
            order = next(at for at, each in enumerate(document) if each == keys[0])
        return [Found(address, (order,), value)]

    return find


def _follow(steps: tuple[Step, ...], at: int, value: object, place: _Place, found: list[Found]) -> None:
    if at == len(steps):
        found.append(Found(place.address, place.order, value, place.name))
        return
    step = steps[at]
    if step.into_json:
        if isinstance(value, str) and value:
            inner = _document_in(value)
            if (name := _fitting(step.filters, inner)) is not None:
                outer = (*place.outer, place.path)
                _follow(steps, at + 1, inner, _Place(outer, (), place.order, place.name + name), found)
        return
    for key, order, item in _children(step, value):
        name = _fitting(step.filters, item)
        if name is not None:
            own = f"/{key}" if step.named else ""
            _follow(steps, at + 1, item, place.below(key, order, own + name), found)


def _children(step: Step, value: object) -> list[tuple[str | int, int, object]]:
    key = step.key
    if type(value) is dict:
        if key is None:
            return [(each, at, item) for at, (each, item) in enumerate(value.items())]
        if key in value:
            return [(key, list(value).index(key), value[key])]
    elif type(value) is list:
        if key is None:
            return [(at, at, item) for at, item in enumerate(value)]
        item = child(value, key)
        if item is not _MISSING:
            return [(int(key), int(key), item)]
    return []


def _document_in(text: str) -> object:
    try:
        return parse(text)
    except ContentError:
        raise ContentError("a text that should hold a JSON document does not") from None


def _fitting(filters: tuple[Filter, ...], value: object) -> str | None:
    """The names that the filters take from a value; None where it does not fit one of them."""
    names = ""
    for each in filters:
        held = value
        for key in each.path:
            held = child(held, key)
        match each.test:
            case Fit.HAS:
                fits = held is not _MISSING
            case Fit.NAMES:
                fits = held is not _MISSING
                names += f"/{text_of(held)[:100]}"
            case Fit.IS:
                fits = held is not _MISSING and text_of(held) in each.values
            case Fit.IS_NOT:
                fits = held is _MISSING or text_of(held) not in each.values
            case Fit.BEGINS:
                fits = held is not _MISSING and text_of(held).startswith(each.values)
            case Fit.ENDS:
                fits = held is not _MISSING and text_of(held).endswith(each.values)
        if not fits:
            return None
    return names
