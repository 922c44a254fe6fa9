"""A constructor that writes slots directly means the same as the one that dataclasses writes."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field, replace

import pytest

from agent.model.direct import direct


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plain:
    name: str
    size: int = 1
    parts: list[int] = field(default_factory=list)


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class _Direct:
    name: str
    size: int = 1
    parts: list[int] = field(default_factory=list)


@direct
@dataclass(frozen=True, slots=True)
class _Positive:
    number: int
    unit: str = ""

    def __post_init__(self) -> None:
        if self.number <= 0:
            raise ValueError(self.number)


@pytest.mark.parametrize("given", [{"name": "a"}, {"name": "a", "size": 2}, {"name": "a", "parts": [3]}])
def test_it_makes_the_same_value(given: dict[str, object]) -> None:
    plain, made = _Plain(**given), _Direct(**given)  # type: ignore[arg-type]
    assert (made.name, made.size, made.parts) == (plain.name, plain.size, plain.parts)
    assert repr(made).removeprefix("_Direct") == repr(plain).removeprefix("_Plain")
    assert made == _Direct(**given)  # type: ignore[arg-type]


def test_each_value_has_its_own_default() -> None:
    assert _Direct(name="a").parts is not _Direct(name="a").parts


def test_it_takes_the_same_parameters() -> None:
    plain, made = inspect.signature(_Plain), inspect.signature(_Direct)
    assert [(each.name, each.kind) for each in made.parameters.values()] == [
        (each.name, each.kind) for each in plain.parameters.values()
    ]
    for wrong in ({}, {"name": "a", "colour": 1}):
        with pytest.raises(TypeError):
            _Direct(**wrong)  # type: ignore[arg-type]


def test_values_stay_frozen_and_can_be_replaced() -> None:
    made = _Direct(name="a")
    with pytest.raises(AttributeError):
        made.name = "b"  # type: ignore[misc]
    assert replace(made, size=5) == _Direct(name="a", size=5)


def test_what_a_class_checks_is_checked() -> None:
    assert _Positive(3, "m") == _Positive(number=3, unit="m")
    with pytest.raises(ValueError, match="-1"):
        _Positive(-1)


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class _Marked:
    name: str
    seen: int = field(default=0, compare=False, repr=False)


def test_fields_that_are_not_compared_or_shown_stay_so() -> None:
    assert _Marked(name="a", seen=1) == _Marked(name="a")
    assert hash(_Marked(name="a", seen=1)) == hash(_Marked(name="a"))
    assert repr(_Marked(name="a", seen=1)).endswith("_Marked(name='a')")


def test_what_it_cannot_mean_the_same_as_is_refused() -> None:
    @dataclass(frozen=True, slots=True)
    class Mixed:
        name: str
        size: int = field(default=0, kw_only=True)

    with pytest.raises(TypeError, match="both kinds"):
        direct(Mixed)
    with pytest.raises(TypeError, match="more than its fields"):
        direct(dataclass(frozen=True, slots=True)(type("Child", (_Plain,), {})))
