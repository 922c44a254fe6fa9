"""Labels stay few and readable, whatever clients call things."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.telemetry.labels import NONE, OTHER, Bounded, cleaned


def test_further_values_are_other() -> None:
    labels = Bounded(4)
    assert [labels.value(name) for name in "abcde"] == ["a", "b", "c", "d", OTHER]
    assert labels.value("a") == "a"
    assert labels.value("") == NONE


def test_names_that_nobody_answers_to_leave_room_for_real_ones() -> None:
    labels = Bounded(4)
    assert [labels.value(name, real=False) for name in "xyz"] == ["x", "y", OTHER]
    assert labels.value("gpt-5") == "gpt-5"
    assert labels.value("z") == "z"  # it was answered now


@given(st.text())
def test_a_value_can_be_printed_and_is_short(raw: str) -> None:
    value = cleaned(raw)
    assert len(value) <= 100
    assert value.isprintable()
    value.encode()


def test_control_characters_reach_no_terminal() -> None:
    assert cleaned("gpt\x1b[2J\ud800") == "gpt?[2J?"


@given(st.lists(st.tuples(st.text(max_size=5), st.booleans())))
def test_the_values_of_a_label_are_bounded(names: list[tuple[str, bool]]) -> None:
    labels = Bounded(5)
    assert len({labels.value(name, real=real) for name, real in names}) <= 5 + len((NONE, OTHER))
