"""Reading answers that are not believed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agent.checks import reading
from agent.checks.ports import CheckError, Failure, HttpAnswer
from agent.checks.reading import Json

READERS: list[tuple[Callable[[Json, str], object], Json, list[Json]]] = [
    (reading.as_object, {}, [[], None, "x", 1]),
    (reading.as_list, [], [{}, None, "x"]),
    (reading.optional_list, None, [{}, "x", 0]),
    (reading.as_text, "x", [None, 1, []]),
    (reading.as_flag, False, [None, 0, 1, "true"]),
    (reading.as_whole, 3, [True, 3.0, "3", None]),
    (reading.as_share, 0.5, [True, -0.1, 1.1, "0.5", None, float("nan")]),
    (reading.as_category, "HATE", [None, 1]),
]


@pytest.mark.parametrize(("read", "good", "bad"), READERS)
def test_a_value_is_taken_only_as_what_it_is(
    read: Callable[[Json, str], object], good: Json, bad: list[Json]
) -> None:
    read(good, "it")
    for value in bad:
        with pytest.raises(CheckError) as caught:
            read(value, "it")
        assert caught.value.failure is Failure.MALFORMED


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (500, Failure.STATUS),
        (429, Failure.STATUS),
        (201, Failure.STATUS),
        (401, Failure.CREDENTIALS),
        (403, Failure.CREDENTIALS),
    ],
)
def test_only_200_is_an_answer(status: int, failure: Failure) -> None:
    for read in (reading.json_object, reading.json_list):
        with pytest.raises(CheckError) as caught:
            read(HttpAnswer(status=status, body=b"{}"))
        assert caught.value.failure is failure


@pytest.mark.parametrize("body", [b"", b"<html>hello</html>", b"\xff", b"{", b"[" * 100_000])
def test_what_is_no_json_is_malformed_and_not_quoted(body: bytes) -> None:
    with pytest.raises(CheckError) as caught:
        reading.json_object(HttpAnswer(status=200, body=body))
    assert str(caught.value) == "malformed: the answer is no JSON"


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (0, 6), (2, 2), (3, 2)])
def test_a_span_lies_in_its_text(start: int, end: int) -> None:
    assert reading.within(0, 5, "hello", "it") == (0, 5)
    with pytest.raises(CheckError, match="outside"):
        reading.within(start, end, "hello", "it")


def test_a_category_is_short_and_printable() -> None:
    assert reading.as_category("a\x1b[31m\nb", "it") == "a[31mb"
    assert reading.as_category("\n", "it") == "unnamed"
    assert len(reading.as_category("x" * 1000, "it")) == 64
