"""Constructors that write the slots of a frozen value directly.

The constructor that `dataclasses` writes for a frozen class sets each field through `object.__setattr__`, by name. That
takes twice as long as through the slot itself, and one request makes some thirty values with three hundred fields. For
the classes that every request needs; the others can wait. (Streams, which make thousands, go further: see `moulds`.)
"""

from __future__ import annotations

from dataclasses import MISSING, Field, fields


def direct[T](value: type[T]) -> type[T]:
    """`value`, a frozen dataclass with slots, with a constructor of the same signature and meaning that takes half the
    time."""
    known: dict[str, object] = {"_missing": MISSING}
    positional: list[str] = []
    named: list[str] = []
    body: list[str] = []
    for field in fields(value):  # type: ignore[arg-type]  # a dataclass, which a type variable cannot say
        if not field.init:
            raise TypeError(f"{value.__name__}.{field.name} is no parameter")
        known[f"_set_{field.name}"] = getattr(value, field.name).__set__
        (named if field.kw_only else positional).append(_parameter(field, known))
        body += _statements(field)
    if hasattr(value, "__post_init__"):
        body.append("    self.__post_init__()")
    signature = ", ".join(["self", *positional, *(["*", *named] if named else [])])
    # as dataclasses does: the source is made of the names of fields, and of nothing else
    exec(f"def __init__({signature}):\n" + "\n".join(body), known)  # noqa: S102
    made = known["__init__"]
    made.__qualname__ = f"{value.__qualname__}.__init__"  # type: ignore[attr-defined]
    made.__annotations__ = value.__init__.__annotations__
    value.__init__ = made  # type: ignore[assignment]
    return value


def _parameter(field: Field[object], known: dict[str, object]) -> str:
    if field.default is not MISSING:
        known[f"_default_{field.name}"] = field.default
        return f"{field.name}=_default_{field.name}"
    if field.default_factory is not MISSING:
        known[f"_make_{field.name}"] = field.default_factory
        return f"{field.name}=_missing"
    return field.name


def _statements(field: Field[object]) -> list[str]:
    name = field.name
    if field.default_factory is MISSING:
        return [f"    _set_{name}(self, {name})"]
    return [f"    _set_{name}(self, _make_{name}() if {name} is _missing else {name})"]
