"""Frozen values whose constructor is compiled.

The constructor that `dataclasses` writes for a frozen class is interpreted and sets each field by name. One request
makes some forty values with four hundred fields, and a streamed token four of them. The structs of msgspec mean the
same, and compiled code makes, compares and hashes them: a value of six fields takes an eighth of the time. A class
stays declared as a dataclass, which is what type checkers, readers, `fields` and `replace` go by. For the values that
requests and streams make; what is made once, with a policy or at the start, can stay what it is.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, fields
from typing import Any

import msgspec

_OF_STRUCTS = frozenset(
    {
        "__delattr__",
        "__dict__",
        "__getstate__",
        "__init__",
        "__match_args__",
        "__replace__",
        "__setattr__",
        "__setstate__",
        "__slots__",
        "__weakref__",
    }
)
"""What `dataclasses` writes, or Python adds, and structs have of their own."""


def direct[T](value: type[T]) -> type[T]:
    """`value`, a frozen dataclass with slots whose base is `object`, as a struct of the same signature and meaning.
    Raises TypeError for one that is more than that."""
    known = fields(value)  # type: ignore[arg-type]  # a dataclass, which a type variable cannot say
    if value.__bases__ != (object,) or not all(field.init for field in known):
        raise TypeError(f"{value.__name__} is more than its fields")
    named = {bool(field.kw_only) for field in known}
    if len(named) != 1:
        raise TypeError(f"{value.__name__} has parameters of both kinds")
    own = _OF_STRUCTS | {field.name for field in known}
    if all(field.compare for field in known):
        own |= {"__eq__", "__hash__"}
    if all(field.repr for field in known):
        own |= {"__repr__"}
    namespace = {name: each for name, each in vars(value).items() if name not in own}
    made: Any = msgspec.defstruct(
        value.__name__,
        [_declared(field) for field in known],
        namespace=namespace | {"__qualname__": value.__qualname__},
        module=value.__module__,
        frozen=True,
        kw_only=named.pop(),
    )
    return made  # type: ignore[no-any-return]  # in all but its metaclass what was given


def _declared(field: Field[Any]) -> tuple[str, type] | tuple[str, type, Any]:
    # the type is for msgspec's decoders, which are not used: values are made where bytes were already judged
    if field.default is not MISSING:
        return field.name, object, msgspec.field(default=field.default)
    if field.default_factory is not MISSING:
        return field.name, object, msgspec.field(default_factory=field.default_factory)
    return field.name, object


def changed[T](value: T, **changes: object) -> T:
    """A copy of a `direct` value with other fields. As `dataclasses.replace`, which reads each field by itself: for
    what every request changes."""
    return msgspec.structs.replace(value, **changes)  # type: ignore[type-var]  # see `direct`
