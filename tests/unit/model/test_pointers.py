"""Pointers: what may be written, and what is refused with its reason."""

from __future__ import annotations

import pytest

from agent.model.pointers import Filter, Fit, Pointer, Step, parse_pointer


def test_keys_places_and_wildcards_are_steps() -> None:
    assert parse_pointer("/messages/*/0/text") == Pointer(
        steps=(Step(key="messages"), Step(key=None), Step(key="0"), Step(key="text"))
    )
    assert parse_pointer("/a/*@/$json/b").steps == (
        Step(key="a"),
        Step(key=None, named=True),
        Step(key="", into_json=True),
        Step(key="b"),
    )


def test_the_empty_pointer_is_the_document() -> None:
    assert parse_pointer("") == Pointer()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[a]", Filter(path=("a",))),
        ("[a@]", Filter(path=("a",), test=Fit.NAMES)),
        ("[a.b=c|d]", Filter(path=("a", "b"), test=Fit.IS, values=("c", "d"))),
        ("[a!=c]", Filter(path=("a",), test=Fit.IS_NOT, values=("c",))),
        ("[a^=/c/]", Filter(path=("a",), test=Fit.BEGINS, values=("/c/",))),
        ("[a$=c=d]", Filter(path=("a",), test=Fit.ENDS, values=("c=d",))),
        ("[a=]", Filter(path=("a",), test=Fit.IS, values=("",))),
        ("[a~3b=~1]", Filter(path=("a.b",), test=Fit.IS, values=("/",))),
    ],
)
def test_conditions(text: str, wanted: Filter) -> None:
    assert parse_pointer(text).filters == (wanted,)
    assert parse_pointer(f"/x/*{text}").steps[1].filters == (wanted,)


def test_escapes_stand_for_what_would_part() -> None:
    (step,) = parse_pointer("/a~1b~0c~2d").steps
    assert step.key == "a/b~c[d"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a", "must begin with"),
        ("/", "an empty step"),
        ("/a//b", "an empty step"),
        ("/a[b", "brackets"),
        ("/a]b", "brackets"),
        ("/a[[b]]", "brackets"),
        ("/a[b]c", "behind a bracket"),
        ("/a*", "stand alone"),
        ("/$jso", "stand alone"),
        ("[=x]", "without a key"),
        ("[a..b]", "without a key"),
        ("/a" * 17, "more than 16 steps"),
        ("/" + "a" * 300, "longer than 300"),
    ],
)
def test_mistakes_are_told(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_pointer(text)
